// As in the examples of oauth4webapi (examples/public.ts and examples/oidc.ts), with what they keep in variables kept in
// session storage across the redirect. The signature of the ID token is checked, as for a client that wants what the
// others of this comparison do not do; leaving that out saves it one request.
import * as oauth from "oauth4webapi";
import { clientId, failed, issuer, ready, redirectUri, returns, scope, scrub, userinfo, who } from "../shared/page.js";

const client = { client_id: clientId };
const insecure = { [oauth.allowInsecureRequests]: true };
const expected = new URL(issuer);

async function discover() {
  const answer = await oauth.discoveryRequest(expected, { algorithm: "oidc", ...insecure });
  return oauth.processDiscoveryResponse(expected, answer);
}

async function signIn() {
  const server = await discover();
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  sessionStorage.setItem("sign-in", JSON.stringify({ verifier, state, nonce }));
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: clientId, redirect_uri: redirectUri, response_type: "code", scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  location.assign(address);
}

async function finish() {
  const { verifier, state, nonce } = JSON.parse(sessionStorage.getItem("sign-in"));
  sessionStorage.removeItem("sign-in");
  const server = await discover();
  const parameters = oauth.validateAuthResponse(server, client, new URL(location.href), state);
  scrub();
  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, redirectUri, verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, answer, insecure);
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  who(sub);
  const claims = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
  userinfo(await oauth.processUserInfoResponse(server, client, sub, claims));
}

if (returns) finish().catch(failed);
else ready(() => signIn().catch(failed));
