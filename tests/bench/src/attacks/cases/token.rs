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
            "token-type-dpop",
            "TK-05",
            "`token_type` is `DPoP`, which nobody asked for",
            &json!({ "token_type": "DPoP" }),
        ),
        members("access-token-missing", "TK-06", "No `access_token`", &json!({ "access_token": null })),
        members("access-token-number", "TK-06", "`access_token` is a number", &json!({ "access_token": 5 })),
        members(
            "access-token-newline",
            "TK-06",
            "`access_token` with a line break",
            &json!({ "access_token": "a\r\nb: c" }),
        )
        .note("`at_hash` does not fit either."),
        members(
            "id-token-missing",
            "TK-11",
            "No `id_token`, although `openid` was asked for",
            &json!({ "id_token": null }),
        ),
        members("expires-negative", "TK-08", "`expires_in` is −1", &json!({ "expires_in": -1 })),
        members("expires-text", "TK-08", "`expires_in` is `3600abc`", &json!({ "expires_in": "3600abc" })),
        members(
            "error-besides",
            "TK-15",
            "Status 200 with an `error` besides the tokens",
            &json!({ "error": "invalid_grant" }),
        ),
        answer(
            "duplicate-token-type",
            "TK-14",
            "`token_type` twice",
            json!({ "json_tail": ",\"token_type\":\"Bearer\"" }),
        )
        .note(DUPLICATES),
        answer("status-201", "TK-21", "Status 201", json!({ "status": 201 })).note("RFC 6749 5.1 says 200."),
        of_type("type-html", "A good body as `text/html`", "text/html"),
        of_type("type-plain", "A good body as `text/plain`", "text/plain"),
        of_type("type-jsonp", "A good body as `application/jsonp`", "application/jsonp"),
        answer(
            "type-missing",
            "TK-20",
            "A good body without a content type",
            json!({ "remove_headers": ["content-type"] }),
        ),
        answer(
            "body-html",
            "TK-19",
            "A page of HTML with status 200",
            json!({ "body": "<h1>Sign in to the WiFi</h1>", "headers": { "content-type": "text/html" } }),
        ),
        answer("body-tail", "TK-23", "Text after the JSON", json!({ "json_tail": "}x{" })),
        members("body-large", "TK-23", "A good answer with 2 MiB of something else", &json!({ "padding": padding }))
            .note("No specification sets a limit."),
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
