// The button is a link, so that it can be opened in another tab, as links can. It leads to this very page: an address of
// the provider's could not stand there, since each belongs to one sign-in, which this tab alone could finish.
//
// A page that is opened by such a link signs in by itself, but only if the tab that the link was in says that somebody
// has just used it there. Otherwise anybody could send people into a sign-in by an address.
const MARK = "#polar-signin=";
const CHANNEL = "polar-signin:v1:link";
const PATIENCE_MS = 1000;

const offered = new Set();
const marks = new WeakMap();
let channel;
let count = 0;
let arrived;

if (typeof location === "object" && location.hash.startsWith(MARK)) {
  arrived = location.hash.slice(MARK.length);
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** Which of the page's elements it is, and something that nobody can guess. */
function mark(element) {
  if (!marks.has(element)) {
    count += 1;
    marks.set(element, [count, ...crypto.getRandomValues(new Uint32Array(3))].join("."));
  }
  return marks.get(element);
}

/** The address of an element's link. Absolute: a `<base>` would lead it elsewhere. */
export function address(element) {
  return location.origin + location.pathname + location.search + MARK + mark(element);
}

/** The link may be opened in another tab by what the person does now. */
export function offer(element, { button, ctrlKey, metaKey, shiftKey, key }) {
  if (!(button > 0 || ctrlKey || metaKey || shiftKey || key === "ContextMenu")) return;
  offered.add(mark(element));
  if (channel) return;
  channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (typeof data?.ask === "string" && offered.delete(data.ask)) channel.postMessage({ __proto__: null, yes: data.ask });
  });
}

/** If this page was opened by the link of this element: presses it once the other tab has confirmed that. */
export function arrive(element, press) {
  const asked = arrived;
  if (!asked || asked.split(".")[0] !== mark(element).split(".")[0]) return;
  arrived = undefined;
  const channel = new BroadcastChannel(CHANNEL);
  const end = setTimeout(() => {
    channel.close();
    element.focus();
  }, PATIENCE_MS);
  channel.addEventListener("message", ({ data }) => {
    if (data?.yes !== asked) return;
    clearTimeout(end);
    channel.close();
    press();
  });
  channel.postMessage({ __proto__: null, ask: asked });
}
