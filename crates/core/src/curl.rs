//! The steps of a sign-in as commands for a terminal, to learn from and to debug with.
//!
//! What is secret or not known beforehand stands there as a variable of the shell: `$CODE`,
//! `$CODE_VERIFIER`, `$ACCESS_TOKEN`, `$REFRESH_TOKEN`. No value of a session is in any command.

use crate::{config::Config, form, snapshot::Account};

/// A step of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Discovery 4: what the provider says of itself.
    Metadata,
    /// RFC 7636 4.1 and 4.2: `code_verifier` and `code_challenge`.
    Pkce,
    /// RFC 6749 4.1.1: the address to open in a browser; its answer has the code.
    Authorize,
    /// RFC 6749 4.1.3: the code for tokens.
    Exchange,
    /// Core 5.3: who that is.
    Userinfo,
    /// Polar: which organizations the token reaches.
    Organizations,
    /// RFC 6749 6: a new access token.
    Renew,
}

/// Every step that this provider has, in order, each with its command.
#[must_use]
pub fn steps(config: &Config, account: &Account) -> Vec<(Step, String)> {
    let endpoints = &account.endpoints;
    let mut steps = vec![
        (Step::Metadata, ["curl ", &quoted(config.provider().metadata_url().as_str())].concat()),
        (Step::Pkce, PKCE.to_owned()),
        (Step::Authorize, authorize(config, account)),
        (
            Step::Exchange,
            post(
                endpoints.token.as_str(),
                &["grant_type=authorization_code"],
                &["code=$CODE", "code_verifier=$CODE_VERIFIER"],
                &[("redirect_uri", config.redirect_uri().as_str()), ("client_id", config.client_id())],
            ),
        ),
    ];
    steps.extend(endpoints.userinfo.as_ref().map(|url| (Step::Userinfo, get(url.as_str(), config.dpop()))));
    steps.extend(
        config.provider().organizations_endpoint().map(|url| (Step::Organizations, get(url.as_str(), config.dpop()))),
    );
    let client = [("client_id", config.client_id())];
    let renew = ["refresh_token=$REFRESH_TOKEN"];
    steps.push((Step::Renew, post(endpoints.token.as_str(), &["grant_type=refresh_token"], &renew, &client)));
    steps
}

const PKCE: &str = "CODE_VERIFIER=$(openssl rand -base64 48 | tr '+/' '-_' | tr -d '=\\n')
CODE_CHALLENGE=$(printf %s \"$CODE_VERIFIER\" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '=')
STATE=$(openssl rand -hex 32) NONCE=$(openssl rand -hex 32)";

fn authorize(config: &Config, account: &Account) -> String {
    let scope = account.scope_requested.join(" ");
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", config.client_id()),
        ("redirect_uri", config.redirect_uri().as_str()),
        ("scope", &scope),
        ("code_challenge_method", "S256"),
    ];
    if account.chosen.is_some() {
        pairs.extend([("sub_type", "organization"), ("prompt", "consent")]);
    }
    let known = quoted(&form::encode_pairs(&pairs));
    // The metadata names the endpoint.
    ["echo \"$AUTHORIZATION_ENDPOINT?\"", &known, "\"&state=$STATE&nonce=$NONCE&code_challenge=$CODE_CHALLENGE\""]
        .concat()
}

fn post(url: &str, plain: &[&str], variables: &[&str], values: &[(&str, &str)]) -> String {
    let mut command = ["curl ", &quoted(url)].concat();
    for pair in plain {
        command += &[" \\\n  -d ", pair].concat();
    }
    for pair in variables {
        command += &[" \\\n  --data-urlencode \"", pair, "\""].concat();
    }
    for (name, value) in values {
        command += &[" \\\n  --data-urlencode ", &quoted(&[name, "=", value].concat())].concat();
    }
    command
}

/// A GET with the access token, and with a proof (RFC 9449) if that is bound to a key.
#[must_use]
pub fn get(url: &str, bound: bool) -> String {
    let plain = "curl -H \"Authorization: Bearer $ACCESS_TOKEN\" ";
    let proven = "curl -H \"Authorization: DPoP $ACCESS_TOKEN\" -H \"DPoP: $PROOF\" ";
    [if bound { proven } else { plain }, &quoted(url)].concat()
}

/// A text that a shell hands on as it is.
fn quoted(text: &str) -> String {
    ["'", &text.replace('\'', "'\\''"), "'"].concat()
}
