//! Section 5 of the matrix: userinfo.

mod support;

use polar_signin_core::{
    error::{Code, Error},
    http::HttpOutcome,
    secret::AccessToken,
    session::Input,
    snapshot::Loadable,
    url::{EndpointUrl, Transport},
    userinfo::{self, Userinfo},
};
use support::{
    case::SIGNED_IN,
    fixture::{JWKS_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, answer, config, good_tokens, html, json, keys, tokens},
    page::{Page, Storage, Trip},
    token::{self, Members, claims, with_claims},
};

/// A page on which u1 has just signed in: userinfo has been asked for.
fn signed_in() -> Page {
    let page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
    assert_eq!(page.open_requests(), [USERINFO_ENDPOINT], "{:?}", page.error());
    page
}

/// What this answer is, straight through the core.
fn process(outcome: HttpOutcome) -> Result<Userinfo, Error> {
    let endpoint = EndpointUrl::parse(USERINFO_ENDPOINT, Transport::Https).expect("an address");
    let (_, waiting) = userinfo::request(&endpoint, &AccessToken::new("AT-1"), None);
    waiting.process(outcome, "u1")
}

fn code(outcome: HttpOutcome) -> Option<Code> {
    process(outcome).err().map(|error| error.code())
}

/// An answer that is discarded, the session going on without it.
#[track_caller]
fn discarded(what: &str, outcome: HttpOutcome, expected: Code) {
    assert_eq!(code(outcome.clone()), Some(expected), "{what}");
    let mut page = signed_in();
    page.answer(USERINFO_ENDPOINT, outcome);
    let account = page.account().unwrap_or_else(|| panic!("{what}: {:?}", page.error()));
    assert_eq!(account.subject, "u1", "{what}");
    match account.userinfo {
        Loadable::Failed(error) => assert_eq!(error.code(), expected, "{what}"),
        other => panic!("{what}: {other:?}"),
    }
    assert_eq!((page.open_requests().len(), page.count(USERINFO_ENDPOINT)), (0, 1), "{what}: sent once");
}

/// An answer that ends the session.
#[track_caller]
fn ended(what: &str, outcome: HttpOutcome, expected: Code) {
    assert_eq!(code(outcome.clone()), Some(expected), "{what}");
    let mut page = signed_in();
    page.answer(USERINFO_ENDPOINT, outcome);
    assert_eq!((page.subject(), page.code()), (None, Some(expected)), "{what}");
    assert!(page.storage.is_empty(), "{what}: {:?}", page.storage.keys());
    assert!(page.open_requests().is_empty(), "{what}: {:?}", page.open_requests());
    for secret in ["AT-1", "RT-1", "Mallory"] {
        assert!(!page.holds(secret), "{what}: {secret}");
    }
}

#[test]
fn ui_01_userinfo_of_somebody_else() {
    for sub in ["u1invalid", "U1", "u1 ", " u1", "u1\u{200b}", "u", "u1\0", "\u{ff55}1"] {
        let body = Members::new().text("sub", sub).text("name", "Mallory").json();
        ended(&format!("{sub:?}"), json(200, body), Code::UserinfoSubject);
    }
    // The decomposed form of the subject is another subject.
    let token = with_claims(&claims().text("sub", "\u{e9}"));
    let mut page = Trip::new(config()).complete(json(200, tokens(&token).json()), &keys());
    assert_eq!(page.subject().as_deref(), Some("\u{e9}"));
    page.answer(USERINFO_ENDPOINT, json(200, Members::new().text("sub", "e\u{301}").json()));
    assert_eq!((page.subject(), page.code()), (None, Some(Code::UserinfoSubject)));
}

