// Bundle the stage into one ES module and one style sheet, next to the Python that serves them.
import { build } from "esbuild";

await build({
  entryPoints: { stage: "src/widget.js" },
  outdir: "../static",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  loader: { ".json": "json" },
  legalComments: "linked",
  logLevel: "warning",
});
