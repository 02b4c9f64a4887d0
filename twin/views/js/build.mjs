// Bundle the stage into one ES module and one style sheet, next to the Python that serves them,
// with the licences of the packages that are in it.
import { readFile, writeFile } from "node:fs/promises";

import { build } from "esbuild";

const outdir = "../static";
const { metafile } = await build({
  entryPoints: { stage: "src/widget.js" },
  outdir,
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: "es2022",
  loader: { ".json": "json" },
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "eof",
  logLevel: "warning",
});

const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
const bundled = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
const packages = new Set(bundled.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]));
packages.delete(undefined);
const notices = [...packages].sort().map(async (name) => {
  const { version, license } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  const text = await readFile(`node_modules/${name}/LICENSE`, "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
});
await writeFile(`${outdir}/stage.licences.txt`, (await Promise.all(notices)).join(`\n${"-".repeat(78)}\n\n`));
