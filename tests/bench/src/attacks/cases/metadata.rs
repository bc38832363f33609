//! The metadata.

use polar_signin_e2e::provider::METADATA;
use serde_json::{Value, json};

use crate::attacks::case::{Answers, Case, Group, Reach, Sign, Walk, case};

fn document(id: &'static str, rows: &'static str, words: &'static str, fault: Value) -> Case {
    let mut fault = fault;
    fault["endpoint"] = json!("discovery");
    case(id, rows, words, Walk::SignIn, Sign::SignedIn).with(fault).reaching(Reach::Faulty(METADATA))
}

fn members(id: &'static str, rows: &'static str, words: &'static str, patch: &Value) -> Case {
    document(id, rows, words, json!({ "json_merge": patch }))
}

const ELSEWHERE: &str = "Nothing says that endpoints are on the issuer's host.";
const PLAIN: &str = "The provider of this comparison itself is plain http, on a loopback address.";

pub(super) fn group() -> Group {
    let script = "javascript:void(document.documentElement.dataset.attacked='1')//";
    let cases = vec![
        members("issuer-other", "DS-02", "Another `issuer`", &json!({ "issuer": "https://evil.example" })),
        members("issuer-missing", "DS-02", "No `issuer`", &json!({ "issuer": null })),
        members(
            "issuer-slash",
            "DS-03",
            "The `issuer` without its last slash",
            &json!({ "issuer": "{issuer_without_slash}" }),
        ),
        members(
            "token-http",
            "DS-07",
            "The token endpoint in plain http, on a host that is not loopback",
            &json!({ "token_endpoint": "{plain_host}/v1/oauth2/token" }),
        )
        .note(PLAIN),
        members(
            "authorize-http",
            "DS-07",
            "The authorization endpoint likewise",
            &json!({ "authorization_endpoint": "{plain_host}/oauth2/authorize" }),
        )
        .note(PLAIN),
        members(
            "token-elsewhere",
            "DS-09",
            "The token endpoint on another loopback host",
            &json!({ "token_endpoint": "{other_host}/v1/oauth2/token" }),
        )
        .note(ELSEWHERE),
        members(
            "authorize-elsewhere",
            "DS-09",
            "The authorization endpoint likewise",
            &json!({ "authorization_endpoint": "{other_host}/oauth2/authorize" }),
        )
        .note(ELSEWHERE),
        Case {
            sign: Sign::ScriptRan,
            ..members(
                "authorize-script",
                "DS-07",
                "The authorization endpoint is a `javascript:` address",
                &json!({ "authorization_endpoint": script }),
            )
        }
        .note("Accepted: the script ran in the page."),
        document(
            "metadata-html",
            "DS-18",
            "A good document as `text/html`",
            json!({ "headers": { "content-type": "text/html" } }),
        ),
        document(
            "metadata-duplicate",
            "DS-12",
            "`token_endpoint` twice, the second on another host",
            json!({ "json_tail": ",\"token_endpoint\":\"{other_host}/v1/oauth2/token\"" }),
        )
        .note("RFC 8259 4 says that names should be unique, and leaves open what a parser does otherwise."),
        members(
            "pkce-plain",
            "DS-13",
            "`code_challenge_methods_supported` without `S256`",
            &json!({ "code_challenge_methods_supported": ["plain"] }),
        )
        .note("RFC 8414 and 9700 let a client send `S256` nevertheless."),
    ];
    Group {
        title: "The metadata",
        words: "Accepted: somebody is signed in. auth0-spa-js reads no metadata.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}
