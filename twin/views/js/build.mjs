// Bundle the globe into one ES module and one style sheet, next to the Python that serves them.
import { build } from "esbuild";

await build({
  entryPoints: { globe: "src/globe.js" },
  outdir: "../static",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  loader: { ".json": "json" },
  legalComments: "linked",
  logLevel: "warning",
});
