//! What comes back in the page's address. The provider does not check PKCE here, so that only the client does.

use serde_json::{Value, json};

use crate::attacks::case::{Answers, Case, Group, Reach, Sign, Walk, case};

fn response(id: &'static str, rows: &'static str, words: &'static str, query: &str) -> Case {
    case(id, rows, words, Walk::SignIn, Sign::CodeSent)
        .at(unchecked())
        .with(json!({ "endpoint": "callback", "query": query }))
        .reaching(Reach::Authorized)
}

fn unchecked() -> Value {
    json!({ "checks_pkce": false })
}

/// The provider says that it sends `iss`, and does.
fn with_iss() -> Value {
    json!({ "checks_pkce": false, "iss_parameter": true })
}

fn in_fragment(id: &'static str, rows: &'static str, words: &'static str, query: &str, fragment: &str) -> Case {
    let mut case = response(id, rows, words, query);
    for fault in &mut case.faults {
        fault["fragment"] = json!(fragment);
    }
    case
}

fn link(id: &'static str, rows: &'static str, words: &'static str, under_way: bool) -> Case {
    case(id, rows, words, Walk::Link { under_way }, Sign::CodeSent).at(unchecked())
}

const RFC_9207: &str = "RFC 9207 is about clients that support it; one that does not ignores the parameter.";

pub(super) fn group() -> Group {
    let good = "code={code}&state={state}";
    let cases = vec![
        response("state-missing", "CB-06", "No `state`", "code={code}"),
        response("state-unknown", "CB-07", "A `state` that the client never sent", "code={code}&state=unknown"),
        response("state-longer", "CB-07", "The `state`, and one character more", "code={code}&state={state}x"),
        response("state-empty", "CB-07", "An empty `state`", "code={code}&state="),
        response("state-proto", "CB-07", "`__proto__` as `state`", "code={code}&state=__proto__"),
        response("state-twice", "CB-21", "The same `state` twice", &format!("{good}&state={{state}}")),
        response("state-two", "CB-21", "The `state`, and another one after it", &format!("{good}&state=unknown")),
        response("code-twice", "CB-21", "The `code`, and another one after it", &format!("{good}&code=polar_ac_evil")),
        response(
            "code-encoded-twice",
            "CB-22",
            "The same, with an encoded name",
            &format!("{good}&%63ode=polar_ac_evil"),
        ),
        response("code-and-error", "CB-18", "A `code` and an `error`", &format!("{good}&error=access_denied")),
        response("code-nul", "CB-28", "A `code` of one NUL character", "code=%00&state={state}"),
        response(
            "iss-other",
            "CB-04",
            "Another `iss`, at a provider that does not announce the parameter",
            &format!("{good}&iss=https%3A%2F%2Fevil.example"),
        )
        .note(RFC_9207),
        response(
            "iss-other-announced",
            "CB-04",
            "Another `iss`, at a provider that announces the parameter",
            &format!("{good}&iss=https%3A%2F%2Fevil.example"),
        )
        .at(with_iss())
        .note(RFC_9207),
        response("iss-missing", "CB-03", "No `iss`, at a provider that announces the parameter", good)
            .at(with_iss())
            .note(RFC_9207),
        response("iss-twice", "CB-21", "The right `iss` twice", &format!("{good}&iss={{iss}}&iss={{iss}}"))
            .at(with_iss()),
        in_fragment("fragment", "CB-24", "The response in the fragment, where it was asked for in the query", "", good),
        in_fragment(
            "fragment-implicit",
            "CB-26",
            "Tokens in the fragment, which nobody asked for",
            "",
            "access_token=polar_at_evil&token_type=Bearer&id_token=a.b.c&state={state}",
        ),
        {
            let evil = in_fragment(
                "fragment-besides",
                "CB-25",
                "A good response, and a fragment with another code",
                good,
                "x?code=polar_ac_evil&state={state}",
            );
            Case { sign: Sign::ThisCodeSent("polar_ac_evil"), ..evil }
                .note("Accepted: the code of the fragment was sent.")
        },
        link("link", "CB-08", "A link with an attacker's code and state, opened without a sign-in under way", false),
        link("link-under-way", "CB-08", "The same link, with a sign-in under way in the tab", true),
    ];
    Group {
        title: "The response in the address",
        words: "Accepted: a code was sent to the token endpoint, or somebody is signed in. The provider takes any PKCE \
                verifier here, so that nobody but the client refuses.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}
