// A response of the provider leaves the address at once, before anything is fetched. It is ours only if something of
// ours waits for one: another script's is not touched. The core asks for the address once, and judges it.
import { POPUP, markWindow } from "./window.js";

const PREFIX = "polar-signin:v1:";

let returned;
let asking;

/** Whether this page is where a person comes back to. */
export const isResponse = () => returned !== undefined;

/** Whether there is more to be found here than nobody: a response, a session, a window's mark. */
export function expected() {
  return returned !== undefined || keys().some((key) => key === POPUP || key.endsWith(":session"));
}

/** Lets a core start that keeps things under this namespace: what came back to it is there when it asks. */
export function withResponse(namespace, start) {
  // What is ours has left the address by now. A response that is still there is somebody else's, and it is not for the
  // core to scrub: it looks at the address once, while it starts.
  const theirs = holdsResponse() ? location.href : undefined;
  try {
    asking = namespace;
    if (theirs) history.replaceState(history.state, "", location.pathname);
    start();
  } finally {
    asking = undefined;
    if (theirs) history.replaceState(history.state, "", theirs);
  }
}

function keys() {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

const TELLING = ["code", "error", "state", "response", "id_token", "access_token"];

function holdsResponse() {
  const holds = (text) => TELLING.some((name) => new URLSearchParams(text).has(name));
  return holds(location.search) || holds(location.hash.slice(1).replace(/^[^?]*\?/, ""));
}

function takeResponse() {
  const query = new URLSearchParams(location.search);
  markWindow();
  const ours = keys().some((key) => key === POPUP || key.includes(":transaction:"));
  if (!ours || !/^[\w-]{43}$/.test(query.get("state") ?? "") || !(query.has("code") || query.has("error"))) return;
  returned = location.href;
  history.replaceState(history.state, "", location.pathname);
  addEventListener("polar-signin:opened-at", (event) => {
    const waits = (key) => key === POPUP || (asking && key.startsWith(asking) && key.includes(":transaction:"));
    if (returned === undefined || !Array.isArray(event.detail) || !keys().some(waits)) return;
    event.detail.push(returned);
    returned = undefined;
  });
}
if (typeof location === "object") takeResponse();
