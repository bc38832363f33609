//! What is sent more often than once, and what is left where somebody may find it.

use polar_signin_e2e::provider::TOKEN;
use serde_json::json;

use crate::attacks::case::{Answers, Case, Group, Place, Reach, Sign, Thing, Walk, case};

pub(super) fn sent() -> Group {
    let answered = |id, words, fault: serde_json::Value| {
        let mut fault = fault;
        fault["endpoint"] = json!("token");
        case(id, "TK-19", words, Walk::SignIn, Sign::CodeSentAgain).with(fault).reaching(Reach::Faulty(TOKEN))
    };
    let html = json!({ "content-type": "text/html" });
    let cases = vec![
        case(
            "sent-reload",
            "CB-09",
            "The address of the callback once more, after the sign-in",
            Walk::Again,
            Sign::CodeSentAgain,
        ),
        answered(
            "sent-html",
            "A page of HTML with status 200 as the answer",
            json!({ "body": "<h1>WiFi</h1>", "headers": html }),
        ),
        answered(
            "sent-503",
            "Status 503 as the answer",
            json!({ "status": 503, "body": "<h1>Later</h1>", "headers": html }),
        ),
    ];
    Group {
        title: "A code that is sent again",
        words: "Yes: the same code was sent to the token endpoint more than once.",
        answers: Answers::NoOrYes,
        cases,
    }
}

fn after_sign_in(id: &'static str, rows: &'static str, words: &'static str, thing: Thing, place: Place) -> Case {
    case(id, rows, words, Walk::SignIn, Sign::Left(thing, place)).reaching(Reach::Exchanged)
}

fn after_refusal(id: &'static str, rows: &'static str, words: &'static str, thing: Thing, place: Place) -> Case {
    let refused = json!({ "error": "invalid_grant" }).to_string();
    case(id, rows, words, Walk::SignIn, Sign::Left(thing, place))
        .with(json!({ "endpoint": "token", "status": 400, "body": refused }))
        .reaching(Reach::Faulty(TOKEN))
}

const BY_THE_PAGE: &str = "oidc-client-ts and auth0-spa-js leave the address to the page; the pages here clean it after a \
                           sign-in, as their documentation shows, and not after an error.";

pub(super) fn left() -> Group {
    let unknown = json!({ "endpoint": "callback", "query": "code={code}&state=unknown" });
    let after_unknown = case(
        "left-code-unknown",
        "CB-39",
        "After an unknown `state`: the code in the address",
        Walk::SignIn,
        Sign::Left(Thing::Code, Place::Address),
    );
    let cases = vec![
        after_sign_in("left-token-local", "ST-02", "A token in local storage", Thing::Token, Place::Local),
        after_sign_in("left-token-session", "ST-02", "A token in session storage", Thing::Token, Place::Session),
        after_sign_in("left-refresh", "ST-02", "A refresh token in either", Thing::RefreshToken, Place::Storage),
        after_sign_in("left-attempt", "ST-02", "The `state` or the PKCE verifier in either", Thing::Attempt, Place::Storage),
        after_sign_in("left-cookie", "ST-02", "A cookie that scripts can read", Thing::Anything, Place::Cookie),
        after_sign_in("left-code", "CB-39", "The code in the address", Thing::Code, Place::Address).note(BY_THE_PAGE),
        after_sign_in("left-history", "CB-39", "The code in the tab's history", Thing::Code, Place::History).note(BY_THE_PAGE),
        after_refusal("left-code-refused", "CB-39", "After a refused code (`invalid_grant`): the code in the address", Thing::Code, Place::Address).note(BY_THE_PAGE),
        after_refusal("left-attempt-refused", "ST-02", "After a refused code: the `state` or the PKCE verifier in storage", Thing::Attempt, Place::Storage),
        after_unknown.with(unknown).reaching(Reach::Authorized).note(
            "The package of this project leaves an address alone whose `state` it does not know: it may be another client's of the same page. Its app has the page to itself.",
        ),
        case("left-under-way", "ST-02", "While the person is at the provider: the `state` or the PKCE verifier in local storage", Walk::LeftLying, Sign::Left(Thing::Attempt, Place::Local))
            .reaching(Reach::Authorized),
    ];
    Group {
        title: "What is left",
        words: "After a sign-in, unless it says otherwise.",
        answers: Answers::NoOrYes,
        cases,
    }
}
