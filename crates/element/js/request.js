// A request to an API with the token of somebody who is signed in, and with a proof if the token is bound to a key.
const { fetch, Request, Headers } = globalThis;

/** With a bearer token (RFC 6750 2.1). */
export function sendBearer(request, token) {
  return send(request, `Bearer ${token}`);
}

/**
 * With a token that is bound to a key (RFC 9449 7): `prove` makes a proof, a new one each time. Once more if the server
 * demands a nonce; `learn` hears of each that it tells.
 */
export async function sendBound(request, token, prove, learn) {
  const again = request.clone();
  const answer = await send(request, `DPoP ${token}`, await prove());
  const nonce = answer.headers.get("dpop-nonce");
  if (nonce) learn(nonce);
  const demanded = answer.status === 401 && answer.headers.get("www-authenticate")?.includes("use_dpop_nonce");
  if (!nonce || !demanded) return answer;
  answer.body?.cancel().catch(() => {});
  return send(again, `DPoP ${token}`, await prove());
}

/** The address was chosen by whoever asked: no answer may lead the token elsewhere. */
function send(request, authorization, proof) {
  const headers = new Headers(request.headers);
  headers.set("authorization", authorization);
  if (proof) headers.set("dpop", proof);
  const redirect = request.redirect === "manual" ? "manual" : "error";
  return fetch(new Request(request, { __proto__: null, headers, redirect, credentials: "omit", referrerPolicy: "no-referrer" }));
}
