// As in the README of react-oidc-context: a provider around an app that shows what `useAuth` says. Without JSX, which
// is the same after a build.
import { createElement as h, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { AuthProvider, useAuth } from "react-oidc-context";
import { askUserinfo, clientId, issuer, provider, redirectUri, scope, scrub } from "../shared/page.js";

function App() {
  const auth = useAuth();
  const [name, setName] = useState("");
  const token = auth.user?.access_token;
  useEffect(() => {
    if (token) askUserinfo(`${provider}/v1/oauth2/userinfo`, token).then((claims) => setName(claims.name));
  }, [token]);
  if (auth.isLoading) return h("main", null, h("p", null, "Loading…"));
  if (auth.error) return h("main", null, h("p", { id: "failure", role: "alert" }, auth.error.message));
  if (auth.isAuthenticated) {
    return h("main", null,
      h("h1", null, "Signed in"), h("p", { id: "who" }, auth.user?.profile.sub), h("p", { id: "userinfo" }, name));
  }
  return h("main", null,
    h("h1", null, "Sign in"), h("p", null, "Use your account at the provider."),
    h("button", { type: "button", id: "sign-in", onClick: () => void auth.signinRedirect() }, "Sign in"));
}

const settings = { authority: issuer, client_id: clientId, redirect_uri: redirectUri, scope, onSigninCallback: scrub };
createRoot(document.querySelector("#root")).render(h(AuthProvider, settings, h(App)));
