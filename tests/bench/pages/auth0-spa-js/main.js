// As in the README of auth0-spa-js. It knows its endpoints by itself: /authorize and /oauth/token, which the door in
// front of the provider translates. Refresh tokens as its documentation recommends for browsers without third-party
// cookies.
import { createAuth0Client } from "@auth0/auth0-spa-js";
import { askUserinfo, clientId, failed, provider, ready, redirectUri, returns, scope, scrub, shared, userinfo, who } from "../shared/page.js";

// Its documentation's way to share a session among tabs; the default is memory.
const cacheLocation = shared ? "localstorage" : "memory";

async function start() {
  const auth0 = await createAuth0Client({
    domain: provider, clientId, useRefreshTokens: true, cacheLocation, authorizationParams: { redirect_uri: redirectUri, scope },
  });
  if (returns) {
    await auth0.handleRedirectCallback();
    scrub();
  }
  const user = await auth0.getUser();
  if (!user) return ready(() => auth0.loginWithRedirect().catch(failed));
  who(user.sub);
  userinfo(await askUserinfo(`${provider}/userinfo`, await auth0.getTokenSilently()));
  // It renews nothing by itself: somebody has to want a token.
  if (shared) setInterval(() => auth0.getTokenSilently().catch(failed), 5000);
}

start().catch(failed);
