//! The authorization request (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1, RFC 7636 4.3).

use crate::{
    discovery::Metadata,
    form,
    pkce::code_challenge,
    secret::{AuthorizationUrl, State},
    transaction::Transaction,
};

/// The parameters that only this module sets: an endpoint's own query may not hold them, and
/// nobody may add them.
pub(crate) const OWN_PARAMETERS: [&str; 16] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "client_secret",
    "prompt",
    "max_age",
    "sub_type",
    "dpop_jkt",
];

/// How a person wants to sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignIn {
    /// Choose an organization (Polar's `sub_type=organization`).
    pub organization: bool,
    /// What the provider shall ask even if it need not.
    pub prompt: Option<Prompt>,
    /// Further scopes, besides the configured ones.
    pub further_scope: Vec<String>,
    /// The person's sign-in at the provider may be at most so many seconds old.
    pub max_age: Option<u32>,
    /// `login_hint`: whom the provider may suggest.
    pub login_hint: Option<String>,
    /// The path on this site to go to afterwards; the page of the redirect URI if `None`.
    pub return_to: Option<String>,
    /// In which window. Whoever leads the page says so: a window has to be opened in the click itself.
    pub way: Way,
}

/// In which window a person goes to the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// In that of this page: it is left, and the response finds a new page.
    #[default]
    Page,
    /// In one that was opened for this sign-in; this page stays and waits.
    Popup(PopupNumber),
    /// One was wanted, and the browser opened none.
    Blocked,
}

/// The number of a window that was opened for a sign-in. No two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PopupNumber(pub u64);

impl Way {
    /// The window that was opened for it.
    #[must_use]
    pub fn popup(self) -> Option<PopupNumber> {
        match self {
            Self::Popup(number) => Some(number),
            Self::Page | Self::Blocked => None,
        }
    }
}

/// `prompt` (OpenID Connect Core 3.1.2.1). `none` is not offered: the page is left for good, so
/// there is somebody to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Ask for the sign-in again.
    Login,
    /// Ask for the consent again.
    Consent,
    /// Ask which account.
    SelectAccount,
}

impl Prompt {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// The address to send the person to.
pub(crate) fn url(
    metadata: &Metadata,
    transaction: &Transaction,
    state: &State,
    sign_in: &SignIn,
    thumbprint: Option<&str>,
) -> AuthorizationUrl {
    let endpoint = &metadata.authorization_endpoint;
    let mut url = endpoint.as_str().to_owned();
    if endpoint.query().is_none() {
        url.push('?');
    }
    let mut add = |name, value: &str| form::append(&mut url, name, value);
    add("response_type", "code");
    add("client_id", &transaction.client_id);
    add("redirect_uri", transaction.redirect_uri.as_str());
    add("scope", &transaction.scope.join(" "));
    add("state", state.expose());
    add("nonce", transaction.nonce.expose());
    add("code_challenge", &code_challenge(&transaction.code_verifier));
    add("code_challenge_method", "S256");
    if let Some(thumbprint) = thumbprint {
        // RFC 9449 10: the code is of no use without the key either.
        add("dpop_jkt", thumbprint);
    }
    if sign_in.organization {
        add("sub_type", "organization");
    }
    // The choice of an organization is not remembered with the consent: without a new one, a
    // silent answer would carry no choice at all.
    let prompt = sign_in.prompt.or_else(|| sign_in.organization.then_some(Prompt::Consent));
    match prompt {
        Some(Prompt::Login) if sign_in.organization => add("prompt", "login consent"),
        Some(prompt) => add("prompt", prompt.name()),
        None => {}
    }
    if let Some(max_age) = sign_in.max_age {
        add("max_age", &max_age.to_string());
    }
    if let Some(hint) = &sign_in.login_hint {
        add("login_hint", hint);
    }
    AuthorizationUrl::new(url)
}
