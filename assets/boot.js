// Starts the app. Until it has arrived this keeps the page honest: an early click is remembered
// and served, a page that is about to be somebody's shows no button, and a start that fails says so.
const page = document.documentElement;
const script = document.querySelector("script[data-js]");

// A response of the provider leaves the address before anything is fetched. The app asks for it once.
let openedAt = location.href;
const telling = ["code", "error", "state", "response", "id_token", "access_token"];
const holds = (text) => telling.some((name) => new URLSearchParams(text).has(name));
const returns = holds(location.search) || holds(location.hash.slice(1).replace(/^[^?]*\?/, ""));
if (returns) history.replaceState(history.state, "", location.pathname);
addEventListener("polar-signin:opened-at", (event) => {
  if (Array.isArray(event.detail) && openedAt) event.detail.push(openedAt);
  openedAt = undefined;
});

// The settings come beside the app, if the page does not hold them itself. The app asks for them once. If they cannot
// be had this way it asks the host itself, and knows what to say.
const held = document.querySelector("meta[name=polar-signin-settings]");
const fetched = async () => {
  const answer = await fetch("config.json", { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(10_000) });
  return answer.status === 200 ? answer.text() : undefined;
};
const settings = held ? Promise.resolve(held.content) : fetched().catch(() => undefined);
addEventListener("polar-signin:settings", (event) => {
  if (Array.isArray(event.detail)) event.detail.push(settings);
}, { once: true });

let kept = false;
try {
  kept = Object.keys(sessionStorage).some((key) => /^polar-signin:.*:session$/.test(key));
} catch {
  // Blocked storage is the app's to explain.
}
if (returns || kept) page.dataset.starting = "";

addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("#shell button");
  if (!button) return;
  page.dataset.early = button.id;
  button.setAttribute("aria-busy", "true");
});

// One that the app's own button has replaced between the press and the release: of such a press no click comes.
let pressed;
addEventListener("pointerdown", (event) => {
  pressed = event.button === 0 && event.target instanceof Element ? event.target.closest("#shell button") : undefined;
});
addEventListener("pointerup", (event) => {
  const button = event.target instanceof Element && event.target.closest("button");
  if (pressed && !pressed.isConnected && button && button.id === pressed.id) button.click();
  pressed = undefined;
});

function explain(title, text) {
  delete page.dataset.starting;
  const card = document.querySelector("#shell .card");
  if (!card) return;
  document.getElementById("shell").dataset.view = "error";
  card.setAttribute("role", "alert");
  card.querySelector("h1").textContent = title;
  card.querySelector("#shell-lead").textContent = text;
  card.querySelector("#shell-actions").remove();
  card.querySelector("#shell-fine").remove();
}

// The app's module has a tag of its own, after this one, with its integrity: WebKit knows no other way to hold a
// module to its content, and it would fetch one that was refused again, without it, for whoever imports it.
function arrived(address) {
  const tag = Array.from(document.scripts).find((tag) => tag.src === address);
  return new Promise((resolve, reject) => {
    tag.addEventListener("load", resolve);
    tag.addEventListener("error", reject);
    // Firefox says at once that a file is not what it should be, maybe before this script runs. Whoever has come by now
    // is heard first.
    addEventListener("load", () => setTimeout(reject, 1000));
  });
}

// Compiled while it arrives, and while the module does. What a host calls something else is left to wasm-bindgen.
async function compiled(address, integrity) {
  const answer = await fetch(address, { integrity });
  return answer.headers.get("content-type") === "application/wasm" ? WebAssembly.compileStreaming(answer) : answer;
}

try {
  const { js, wasm, wasmIntegrity: integrity = "" } = script.dataset;
  const address = new URL(js, location.href).href;
  const code = compiled(new URL(wasm, location.href), integrity);
  // Whether it came is asked once the module is there.
  code.catch(() => {});
  await arrived(address);
  const app = await import(address);
  await app.default({ module_or_path: code });
} catch (error) {
  if (typeof WebAssembly !== "object") {
    explain("This browser is too old", "Signing in needs WebAssembly. Please use a newer browser.");
  } else if (error instanceof WebAssembly.CompileError) {
    explain("The app may not start", "The site's Content-Security-Policy lacks 'wasm-unsafe-eval'. Its owner can mend that.");
  } else {
    explain("The app did not arrive", "Please check the connection and reload the page.");
  }
  throw error;
}
