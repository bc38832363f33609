// A page inside another one (RFC 9700 4.16). Nothing of this runs there, unless the page itself names the origin of the
// page around it: a person who clicks in a frame cannot see whose page that is. Then whoever signs in does so in a
// window of its own, with an address bar, and the page around hears the state and nothing else.
const { top, self, parent } = globalThis;

/** Whether this page is inside another. */
export const framed = () => top !== self;

/** The origin of the page around this one, if that is the outermost one and one of these. */
export function allowedParent(origins) {
  // A browser that does not say whose page it is allows none.
  const around = framed() ? location.ancestorOrigins : undefined;
  return around?.length === 1 && origins.includes(around[0]) ? around[0] : undefined;
}

/** Tells the page around in which state this one is. The browser delivers that to this origin alone. */
export function tellParent(origin, status) {
  parent.postMessage({ __proto__: null, type: "polar-signin:status", status }, origin);
}
