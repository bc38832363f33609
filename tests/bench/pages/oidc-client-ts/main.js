// As in the README and the sample of oidc-client-ts: a UserManager with its defaults (session storage, no userinfo of
// its own, so that the person is known as soon as the tokens are there).
import { UserManager, WebStorageStateStore } from "oidc-client-ts";
import { askUserinfo, clientId, failed, issuer, loadsUserinfo, ready, redirectUri, returns, scope, scrub, shared, userinfo, who } from "../shared/page.js";

// Its documentation's way to share a session among tabs; the default is session storage.
const further = shared ? { userStore: new WebStorageStateStore({ store: localStorage }) } : {};
const manager = new UserManager({ authority: issuer, client_id: clientId, redirect_uri: redirectUri, scope, loadUserInfo: loadsUserinfo, ...further });
manager.events.addSilentRenewError(failed);

async function show(user) {
  who(user.profile.sub);
  if (loadsUserinfo) return userinfo(user.profile);
  const endpoint = await manager.metadataService.getUserInfoEndpoint();
  userinfo(await askUserinfo(endpoint, user.access_token));
}

async function start() {
  if (returns) {
    const user = await manager.signinCallback();
    scrub();
    return show(user);
  }
  const user = await manager.getUser();
  if (user) return show(user);
  ready(() => manager.signinRedirect().catch(failed));
}

start().catch(failed);
