// Where the WebAssembly is, and what it must be. The build fills in the three names: `cargo xtask package`.
import { own } from "./errors.js";

const { fetch } = globalThis;
const { RuntimeError, compileStreaming } = globalThis.WebAssembly ?? {};
let loading;
let attempts = 0;

/** What the core exports. It is fetched once, and again only if that failed. */
export function load() {
  return (loading ??= attempt().catch((error) => {
    loading = undefined;
    throw reason(error);
  }));
}

/** What was loaded has trapped and is of no use any more: the next one is another. */
export function bury() {
  loading = undefined;
}

// The beginning of both names, as a bundler leaves it, and the file that has all the scripts in it.
const files = ["__GLUE__".slice(0, -".js".length), "/polar-signin.js"];

/** Whether an error is a trap in what was loaded. WebKit names no file of WebAssembly, but the script that called it. */
export function isTrap(error) {
  return RuntimeError !== undefined && error instanceof RuntimeError && files.some((file) => String(error.stack).includes(file));
}

// A browser remembers that a module could not be had, for as long as the page is open.
const glue = (again) => (again ? import(/* @vite-ignore */ new URL(`./__GLUE__${again}`, import.meta.url).href) : import("./__GLUE__"));

/** Compiled while it arrives, and while the module does. What a host calls something else is left to wasm-bindgen. */
const compiled = (answer) => (answer.headers.get("content-type") === "application/wasm" ? compileStreaming(answer) : answer);

async function attempt() {
  attempts += 1;
  const url = new URL("./__WASM__", import.meta.url);
  // What was wrong once may be in the browser's cache by now.
  const cache = attempts > 1 ? "reload" : "default";
  const response = fetch(url, { __proto__: null, integrity: "__INTEGRITY__", cache, credentials: "omit", referrerPolicy: "no-referrer" });
  const [core, code] = await Promise.all([glue(attempts > 1 ? `?${attempts}` : ""), response.then(compiled)]);
  await core.default({ module_or_path: code });
  return core;
}

function reason(error) {
  if (typeof WebAssembly !== "object") return own("wasm_missing");
  return own(error instanceof WebAssembly.CompileError ? "wasm_refused" : "load_failed");
}
