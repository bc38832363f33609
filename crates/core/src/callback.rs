//! The authorization response (RFC 6749 4.1.2, OpenID Connect Core 3.1.2.5): what a page's
//! address says, and the same address without it.
//!
//! Only the query counts. A fragment survives a provider's redirect, so anybody can put one
//! there: it never contributes a parameter.

use crate::{
    error::ProviderError,
    form,
    secret::{AuthorizationCode, State},
    url::{EndpointUrl, without_query},
};

/// The names that a response may use. They are taken out of the address, whatever they hold.
const RESERVED: [&str; 14] = [
    "code",
    "state",
    "iss",
    "session_state",
    "error",
    "error_description",
    "error_uri",
    "response",
    "id_token",
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "scope",
];

/// The names that make an address a response, on the redirect path.
const TELLING: [&str; 6] = ["code", "state", "error", "response", "id_token", "access_token"];

/// The longest single parameter and the longest query, in bytes.
const MAX_PARAMETER: usize = 4096;
const MAX_QUERY: usize = 32 * 1024;

/// What a page's address is.
#[derive(Debug)]
pub enum Callback {
    /// Not a response, or not at the redirect URI: nothing is touched.
    None,
    /// A response that belongs to no sign-in that could be named: removed from the address,
    /// nothing else is touched.
    Foreign,
    /// A response with a `state` that breaks a rule.
    Malformed(State),
    /// A response in good form.
    Response(Response),
}

/// An authorization response in good form: exactly one of code and error.
#[derive(Debug)]
pub struct Response {
    /// `state`: to find the sign-in that it belongs to.
    pub state: State,
    /// `iss` (RFC 9207).
    pub iss: Option<String>,
    /// The code, or what the provider said in its place.
    pub result: Result<AuthorizationCode, ProviderError>,
}

/// Reads the address of a page.
#[must_use]
pub fn parse(page_url: &str, redirect_uri: &EndpointUrl) -> Callback {
    if !is_at(page_url, redirect_uri) {
        return Callback::None;
    }
    let (query, fragment) = split(page_url);
    let tells = |part: &str| form::parts(part).any(|(_, name)| TELLING.contains(&name.as_str()));
    if !query.is_some_and(tells) {
        return if fragment.is_some_and(|fragment| tells(parameters_of_fragment(fragment))) {
            Callback::Foreign
        } else {
            Callback::None
        };
    }
    match query {
        Some(query) if query.len() <= MAX_QUERY => parse_query(query),
        _ => Callback::Foreign,
    }
}

fn parse_query(query: &str) -> Callback {
    let mut found: [Option<String>; RESERVED.len()] = Default::default();
    let mut twice = [false; RESERVED.len()];
    for (name, value) in form::pairs(query) {
        let Some(index) = RESERVED.iter().position(|reserved| *reserved == name) else { continue };
        if value.len() > MAX_PARAMETER {
            return Callback::Foreign;
        }
        twice[index] |= found[index].replace(value).is_some();
    }
    // An empty parameter counts as absent (OAuth 2.1, 3.1).
    let mut take = |name: &str| {
        let index = RESERVED.iter().position(|reserved| *reserved == name)?;
        found[index].take().filter(|value| !value.is_empty())
    };
    let [code, state, iss, error, description] = ["code", "state", "iss", "error", "error_description"].map(&mut take);
    let of_another_kind = ["response", "id_token", "access_token"].map(take).iter().any(Option::is_some);
    // Index 1 is `state`: a response that names two sign-ins belongs to neither.
    let Some(state) = state.filter(|_| !twice[1] && !of_another_kind).map(State::new) else {
        return Callback::Foreign;
    };
    if twice.contains(&true) {
        return Callback::Malformed(state);
    }
    let result = match (code, error) {
        (Some(code), None) if is_vschar(&code) => Ok(AuthorizationCode::new(code)),
        (None, Some(error)) => Err(ProviderError::new(&error, description.as_deref())),
        _ => return Callback::Malformed(state),
    };
    Callback::Response(Response { state, iss, result })
}

/// The query of a page's address, as it stands there.
pub(crate) fn query(page_url: &str) -> Option<&str> {
    split(page_url).0
}

/// The address without the parameters of a response: the others keep their bytes and their
/// order, the fragment goes.
#[must_use]
pub fn scrub(page_url: &str) -> String {
    let mut out = without_query(page_url).to_owned();
    let (query, _) = split(page_url);
    let mut separator = '?';
    for (part, name) in form::parts(query.unwrap_or_default()) {
        if !RESERVED.contains(&name.as_str()) {
            out.push(separator);
            out.push_str(part);
            separator = '&';
        }
    }
    out
}

/// Whether a path on this site would be taken for a response: nobody may be sent back to one.
#[must_use]
pub fn looks_like_response(path: &str) -> bool {
    let (query, _) = split(path);
    query.is_some_and(|query| form::parts(query).any(|(_, name)| TELLING.contains(&name.as_str())))
}

/// RFC 6749 appendix A: %x20-7E.
fn is_vschar(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x20..=0x7e))
}

/// Whether the page is the one that the redirect URI names, whatever the query.
pub(crate) fn is_at(page_url: &str, redirect_uri: &EndpointUrl) -> bool {
    let path = |url: &EndpointUrl| url.path_and_query().split('?').next().unwrap_or_default().to_owned();
    let page = EndpointUrl::parse(without_query(page_url), crate::url::Transport::HttpsOrLoopback);
    page.is_some_and(|page| page.origin() == redirect_uri.origin() && path(&page) == path(redirect_uri))
}

fn split(url: &str) -> (Option<&str>, Option<&str>) {
    let (before, fragment) = match url.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (url, None),
    };
    (before.split_once('?').map(|(_, query)| query), fragment)
}

/// `#a=b`, `#/path?a=b`: the part that looks like parameters.
fn parameters_of_fragment(fragment: &str) -> &str {
    fragment.split_once('?').map_or(fragment, |(_, query)| query)
}