#[test]
fn ui_02_userinfo_of_nobody() {
    for body in [
        "{}",
        r#"{"name":"Mallory"}"#,
        r#"{"sub":null}"#,
        r#"{"sub":""}"#,
        r#"{"sub":1}"#,
        r#"{"sub":["u1"]}"#,
        "[]",
        "null",
        "",
        r#""u1""#,
    ] {
        discarded(body, json(200, body), Code::UserinfoMalformed);
    }
    discarded("204", answer(204, None, ""), Code::HttpStatus);
    discarded("204 with a good body", json(204, r#"{"sub":"u1"}"#), Code::HttpStatus);
}

#[test]
fn ui_03_the_userinfo_request() {
    let page = signed_in();
    let sent = page.sent.last().expect("a request");
    assert_eq!(sent.url, USERINFO_ENDPOINT, "no token in the query");
    assert_eq!(sent.bearer.as_deref(), Some("AT-1"), "in the header alone");
    assert_eq!(sent.form, None, "a GET");
    // It goes where the sign-in began, whatever the storage says of other hosts.
    let trip = Trip::new(config());
    let mut storage = trip.leave().storage;
    for record in storage.values_mut() {
        assert!(record.contains(USERINFO_ENDPOINT));
        *record = record.replace(USERINFO_ENDPOINT, "https://evil.example/userinfo");
    }
    let url = format!("https://rp.example/callback?code=C-1&state={}", trip.state());
    let mut page = Page::opened(config(), storage, &url);
    page.answer(support::fixture::METADATA_URL, json(200, support::fixture::metadata().json()));
    assert_eq!(page.code(), Some(Code::TransactionCorrupt));
    assert!(page.sent.iter().all(|sent| sent.bearer.is_none()));
}

#[test]
fn ui_04_userinfo_by_content_type() {
    let good = r#"{"sub":"u1","name":"One"}"#;
    let unsigned = format!("{}.", token::signing_input(br#"{"alg":"none"}"#, good.as_bytes()));
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(code(answer(200, Some(content_type), good)), None, "{content_type}");
    }
    for (what, outcome) in [
        ("a signed token that nobody asked for", answer(200, Some("application/jwt"), token::good())),
        ("an unsigned token", answer(200, Some("application/jwt"), unsigned.clone())),
        ("an unsigned token that says it is JSON", json(200, unsigned)),
        ("good JSON that says it is a token", answer(200, Some("application/jwt"), good)),
        ("HTML", html(200)),
        ("good JSON that says it is HTML", answer(200, Some("text/html"), good)),
        ("good JSON of a type of its own", answer(200, Some("application/userinfo+json"), good)),
        ("good JSON without a type", answer(200, None, good)),
    ] {
        discarded(what, outcome, Code::UserinfoMalformed);
    }
}

#[test]
fn ui_05_userinfo_refused() {
    // A 401 says that the access token has ended. It is renewed once; where the new one is refused
    // too, the session has ended: signed out, no loop.
    for (what, outcome) in [
        ("401 invalid_token", json(401, r#"{"error":"invalid_token"}"#)),
        ("401 in Polar's words", json(401, r#"{"error":"Unauthorized","detail":"x"}"#)),
        ("401 HTML", html(401)),
        ("401 empty", answer(401, None, "")),
    ] {
        assert_eq!(code(outcome.clone()), Some(Code::UserinfoUnauthorized), "{what}");
        let mut page = signed_in();
        page.answer(USERINFO_ENDPOINT, outcome.clone());
        assert_eq!(page.open_requests(), [TOKEN_ENDPOINT], "{what}");
        let renewed = good_tokens().text("access_token", "AT-2").text("refresh_token", "RT-2").without("id_token");
        page.answer(TOKEN_ENDPOINT, json(200, renewed.json()));
        assert_eq!(page.sent.last().and_then(|sent| sent.bearer.as_deref()), Some("AT-2"), "{what}");
        page.answer(USERINFO_ENDPOINT, outcome);
        assert_eq!((page.subject(), page.code()), (None, Some(Code::UserinfoUnauthorized)), "{what}");
        assert!(page.storage.is_empty() && page.open_requests().is_empty(), "{what}: {:?}", page.open_requests());
    }
    discarded("403", json(403, r#"{"error":"insufficient_scope"}"#), Code::InsufficientScope);
    discarded("403 HTML", html(403), Code::InsufficientScope);
    discarded("429", json(429, "{}"), Code::RateLimited);
    discarded("500", html(500), Code::ServerError);
    discarded("302", answer(302, None, ""), Code::HttpStatus);
}

#[test]
fn ui_06_userinfo_never_overrides_and_points_nowhere() {
    let mut page = signed_in();
    let before = page.account().expect("signed in");
    let stored = page.storage.clone();
    let hostile = Members::new()
        .text("sub", "u1")
        .text("iss", "https://evil.example")
        .text("aud", "rp-2")
        .number("exp", 1)
        .text("nonce", "x")
        .text("azp", "rp-2")
        .text("at_hash", "x")
        .text("picture", "javascript:alert(1)")
        .set("_claim_names", r#"{"address":"src1"}"#)
        .set("_claim_sources", r#"{"src1":{"endpoint":"https://evil.example/claims","access_token":"x"}}"#);
    page.answer(USERINFO_ENDPOINT, json(200, hostile.json()));
    let after = page.account().expect("signed in");
    assert_eq!((&after.claims, &after.profile), (&before.claims, &before.profile));
    assert_eq!((after.expires_at, &after.subject), (before.expires_at, &before.subject));
    assert_eq!(page.storage, stored, "nothing of it is kept");
    assert!(page.sent.iter().all(|sent| !sent.url.contains("evil")), "nothing that it points to is fetched");
    assert!(page.open_requests().is_empty());
    assert!(matches!(after.userinfo, Loadable::Ready(userinfo) if userinfo.profile.picture.is_none()));
}

#[test]
fn ui_07_userinfo_that_comes_too_late() {
    let late = || json(200, r#"{"sub":"u1","name":"Late"}"#);
    // After signing out.
    let mut page = signed_in();
    page.sign_out();
    page.answer(USERINFO_ENDPOINT, late());
    assert_eq!((page.subject(), page.code()), (None, None));
    assert!(page.storage.is_empty() && !page.holds("Late"));

    // After somebody else has signed in.
    let mut page = Trip { storage: SIGNED_IN.clone(), ..Trip::new(config()) }.back();
    assert_eq!(page.open_requests()[0], USERINFO_ENDPOINT, "of u0");
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u0","name":"Late"}"#));
    let account = page.account().expect("signed in");
    assert_eq!((account.subject.as_str(), account.userinfo), ("u1", Loadable::Waiting));
    assert!(!page.holds("Late"));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1","name":"One"}"#));
    assert_eq!(page.account().expect("signed in").display_name(), "One");

    // After the session has ended: the provider renews it no more.
    let mut page = signed_in();
    page.wake();
    page.answer(TOKEN_ENDPOINT, json(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!(page.code(), Some(Code::SessionExpired));
    page.answer(USERINFO_ENDPOINT, late());
    assert!(page.account().is_none() && !page.holds("Late"));

    // After it was asked for anew.
    let mut page = signed_in();
    page.step(Input::RetryDetails);
    assert_eq!(page.open_requests().len(), 2);
    page.answer(USERINFO_ENDPOINT, late());
    assert_eq!(page.account().expect("signed in").userinfo, Loadable::Waiting);
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1","name":"Now"}"#));
    assert_eq!(page.account().expect("signed in").display_name(), "Now");
}

#[test]
fn ui_08_userinfo_is_never_anothers() {
    // It is held in memory alone: what is kept of a session does not contain it.
    let mut page = signed_in();
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1","name":"One"}"#));
    assert!(page.storage.values().all(|record| !record.contains("One")));
    // The next page of the tab shows nobody's before it has asked.
    let next = Page::opened(config(), page.storage.clone(), "https://rp.example/app");
    assert_eq!(next.account().expect("signed in").userinfo, Loadable::Waiting);
    assert_eq!(next.open_requests(), [USERINFO_ENDPOINT]);

    // A record that was edited to another subject meets the truth at the first answer.
    let mut edited: Storage = page.storage.clone();
    for record in edited.values_mut() {
        let changed = record.replace(r#"\"sub\":\"u1\""#, r#"\"sub\":\"u9\""#);
        assert_ne!(*record, changed, "the record was edited");
        *record = changed;
    }
    let mut next = Page::opened(config(), edited, "https://rp.example/app");
    if next.account().is_some() {
        next.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1","name":"One"}"#));
        assert_eq!(next.code(), Some(Code::UserinfoSubject));
    }
    assert_eq!(next.account(), None);
    assert!(next.storage.is_empty() && !next.holds("One"));
}

#[test]
fn ui_09_polars_userinfo_and_its_bounds() {
    let shown = |body: &str| {
        let mut page = signed_in();
        page.answer(USERINFO_ENDPOINT, json(200, body));
        page.account().unwrap_or_else(|| panic!("{body}: {:?}", page.error())).display_name().to_owned()
    };
    // A name if there is one, else the email, else the subject.
    assert_eq!(shown(r#"{"sub":"u1","email":"a@b.example","email_verified":true}"#), "a@b.example");
    assert_eq!(shown(r#"{"sub":"u1","email":"a@b.example","name":"One"}"#), "One");
    assert_eq!(shown(r#"{"sub":"u1","email":"","name":""}"#), "u1");
    assert_eq!(shown(r#"{"sub":"u1"}"#), "u1");

    discarded("sub twice", json(200, r#"{"sub":"u1","sub":"u1"}"#), Code::UserinfoMalformed);
    discarded("sub twice, once escaped", json(200, r#"{"sub":"u1","s\u0075b":"u2"}"#), Code::UserinfoMalformed);
    let padded = |length: usize| {
        let body = Members::new().text("sub", "u1").text("x", "");
        let pad = length - body.json().len();
        body.text("x", &"x".repeat(pad)).json()
    };
    assert_eq!(padded(256 * 1024).len(), 256 * 1024);
    assert_eq!(code(json(200, padded(256 * 1024))), None, "256 KiB");
    discarded("256 KiB and a byte", json(200, padded(256 * 1024 + 1)), Code::TooLarge);
    let nested = |depth: usize| format!(r#"{{"sub":"u1","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(code(json(200, nested(100))), None, "100 deep");
    discarded("128 deep", json(200, nested(127)), Code::UserinfoMalformed);
    // An email is verified by the JSON true alone.
    for (json_text, verified) in [("true", true), ("\"true\"", false), ("1", false), ("null", false)] {
        let body = format!(r#"{{"sub":"u1","email":"a@b.example","email_verified":{json_text}}}"#);
        let userinfo = process(json(200, body)).expect("accepted");
        assert_eq!(userinfo.profile.email_verified, verified, "{json_text}");
    }
}
