//! Requests to the API: one renewal, pauses, refusals in words, and lists page by page.

mod support;

use polar_signin_core::{
    api::{Answer, Availability, Call, Endpoint, Listing, Next},
    error::{Code, Error},
    http::{Dpop, Failure, HttpOutcome, HttpResponse},
    secret::AccessToken,
    session::Grant,
    snapshot::{Account, SubjectKind},
    token::pasted_access_token,
    url::{EndpointUrl, Transport},
};
use support::{
    fixture::{answer, config, good_tokens, html, json, keys, now},
    page::Trip,
};

const URL: &str = "https://api.op.example/v1/products/?page=1&limit=100";

fn grant(token: &str, generation: u64) -> Result<Grant, Error> {
    Ok(Grant { access_token: AccessToken::new(token), generation, key: None })
}

/// A request of a session that has just been sent.
fn sent() -> Call {
    let (mut call, next) = Call::new(URL.to_owned());
    assert!(matches!(next, Next::Token(None)));
    let Next::Send(request) = call.granted(grant("AT-1", 3)) else { panic!("nothing was sent") };
    assert_eq!((request.url.as_str(), bearer(&request.bearer)), (URL, "AT-1"));
    assert!(request.body.is_none());
    call
}

fn bearer(bearer: &Option<AccessToken>) -> &str {
    bearer.as_ref().map_or("", |token| token.expose())
}

fn code(next: &Next) -> Option<Code> {
    match next {
        Next::Done(Err(error)) => Some(error.code()),
        _ => None,
    }
}

fn words(next: Next) -> (String, String) {
    let Next::Done(Err(error)) = next else { panic!("{next:?}") };
    let said = error.provider().unwrap_or_else(|| panic!("{error:?}: nothing was said"));
    (said.error().to_owned(), said.description().unwrap_or_default().to_owned())
}

