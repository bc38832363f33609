//! The answer of the token endpoint.

use polar_signin_e2e::provider::TOKEN;
use serde_json::{Value, json};

use crate::attacks::case::{Answers, Case, Group, Reach, Sign, Walk, case};

fn answer(id: &'static str, rows: &'static str, words: &'static str, fault: Value) -> Case {
    let mut fault = fault;
    fault["endpoint"] = json!("token");
    fault["grant"] = json!("authorization_code");
    case(id, rows, words, Walk::SignIn, Sign::SignedIn).with(fault).reaching(Reach::Faulty(TOKEN))
}

/// The good answer, but for these members.
fn members(id: &'static str, rows: &'static str, words: &'static str, patch: &Value) -> Case {
    answer(id, rows, words, json!({ "json_merge": patch }))
}

fn of_type(id: &'static str, words: &'static str, content_type: &str) -> Case {
    answer(id, "TK-20", words, json!({ "headers": { "content-type": content_type } }))
        .note("RFC 6749 5.1 says `application/json`; what a client does with another type is left open.")
}

const DUPLICATES: &str = "RFC 8259 4 says that names should be unique, and leaves open what a parser does otherwise.";

pub(super) fn group() -> Group {
    let elsewhere = "{other_host}/v1/oauth2/token";
    let padding = "x".repeat(2 << 20);
    let cases = vec![
        members("token-type-missing", "TK-05", "No `token_type`", &json!({ "token_type": null })),
        members("token-type-mac", "TK-05", "`token_type` is `mac`", &json!({ "token_type": "mac" })),
        members(
            "id-token-missing",
            "TK-11",
            "No `id_token`, although `openid` was asked for",
            &json!({ "id_token": null }),
        ),
        members("expires-negative", "TK-08", "`expires_in` is −1", &json!({ "expires_in": -1 })),
        members(
            "error-besides",
            "TK-15",
            "Status 200 with an `error` besides the tokens",
            &json!({ "error": "invalid_grant" }),
        ),
        answer("token-type-twice", "TK-14", "`token_type` twice", json!({ "json_tail": ",\"token_type\":\"Bearer\"" }))
            .note(DUPLICATES),
        of_type("type-html", "A good body as `text/html`", "text/html"),
        answer(
            "redirect",
            "TK-22",
            "A redirect (307) to another host, which gets the code",
            json!({ "redirect": elsewhere, "status": 307 }),
        ),
    ];
    Group {
        title: "The answer of the token endpoint",
        words: "Accepted: somebody is signed in.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}
