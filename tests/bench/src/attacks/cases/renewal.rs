//! New tokens for a refresh token.

use serde_json::{Value, json};

use crate::attacks::case::{Answers, Case, Group, Place, Reach, Sign, Thing, Walk, case};

/// What marks the answer to a renewal, so that one sees whether it was kept.
pub(crate) const MARK: &str = "polar_rt_u_marked";

fn renewal(id: &'static str, rows: &'static str, words: &'static str, sign: Sign) -> Case {
    case(id, rows, words, Walk::Renewal, sign).reaching(Reach::Renewed)
}

fn with_id_token(id: &'static str, rows: &'static str, words: &'static str, fault: Value) -> Case {
    let mut fault = fault;
    fault["endpoint"] = json!("id_token");
    fault["grant"] = json!("refresh_token");
    renewal(id, rows, words, Sign::Renewed).with(fault)
}

fn answered(id: &'static str, rows: &'static str, words: &'static str, patch: &Value) -> Case {
    let mut patch = patch.clone();
    patch["refresh_token"] = json!(MARK);
    renewal(id, rows, words, Sign::Renewed)
        .with(json!({ "endpoint": "token", "grant": "refresh_token", "json_merge": patch }))
}

const HOW: &str = "The access token lasts 10 s at first, so that each client renews it by itself; auth0-spa-js is asked for \
                   a token every 5 s, with its options `useRefreshTokens` and `cacheLocation: \"localstorage\"`.";

pub(super) fn attacks() -> Group {
    let cases = vec![
        with_id_token(
            "renewed-other",
            "RT-05",
            "An ID token of another person",
            json!({ "claims": { "sub": "mallory" } }),
        ),
        with_id_token(
            "renewed-issuer",
            "RT-05",
            "An ID token of another issuer",
            json!({ "claims": { "iss": "https://evil.example" } }),
        ),
        with_id_token(
            "renewed-audience",
            "RT-05",
            "An ID token for another client",
            json!({ "claims": { "aud": ["polar_ci_other"] } }),
        ),
        with_id_token(
            "renewed-unsigned",
            "RT-05",
            "An ID token with `alg` `none`, the signature empty",
            json!({ "header_set": { "alg": "none" }, "signature": "empty" }),
        ),
        answered("renewed-type", "TK-05", "`token_type` is `mac`", &json!({ "token_type": "mac" })),
    ];
    Group {
        title: "The renewal",
        words: "Accepted: what the renewal brought is kept in place of what was there, and the client reports nothing. The \
                access token lasts 10 s at first, so that each client renews it by itself; auth0-spa-js is asked for a token \
                every 5 s, with its option `cacheLocation: \"localstorage\"`.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}

pub(super) fn statements() -> Group {
    let lost = json!({
        "endpoint": "token", "grant": "refresh_token", "processed": true, "status": 502, "body": "<h1>Bad gateway</h1>",
        "headers": { "content-type": "text/html" }, "times": 1,
    });
    let cases = vec![
        renewal(
            "lost-answer",
            "RT-09",
            "After an answer that was lost behind a gateway (502), tokens are still kept 5 s later",
            Sign::Left(Thing::Token, Place::Storage),
        )
        .with(lost.clone())
        .note("The refresh token is used up then; the access token is good for what is left of its 10 s."),
        renewal(
            "lost-answer-again",
            "RT-09",
            "After such an answer, the refresh token is sent again within 5 s",
            Sign::RefreshSentAgain,
        )
        .with(lost),
    ];
    Group { title: "The renewal, further", words: HOW, answers: Answers::NoOrYes, cases }
}