#[test]
fn a_good_answer_is_json() {
    let Next::Done(Ok(answer)) = sent().answered(json(200, r#"{"id":"p1"}"#), now()) else { panic!("no answer") };
    assert_eq!(answer.json().as_object().and_then(|object| object.str("id")), Some("p1"));
    assert!(!format!("{answer:?}").contains("p1"), "a log shows nothing of it");
    for (what, outcome) in [
        ("not JSON", json(200, "{")),
        ("a member twice", json(200, r#"{"a":1,"a":2}"#)),
        ("HTML", html(200)),
        ("no content type", answer_without_type()),
    ] {
        assert_eq!(code(&sent().answered(outcome, now())), Some(Code::ApiMalformed), "{what}");
    }
}

fn answer_without_type() -> HttpOutcome {
    answer(200, None, "{}")
}

#[test]
fn a_401_renews_once_and_the_second_is_the_last_word() {
    let refused = || json(401, r#"{"error":"Unauthorized","detail":"Unauthorized"}"#);
    let mut call = sent();
    let Next::Token(Some(3)) = call.answered(refused(), now()) else { panic!("the token of then is named") };
    let Next::Send(request) = call.granted(grant("AT-2", 4)) else { panic!("not asked again") };
    assert_eq!(bearer(&request.bearer), "AT-2");
    assert_eq!(words(call.answered(refused(), now())), ("Unauthorized".to_owned(), "Unauthorized".to_owned()));

    // There is no other token to be had: that is the outcome.
    let mut call = sent();
    call.answered(refused(), now());
    let ended = Error::new(Code::SessionExpired, polar_signin_core::error::Phase::Session);
    assert_eq!(code(&call.granted(Err(ended))), Some(Code::SessionExpired));

    // A pasted token is what it is.
    let (mut call, next) = Call::with_token(URL.to_owned(), AccessToken::new("polar_pat_x"));
    assert!(matches!(next, Next::Send(request) if bearer(&request.bearer) == "polar_pat_x"));
    assert_eq!(code(&call.answered(refused(), now())), Some(Code::ApiUnauthorized));
}

#[test]
fn a_pause_that_is_asked_for_is_made_a_few_times() {
    let too_many = || json(429, r#"{"error":"RateLimited","detail":"slow down"}"#);
    let mut call = sent();
    let mut pauses = Vec::new();
    let next = loop {
        match call.answered(too_many(), now()) {
            Next::Pause(pause) => pauses.push(pause),
            next => break next,
        }
        // Who waited may need another token by now.
        assert!(matches!(call.rested(), Next::Token(None)));
        assert!(matches!(call.granted(grant("AT-1", 3)), Next::Send(_)));
    };
    assert_eq!(pauses, [2_000, 4_000, 8_000, 16_000], "twice as long each time, where nobody says");
    assert_eq!(code(&next), Some(Code::RateLimited));

    for (retry_after, pause) in [("7", 7_000), ("0", 1_000), ("1000000", 300_000), ("soon", 2_000), ("-1", 2_000)] {
        let response = HttpResponse {
            status: 429,
            content_type: None,
            retry_after: Some(retry_after.to_owned()),
            dpop: Dpop::default(),
            body: Vec::new(),
        };
        let next = sent().answered(HttpOutcome::Answered(response), now());
        assert!(matches!(next, Next::Pause(got) if got == pause), "{retry_after}: {next:?}");
    }
}

#[test]
fn refusals_say_what_the_api_said() {
    let scope =
        "The request requires higher privileges than provided by the access token. Required scopes: products:read.";
    let body = format!(r#"{{"error":"insufficient_scope","detail":"{scope}"}}"#);
    let next = sent().answered(json(403, body), now());
    assert_eq!(code(&next), Some(Code::InsufficientScope));
    assert_eq!(words(next), ("insufficient_scope".to_owned(), scope.to_owned()));

    let next = sent().answered(json(404, r#"{"error":"ResourceNotFound","detail":"Not found"}"#), now());
    assert_eq!(code(&next), Some(Code::ApiNotFound));

    let body = r#"{"error":"RequestValidationError","detail":[
        {"loc":["query","limit"],"msg":"Input should be between 1 and 100","type":"value_error"},
        {"loc":["query",0],"msg":"Field required","type":"missing"}]}"#;
    let next = sent().answered(json(422, body), now());
    assert_eq!(code(&next), Some(Code::ApiInvalid));
    assert_eq!(words(next).1, "query.limit: Input should be between 1 and 100; query.0: Field required");

    for (what, outcome, expected) in [
        ("403 HTML", html(403), Code::InsufficientScope),
        ("404 of another form", json(404, "[]"), Code::ApiNotFound),
        ("500", html(500), Code::ServerError),
        ("418", json(418, "{}"), Code::HttpStatus),
        ("no connection", HttpOutcome::Unknown(Failure::Network), Code::Network),
        ("no end", HttpOutcome::Unknown(Failure::Timeout), Code::Timeout),
    ] {
        assert_eq!(code(&sent().answered(outcome, now())), Some(expected), "{what}");
    }
}

#[test]
fn what_is_said_shows_no_token_and_no_markup() {
    let token = "polar_at_u_0123456789abcdefghijklmnopqrstuvwxyz";
    let body = format!(r#"{{"error":"ResourceNotFound","detail":"no {token} <b>\u202e"}}"#);
    let (_, said) = words(sent().answered(json(404, body), now()));
    assert!(!said.contains("0123456789"), "{said}");
    assert!(!said.contains('\u{202e}'));
}

fn page(numbers: std::ops::Range<u64>, total: u64, pages: u64) -> Answer {
    let items: Vec<String> = numbers.map(|n| format!(r#"{{"id":"o{n}"}}"#)).collect();
    let body =
        format!(r#"{{"items":[{}],"pagination":{{"total_count":{total},"max_page":{pages}}}}}"#, items.join(","));
    Answer::read(json(200, body)).expect("a page")
}

#[test]
fn a_list_comes_page_by_page() {
    let mut list = Listing::new("https://api.op.example/v1/organizations/");
    let mut ids = Vec::new();
    while let Some(url) = list.next() {
        let number = ids.len() as u64 / 100 + 1;
        assert_eq!(url, format!("https://api.op.example/v1/organizations/?page={number}&limit=100"));
        let answer = page(ids.len() as u64..ids.len() as u64 + 100, 1000, 10);
        for item in list.take(&answer).expect("items") {
            ids.push(item.as_object().and_then(|item| item.str("id")).unwrap_or_default().to_owned());
        }
        assert_eq!(list.progress(), (ids.len() as u64, 1000));
    }
    assert_eq!((ids.len(), ids[999].as_str()), (1000, "o999"));

    let filtered = Listing::new("https://api.op.example/v1/products/?organization_id=o1").next();
    assert_eq!(filtered.as_deref(), Some("https://api.op.example/v1/products/?organization_id=o1&page=1&limit=100"));
}

#[test]
fn a_list_that_lies_about_itself_ends() {
    // It becomes shorter while it is fetched.
    let mut list = Listing::new("https://api.op.example/v1/orders/");
    list.take(&page(0..100, 300, 3)).expect("items");
    list.take(&page(100..100, 100, 1)).expect("none");
    assert_eq!((list.next(), list.progress()), (None, (100, 100)));
    // It grows.
    let mut list = Listing::new("https://api.op.example/v1/orders/");
    list.take(&page(0..100, 100, 2)).expect("items");
    list.take(&page(100..150, 100, 2)).expect("items");
    assert_eq!((list.next(), list.progress()), (None, (150, 150)));
    // It says that it never ends.
    let mut list = Listing::new("https://api.op.example/v1/orders/");
    let mut pages = 0;
    while list.next().is_some() {
        list.take(&page(0..1, u64::MAX >> 12, u64::MAX >> 12)).expect("items");
        pages += 1;
    }
    assert_eq!(pages, 1000);
    for body in [
        "[]",
        "{}",
        r#"{"items":{},"pagination":{"total_count":1,"max_page":1}}"#,
        r#"{"items":[]}"#,
        r#"{"items":[],"pagination":{"total_count":-1,"max_page":1}}"#,
    ] {
        let answer = Answer::read(json(200, body)).expect("JSON");
        let error = Listing::new("https://api.op.example/v1/orders/").take(&answer).map(|_| ());
        assert_eq!(error.map_err(|error| error.code()), Err(Code::ApiMalformed), "{body}");
    }
}

#[test]
fn what_a_sign_in_may_not_ask_is_known_before() {
    let page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
    let account = page.account().expect("signed in");
    let find = |path: &str| Endpoint::ALL.into_iter().find(|endpoint| endpoint.path == path).expect("known");
    let with = |scopes: &[&str], kind| Account {
        scope_granted: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        kind,
        ..account.clone()
    };
    let person = with(&["openid", "products:read"], SubjectKind::User);
    assert_eq!(find("products/").availability(&person), Availability::Ready);
    assert_eq!(find("oauth2/userinfo").availability(&person), Availability::Ready);
    assert_eq!(find("orders/").availability(&person), Availability::NeedsScope("orders:read"));
    let organization = with(&["openid", "user:read"], SubjectKind::Organization);
    assert_eq!(find("users/me").availability(&organization), Availability::NotForOrganizations);
    let api = EndpointUrl::parse("https://api.op.example/v1/", Transport::Https).expect("an address");
    assert_eq!(find("users/me").url(&api, None), "https://api.op.example/v1/users/me");
    assert_eq!(find("products/").url(&api, None), URL);
    // About one organization of several, where that means anything.
    let of_one = "https://api.op.example/v1/products/?organization_id=a%26b&page=1&limit=100";
    assert_eq!(find("products/").url(&api, Some("a&b")), of_one);
    assert_eq!(
        find("organizations/").url(&api, Some("a")),
        "https://api.op.example/v1/organizations/?page=1&limit=100"
    );
    assert_eq!(find("users/me").url(&api, Some("a")), "https://api.op.example/v1/users/me");
}

#[test]
fn a_pasted_token_is_one_that_can_be_sent() {
    for (text, token) in [
        ("polar_pat_x", Some("polar_pat_x")),
        (" \tpolar_oat_y\r\n", Some("polar_oat_y")),
        ("", None),
        ("  ", None),
        ("two words", None),
        ("a\r\nX: y", None),
        ("é", None),
    ] {
        assert_eq!(pasted_access_token(text).as_ref().map(|token| token.expose()), token, "{text:?}");
    }
    assert!(pasted_access_token(&"t".repeat(4097)).is_none());
}
