// SPDX-License-Identifier: Apache-2.0
// Builds dist/ from src/: one script, one style sheet, the page and its icon. Fails where they are too big together.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";

const BYTES_MAX = 200_000;

await rm("dist.new", { recursive: true, force: true });
await mkdir("dist.new");
await build({
  entryPoints: { app: "src/main.tsx" },
  outdir: "dist.new",
  bundle: true,
  minify: true,
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  banner: { js: "// SPDX-License-Identifier: Apache-2.0" },
});
for (const name of ["index.html", "icon.svg"]) await copyFile(`src/${name}`, `dist.new/${name}`);

let bytes = 0;
for (const name of await readdir("dist.new")) bytes += (await stat(`dist.new/${name}`)).size;
if (bytes > BYTES_MAX) {
  console.error(`the page takes ${bytes} bytes, at most ${BYTES_MAX}`);
  process.exit(1);
}
await rm("dist", { recursive: true, force: true });
await rename("dist.new", "dist");
