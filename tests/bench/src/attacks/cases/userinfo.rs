//! What userinfo says.

use polar_signin_e2e::provider::USERINFO;
use serde_json::{Value, json};

use crate::attacks::case::{Answers, Case, Group, Reach, Sign, Walk, case};

fn answer(id: &'static str, rows: &'static str, words: &'static str, fault: Value) -> Case {
    let mut fault = fault;
    fault["endpoint"] = json!("userinfo");
    case(id, rows, words, Walk::Userinfo, Sign::Named).with(fault).reaching(Reach::Faulty(USERINFO))
}

pub(super) fn group() -> Group {
    // {"alg":"none"} . {"sub":"x","name":"Mallory"} .
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4IiwibmFtZSI6Ik1hbGxvcnkifQ.";
    let cases = vec![
        answer("userinfo-other", "UI-01", "`sub` of another person", json!({ "json_merge": { "sub": "mallory" } })),
        answer("userinfo-space", "UI-01", "The `sub`, and a space", json!({ "json_suffix": { "sub": " " } })),
        answer("userinfo-nobody", "UI-02", "No `sub`", json!({ "json_merge": { "sub": null } })),
        answer(
            "userinfo-html",
            "UI-04",
            "A good body as `text/html`",
            json!({ "headers": { "content-type": "text/html" } }),
        ),
        answer(
            "userinfo-jwt",
            "UI-04",
            "A JWT without a signature",
            json!({ "body": unsigned, "headers": { "content-type": "application/jwt" } }),
        ),
    ];
    Group {
        title: "Userinfo",
        words: "Accepted: the page shows the name that userinfo says. oidc-client-ts with its option `loadUserInfo: true`; \
                auth0-spa-js has no function for it.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}
