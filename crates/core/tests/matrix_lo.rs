//! Section 7 of the matrix: signing out.

mod support;

use polar_signin_core::{
    config::{Config, Options},
    error::Code,
    http::{Failure, HttpOutcome},
    session::{Input, TokenRequest},
    snapshot::{SignedOut, Step},
};
use support::{
    fixture::{
        REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, answer, config, good_tokens, html, json, keys, metadata,
        options,
    },
    page::{Page, Storage, Trip},
    token::Members,
};

const REVOCATION: &str = "https://op.example/revoke";
const END_SESSION: &str = "https://op.example/end?ui=1";

/// A provider at which a public client may revoke.
fn revoking() -> Members {
    metadata()
        .text("revocation_endpoint", REVOCATION)
        .set("revocation_endpoint_auth_methods_supported", r#"["client_secret_basic","none"]"#)
}

fn signed_in_at(metadata: &Members, config: Config) -> Page {
    let trip = Trip { metadata: metadata.json(), ..Trip::new(config) };
    let mut page = trip.complete(json(200, good_tokens().json()), &keys());
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    assert!(page.open_requests().is_empty());
    page
}

#[track_caller]
fn nothing_is_left(page: &Page) {
    assert!(page.storage.is_empty(), "{:?}", page.storage.keys());
    assert_eq!((page.subject(), page.code()), (None, None));
    for secret in ["AT-1", "RT-1"] {
        assert!(!page.holds(secret), "{secret}");
    }
    assert!(page.channel.is_none() && page.lock.is_none() && page.will.is_none());
}

#[test]
fn lo_01_a_provider_without_an_end_of_its_own() {
    // Polar's way: revocation is for clients with a secret, and there is no end_session_endpoint.
    let polars = metadata()
        .text("revocation_endpoint", REVOCATION)
        .set("revocation_endpoint_auth_methods_supported", r#"["client_secret_basic","client_secret_post"]"#);
    let unsaid = metadata().text("revocation_endpoint", REVOCATION).without("token_endpoint_auth_methods_supported");
    for metadata in [polars, unsaid, metadata()] {
        let mut page = signed_in_at(&metadata, config());
        // A sign-in that was begun before goes as well.
        page.sign_in(Default::default());
        page.sign_out();
        nothing_is_left(&page);
        assert_eq!(page.snapshot().signed_out, Some(SignedOut::Here));
        assert_eq!(page.count(REVOCATION), 0, "a public client may not");
        // No timer revives anything.
        page.now = page.wake.unwrap_or(page.now);
        page.step(Input::Woke);
        nothing_is_left(&page);
        assert_eq!(page.count(TOKEN_ENDPOINT), 1);
    }
}

#[test]
fn lo_01_a_provider_that_welcomes_public_clients_is_asked_to_revoke() {
    let forgetful = metadata()
        .set("token_endpoint_auth_methods_supported", r#"["client_secret_basic","none"]"#)
        .text("revocation_endpoint", REVOCATION);
    let mut page = signed_in_at(&forgetful, config());
    page.sign_out();
    nothing_is_left(&page);
    assert_eq!(page.count(REVOCATION), 1);
    page.answer(REVOCATION, json(401, r#"{"error":"invalid_client"}"#));
    assert_eq!(page.snapshot().signed_out, Some(SignedOut::Here), "it did not");
}

#[test]
fn lo_02_revocation_fails_and_the_sign_out_does_not() {
    for (what, outcome, code) in [
        ("401", json(401, r#"{"error":"invalid_client"}"#), Code::HttpStatus),
        ("500", html(500), Code::ServerError),
        ("network", HttpOutcome::Unknown(Failure::Network), Code::Network),
    ] {
        let mut page = signed_in_at(&revoking(), config());
        page.sign_out();
        nothing_is_left(&page);
        page.answer(REVOCATION, outcome.clone());
        page.answer(REVOCATION, outcome);
        assert!(
            matches!(page.snapshot().signed_out, Some(SignedOut::NotRevoked(error)) if error.code() == code),
            "{what}"
        );
        nothing_is_left(&page);
    }
    // No answer: two seconds, and not longer.
    let mut page = signed_in_at(&revoking(), config());
    page.sign_out();
    let before = page.now;
    page.wake();
    assert_eq!(page.now.millis_since(before), 2_000);
    assert!(matches!(page.snapshot().signed_out, Some(SignedOut::NotRevoked(error)) if error.code() == Code::Timeout));
}

#[test]
fn lo_03_the_revocation_requests() {
    for outcome in [answer(200, None, ""), json(200, "{}")] {
        let mut page = signed_in_at(&revoking(), config());
        page.sign_out();
        let form = |page: &Page| page.sent.last().and_then(|sent| sent.form.clone()).expect("a form");
        assert_eq!(form(&page), "token=RT-1&token_type_hint=refresh_token&client_id=rp-1", "the refresh token first");
        page.answer(REVOCATION, outcome.clone());
        assert_eq!(form(&page), "token=AT-1&token_type_hint=access_token&client_id=rp-1");
        page.answer(REVOCATION, outcome);
        assert_eq!(page.snapshot().signed_out, Some(SignedOut::Revoked));
    }
    for odd in [json(400, r#"{"error":"unsupported_token_type"}"#), html(503)] {
        let mut page = signed_in_at(&revoking(), config());
        page.sign_out();
        page.answer(REVOCATION, odd);
        page.answer(REVOCATION, answer(200, None, ""));
        assert!(matches!(page.snapshot().signed_out, Some(SignedOut::NotRevoked(_))));
        nothing_is_left(&page);
    }
}

/// The parameters of the address that the page was left for.
fn parameters(page: &Page) -> Vec<(String, String)> {
    let url = url::Url::parse(page.left.as_deref().expect("left")).expect("an address");
    url.query_pairs().into_owned().collect()
}

fn state(page: &Page) -> String {
    parameters(page).into_iter().find(|(name, _)| name == "state").expect("a state").1
}

#[test]
fn lo_04_the_providers_own_sign_out() {
    let mut page = signed_in_at(&metadata().text("end_session_endpoint", END_SESSION), config());
    page.trace.clear();
    page.sign_out();
    let place = |what: &str| page.trace.iter().position(|line| line.starts_with(what));
    assert!(place("Forget(").expect("forgotten") < place("Leave(").expect("left"), "{:?}", page.trace);
    assert!(page.left.as_deref().is_some_and(|url| url.starts_with("https://op.example/end?ui=1&")));
    let names: Vec<String> = parameters(&page).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ui", "client_id", "post_logout_redirect_uri", "state", "id_token_hint"]);
    assert!(parameters(&page).contains(&("post_logout_redirect_uri".to_owned(), REDIRECT_URI.to_owned())));
    assert!(page.storage.values().all(|text| !text.contains(&state(&page))), "the state itself is not kept");
    // The address is too long with the hint.
    let long = format!("{END_SESSION}&{}", "x".repeat(1700));
    let mut page = signed_in_at(&metadata().text("end_session_endpoint", &long), config());
    page.sign_out();
    assert!(parameters(&page).iter().all(|(name, _)| name != "id_token_hint"));
    // Revocation comes first, and is not waited for longer than two seconds.
    let both = revoking().text("end_session_endpoint", END_SESSION);
    let mut page = signed_in_at(&both, config());
    page.sign_out();
    assert_eq!((page.left.as_deref(), page.snapshot().working), (None, Some(Step::SigningOut)));
    page.wake();
    assert!(page.left.is_some());
    // Not wanted.
    let local = Options { rp_initiated_logout: Some(false), ..options() };
    let local = Config::new(&local, REDIRECT_URI).expect("good");
    let mut page = signed_in_at(&metadata().text("end_session_endpoint", END_SESSION), local);
    page.sign_out();
    assert_eq!(page.left, None);
}

#[test]
fn lo_05_back_from_the_providers_sign_out() {
    let away = || {
        let trip =
            Trip { metadata: metadata().text("end_session_endpoint", END_SESSION).json(), ..Trip::new(config()) };
        let mut page = trip.complete(json(200, good_tokens().json()), &keys());
        page.sign_out();
        (state(&page), page.storage)
    };
    let back = |storage: Storage, query: &str| {
        let page = Page::opened(config(), storage, &format!("{REDIRECT_URI}{query}"));
        assert_eq!((page.subject(), page.code()), (None, None), "{query}");
        assert!(page.sent.is_empty(), "{query}");
        page
    };
    let (state, storage) = away();
    let page = back(storage, &format!("?state={state}"));
    assert_eq!(page.snapshot().signed_out, Some(SignedOut::Everywhere));
    assert!(page.storage.is_empty());
    assert_eq!(page.scrubbed.as_deref(), Some(REDIRECT_URI));
    for query in ["?state=other", ""] {
        let (_, storage) = away();
        assert_eq!(back(storage, query).snapshot().signed_out, Some(SignedOut::Here), "{query}");
    }
    // The state of a sign-in that is under way: it stays under way.
    let (_, mut storage) = away();
    let trip = Trip { seed: 77, ..Trip::new(config()) };
    storage.extend(trip.leave().storage);
    let page = back(storage, &format!("?state={}", trip.state()));
    let page = Page::opened(config(), page.storage, &format!("{REDIRECT_URI}?code=C-1&state={}", trip.state()));
    assert!(page.open_requests().contains(&TOKEN_ENDPOINT), "the sign-in goes on");
}

#[test]
fn lo_09_the_provider_ends_the_session() {
    let mut page = signed_in_at(&metadata(), config());
    page.step(Input::WantToken { request: TokenRequest(1), refused: Some(0) });
    page.answer(TOKEN_ENDPOINT, json(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!((page.subject(), page.code()), (None, Some(Code::SessionExpired)));
    assert_eq!(page.granted, [(TokenRequest(1), Err(Code::SessionExpired))]);
    assert!(page.left.is_none() && page.open_requests().is_empty(), "nobody is sent anywhere");
    page.step(Input::WantToken { request: TokenRequest(2), refused: None });
    assert_eq!(page.count(TOKEN_ENDPOINT), 2, "no loop");
}
