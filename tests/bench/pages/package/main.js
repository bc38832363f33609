// As in the README of this project's own package, without interface. `prepare` is called when the pointer reaches the
// button: here that is the moment of the click itself.
import { createClient } from "polar-signin";
import { clientId, failed, issuer, ready, scope, userinfo, who } from "../shared/page.js";

const client = createClient({ provider: "local", issuer, clientId, scope, allowHttpOnLoopback: true });

client.subscribe(({ session, error }) => {
  if (error) failed(error.code);
  who(session?.subject ?? "");
  if (session?.name) userinfo(session);
});
const button = document.querySelector("#sign-in");
button.addEventListener("pointerenter", () => client.prepare().catch(failed));
ready(() => client.signIn().catch(failed));
