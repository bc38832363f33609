// As in the README of @axa-fr/oidc-client, without its service worker (which it leaves to choose).
import { OidcClient } from "@axa-fr/oidc-client";
import { clientId, failed, provider, ready, redirectUri, returns, scope, userinfo, who } from "../shared/page.js";

const client = OidcClient.getOrCreate(() => fetch)({
  authority: provider, client_id: clientId, redirect_uri: redirectUri, scope, refresh_time_before_tokens_expiration_in_second: 60,
});

client.subscribeEvents((name, data) => {
  if (name === OidcClient.eventNames.refreshTokensAsync_error) failed(data);
});

async function start() {
  // The README asks for a kept session first, on the way back too.
  await client.tryKeepExistingSessionAsync();
  if (returns) await client.loginCallbackAsync();
  if (!client.tokens) return ready(() => client.loginAsync(location.pathname).catch(failed));
  who(client.tokens.idTokenPayload.sub);
  userinfo(await client.userInfoAsync());
}

start().catch(failed);
