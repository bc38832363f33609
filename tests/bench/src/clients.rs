//! Who is compared.

/// A client's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its folder among the built pages.
    pub(crate) folder: &'static str,
    /// What tables call it.
    pub(crate) name: &'static str,
    /// The npm packages that it stands on.
    pub(crate) packages: &'static [&'static str],
    /// There is such an element as soon as the button works.
    ready: Option<&'static str>,
    /// There is such an element as soon as the page says who is signed in.
    signed_in: Option<&'static str>,
    /// There is such an element as soon as the page shows what userinfo says.
    userinfo: Option<&'static str>,
}

const fn page(folder: &'static str, name: &'static str, packages: &'static [&'static str]) -> Client {
    Client { folder, name, packages, ready: None, signed_in: None, userinfo: None }
}

/// This project's app: a whole interface, in Leptos.
pub(crate) const APP: Client = Client {
    ready: Some("main:not(#shell) #sign-in"),
    signed_in: Some("main[data-view=signed-in]:not(#shell)"),
    userinfo: Some("[data-userinfo=name]"),
    ..page("app", "polar-signin, the app", &[])
};
/// This project's JavaScript package, without interface.
pub(crate) const PACKAGE: Client = page("package", "polar-signin, the package", &[]);
/// This project's element, with a bundler.
pub(crate) const ELEMENT: Client = Client {
    ready: Some("polar-signin:defined"),
    signed_in: Some("polar-signin:state(signed-in)"),
    ..page("element", "polar-signin, the element", &[])
};
/// What the others are measured against.
pub(crate) const BASELINE: Client = page("oidc-client-ts", "oidc-client-ts", &["oidc-client-ts"]);
/// It shares a session among tabs by a lock.
pub(crate) const AUTH0: Client = page("auth0-spa-js", "@auth0/auth0-spa-js", &["@auth0/auth0-spa-js"]);
/// It keeps the provider's metadata.
pub(crate) const AXA: Client = page("axa-oidc-client", "@axa-fr/oidc-client", &["@axa-fr/oidc-client"]);
/// What the boot of an app is measured against.
pub(crate) const REACT: Client =
    page("react-oidc-context", "React, react-oidc-context", &["react-oidc-context", "react", "oidc-client-ts"]);
/// A page without a script.
pub(crate) const STATIC: Client = page("static", "a button in HTML", &[]);

/// Everybody who signs in.
pub(crate) const ALL: [Client; 8] = [
    APP,
    PACKAGE,
    BASELINE,
    AUTH0,
    AXA,
    page("oauth4webapi", "oauth4webapi", &["oauth4webapi"]),
    page("keycloak-js", "keycloak-js", &["keycloak-js"]),
    REACT,
];

impl Client {
    /// The selector of a button that works.
    #[must_use]
    pub(crate) fn ready(&self) -> &'static str {
        self.ready.unwrap_or("#sign-in:enabled")
    }

    /// The selector of what says who is signed in.
    #[must_use]
    pub(crate) fn signed_in(&self) -> &'static str {
        self.signed_in.unwrap_or("#who:not(:empty)")
    }

    /// The selector of what shows userinfo.
    #[must_use]
    pub(crate) fn userinfo(&self) -> &'static str {
        self.userinfo.unwrap_or("#userinfo:not(:empty)")
    }
}
