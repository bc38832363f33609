// As in the guide of keycloak-js, with a provider that is not Keycloak: its option `oidcProvider`, an answer in the
// query, no iframe. It reads access and refresh tokens as JWTs, so the provider of this comparison makes such; and it sends
// token requests with credentials, so the proxy lets these pass. With Polar itself it would work in neither way.
import Keycloak from "keycloak-js";
import { clientId, failed, provider, ready, userinfo, who } from "../shared/page.js";

const keycloak = new Keycloak({ clientId, oidcProvider: provider });

async function start() {
  const authenticated = await keycloak.init({ responseMode: "query", checkLoginIframe: false });
  if (!authenticated) return ready(() => keycloak.login({ scope: "profile email" }).catch(failed));
  who(keycloak.idTokenParsed.sub);
  userinfo(await keycloak.loadUserInfo());
}

start().catch(failed);
