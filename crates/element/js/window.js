// The window of a sign-in: how it is opened, and how the page that comes to it knows what it is for.
import { framed } from "./frame.js";

/** What a window was opened for stands in its storage under this key. */
export const POPUP = "polar-signin:v1:popup";
const NAME = "polar-signin:window:";

/**
 * An empty window. What it begins with is a copy of what this tab keeps, and a mark that says what it is for. A page in
 * a frame has a storage of its own, which no window gets a copy of: there the mark is the window's name.
 */
export function openWindow() {
  try {
    sessionStorage.setItem(POPUP, "1");
  } catch {
    // Without storage there is no sign-in: the core says so.
  }
  const name = framed() ? NAME + crypto.getRandomValues(new Uint32Array(4)).join(".") : "_blank";
  try {
    return window.open("about:blank", name, "popup,width=480,height=720");
  } finally {
    try {
      sessionStorage.removeItem(POPUP);
    } catch {
      // As above.
    }
  }
}

/** If a page of this origin that is in a frame opened this window by that name: marks it as any other is. */
export function markWindow() {
  try {
    const { opener, name } = window;
    // Another origin's opener does not say where it is: it throws.
    if (!name.startsWith(NAME) || opener.location.origin !== location.origin || opener.top === opener) return;
    sessionStorage.setItem(POPUP, "1");
  } catch {
    // It is no such window.
  }
}
