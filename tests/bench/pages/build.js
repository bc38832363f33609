// Builds the page of each client into built/, each by itself, and compresses every file once: the host only picks.
// BENCH_APP and BENCH_PKG are this project's own app and package, BENCH_PROVIDER the provider's origin.
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const { BENCH_APP, BENCH_PKG, BENCH_PROVIDER } = process.env;
if (!BENCH_APP || !BENCH_PKG || !BENCH_PROVIDER) throw new Error("cargo xtask bench sets what this needs");
const here = import.meta.dirname;
const built = join(here, "built");
// Vite fills it into HTML.
process.env.VITE_PROVIDER = BENCH_PROVIDER;
const CLIENTS = [
  "package", "element", "oidc-client-ts", "auth0-spa-js", "axa-oidc-client", "oauth4webapi", "keycloak-js", "react-oidc-context",
  "static",
];

// As an import of the package would find them.
const OURS = [
  { find: "polar-signin/element/define", replacement: join(BENCH_PKG, "define.js") },
  { find: "polar-signin", replacement: join(BENCH_PKG, "index.js") },
];

await rm(built, { recursive: true, force: true });
await mkdir(built);
for (const client of CLIENTS) {
  await build({
    root: join(here, client),
    base: "./",
    logLevel: "warn",
    define: { __PROVIDER__: JSON.stringify(BENCH_PROVIDER) },
    resolve: { alias: OURS },
    build: { outDir: join(built, client), emptyOutDir: true },
  });
}
await cp(BENCH_APP, join(built, "app"), { recursive: true });

for (const entry of await readdir(built, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !/\.(html|js|css|wasm|json|svg)$/.test(file)) continue;
  const bytes = await readFile(file);
  const hint = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_QUALITY]: 11 };
  await writeFile(`${file}.br`, brotliCompressSync(bytes, { params: hint }));
  await writeFile(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
