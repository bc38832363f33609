//! Section 6 of the matrix: clocks that are set, and starts without a network.

mod support;

use polar_signin_core::{
    error::Code,
    http::{Failure, HttpOutcome},
    session::{Input, TokenRequest},
    snapshot::RenewalStatus,
    time::UnixTime,
};
use support::{
    fixture::{METADATA_URL, NOW, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, good_tokens, json, keys, metadata},
    page::{Page, Trip},
    token::Members,
};

fn signed_in() -> Page {
    let mut page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    page
}

fn second() -> Members {
    good_tokens().without("id_token").text("access_token", "AT-2").text("refresh_token", "RT-2")
}

fn wants(page: &mut Page, request: u64, refused: Option<u64>) {
    page.step(Input::WantToken { request: TokenRequest(request), refused });
}

fn set_clock(page: &mut Page, seconds: i64) {
    page.now = UnixTime::from_seconds(NOW + seconds);
}

#[test]
fn rt_14_a_clock_that_is_set_back_revives_no_token() {
    let mut page = signed_in();
    set_clock(&mut page, 3601);
    page.step(Input::Woke);
    page.answer(TOKEN_ENDPOINT, HttpOutcome::Unknown(Failure::Network));
    wants(&mut page, 1, None);
    assert!(page.granted.pop().is_some_and(|(_, granted)| granted.is_err()), "it has ended");
    set_clock(&mut page, 1);
    wants(&mut page, 2, None);
    assert!(page.granted.pop().is_some_and(|(_, granted)| granted.is_err()), "and stays so");
    assert!(page.subject().is_some(), "the session is there, and waits");
    // The next attempt is not an hour away.
    let wake = page.wake.expect("an alarm");
    assert!((0..=60_000).contains(&wake.millis_since(page.now)), "{wake:?} at {:?}", page.now);
    page.wake();
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    wants(&mut page, 3, None);
    assert_eq!(page.granted.pop(), Some((TokenRequest(3), Ok("AT-2".to_owned()))));
}

#[test]
fn rt_14_a_clock_that_is_set_back_makes_nobody_wait() {
    // Right after a renewal, an API refuses the new token, and the clock is an hour behind.
    let mut page = signed_in();
    page.wake();
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    set_clock(&mut page, -60);
    page.step(Input::Woke);
    set_clock(&mut page, -29);
    wants(&mut page, 1, Some(1));
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT], "half a minute later, not an hour");
    // A page that waits for others to object goes on after its 300 ms.
    let kept = signed_in().storage;
    let mut page = Page::opened(config(), kept, "https://rp.example/app");
    wants(&mut page, 1, Some(0));
    assert!(!page.open_requests().contains(&TOKEN_ENDPOINT));
    set_clock(&mut page, -3600);
    page.step(Input::Woke);
    page.wake();
    assert_eq!(page.now.as_seconds(), NOW - 3600);
    assert!(page.open_requests().contains(&TOKEN_ENDPOINT), "{:?}", page.open_requests());
    // One that waits for the lock goes on after its 20 seconds.
    let mut page = signed_in();
    page.lock_is_held = true;
    page.wake();
    set_clock(&mut page, -3600);
    page.step(Input::Woke);
    page.wake();
    page.wake();
    assert_eq!((page.now.as_seconds(), page.open_requests()), (NOW - 3600 + 20, vec![TOKEN_ENDPOINT]));
}

#[test]
fn rt_10_a_start_without_a_network_asks_calmly() {
    // The kept endpoints are on another host than the metadata: that has to vouch for them first.
    let elsewhere = metadata().text("token_endpoint", "https://tokens.example/token");
    let trip = Trip { metadata: elsewhere.json(), ..Trip::new(config()) };
    let mut page = trip.back();
    page.answer(METADATA_URL, json(200, elsewhere.json()));
    page.answer(support::fixture::JWKS_URI, json(200, keys()));
    page.answer("https://tokens.example/token", json(200, good_tokens().json()));
    assert!(page.subject().is_some(), "{:?}", page.error());

    let mut page = Page::new(config(), page.storage);
    set_clock(&mut page, 3601);
    page.open("https://rp.example/app");
    let start = page.now;
    let mut steps = 0;
    while page.now.millis_since(start) < 600_000 {
        if page.open_requests().is_empty() {
            page.wake();
        } else {
            page.fail(METADATA_URL);
        }
        steps += 1;
        assert!(steps < 200, "it spins: {:?}", page.trace.last());
    }
    assert!(page.count(METADATA_URL) <= 30, "{} requests in ten minutes", page.count(METADATA_URL));
    assert!(page.subject().is_some() && page.code().is_none(), "the session is kept");
    assert!(matches!(page.account().map(|account| account.renewal), Some(RenewalStatus::Later(..))));
    // Online again.
    let records = page.records();
    page.step(Input::Resumed { records, from_memory: false });
    page.answer(METADATA_URL, json(200, elsewhere.json()));
    page.wake();
    page.answer("https://tokens.example/token", json(200, second().json()));
    wants(&mut page, 1, None);
    assert_eq!(page.granted, [(TokenRequest(1), Ok("AT-2".to_owned()))]);
    assert_ne!(page.code(), Some(Code::SessionExpired));
}

#[test]
fn rt_07_a_refusal_in_mid_renewal_waits_for_it() {
    let mut page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
    page.answer(USERINFO_ENDPOINT, json(401, "{}"));
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT]);
    // Somebody clicks: the old token is refused once more, while the new one is on its way.
    page.step(Input::RetryDetails);
    if page.open_requests().contains(&USERINFO_ENDPOINT) {
        page.answer(USERINFO_ENDPOINT, json(401, "{}"));
    }
    assert!(page.subject().is_some() && page.code().is_none(), "{:?}", page.error());
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    assert_eq!(page.sent.last().and_then(|sent| sent.bearer.as_deref()), Some("AT-2"));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    assert_eq!((page.subject().as_deref(), page.count(TOKEN_ENDPOINT)), (Some("u1"), 2));
}

#[test]
fn lo_09_a_token_that_is_refused_right_after_a_reload_is_renewed() {
    let mut page = Page::opened(config(), signed_in().storage, "https://rp.example/app");
    // Others may still object to this page's claim.
    page.answer(USERINFO_ENDPOINT, json(401, "{}"));
    assert!(!page.open_requests().contains(&TOKEN_ENDPOINT));
    page.wake();
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    assert_eq!(page.subject().as_deref(), Some("u1"));
}

#[test]
fn rt_14_a_machine_that_sleeps_in_mid_question_asks_again() {
    let mut storage = signed_in().storage;
    for text in storage.values_mut() {
        *text = text.replace(r#""refresh_token":"RT-1","#, "").replace(r#""elsewhere":false"#, r#""elsewhere":true"#);
    }
    let mut page = Page::opened(config(), storage, "https://rp.example/app");
    wants(&mut page, 1, Some(0));
    let asked = |page: &Page| page.told.iter().filter(|text| text.contains(r#""type":"ask""#)).count();
    assert_eq!(asked(&page), 1);
    // Eight hours later, by its clock in the next moment.
    set_clock(&mut page, 8 * 3600);
    page.step(Input::Woke);
    assert!(page.subject().is_some(), "nobody could answer");
    assert_eq!(asked(&page), 2);
    page.wake();
    let waited = page.now.millis_since(UnixTime::from_seconds(NOW + 8 * 3600));
    assert!((15_000..=20_000).contains(&waited) && page.subject().is_none(), "{waited} ms: now they could have");
    // Likewise with the lock: whoever holds it slept as well.
    let mut page = signed_in();
    page.lock_is_held = true;
    page.wake();
    set_clock(&mut page, 8 * 3600);
    page.step(Input::Woke);
    assert!(page.open_requests().is_empty(), "{:?}", page.open_requests());
    // It asks twice whether anybody went on: after the sleep, and before it goes on without the lock.
    page.wake();
    page.wake();
    assert!(page.open_requests().is_empty(), "{:?}", page.open_requests());
    page.wake();
    assert_eq!((page.now.as_seconds(), page.open_requests()), (NOW + 8 * 3600 + 20, vec![TOKEN_ENDPOINT]));
}

#[test]
fn rt_18_whoever_needs_a_new_token_before_its_time_waits_twenty_seconds_at_most() {
    // An API has refused it long before its end, and somebody else holds the lock.
    let mut page = signed_in();
    page.lock_is_held = true;
    wants(&mut page, 1, Some(0));
    assert!(page.open_requests().is_empty());
    page.wake();
    page.wake();
    assert_eq!((page.now.as_seconds(), page.open_requests()), (NOW + 20, vec![TOKEN_ENDPOINT]));
    // Another tab keeps the refresh token, and says nothing.
    let mut storage = signed_in().storage;
    for text in storage.values_mut() {
        *text = text.replace(r#""refresh_token":"RT-1","#, "").replace(r#""elsewhere":false"#, r#""elsewhere":true"#);
    }
    let mut page = Page::opened(config(), storage, "https://rp.example/app");
    wants(&mut page, 1, Some(0));
    assert!(page.granted.is_empty() && page.subject().is_some());
    page.wake();
    let waited = page.now.millis_since(UnixTime::from_seconds(NOW));
    assert!((15_000..=20_000).contains(&waited), "{waited} ms");
    assert_eq!(page.granted, [(TokenRequest(1), Err(Code::SessionExpired))]);
    assert!(page.storage.is_empty() && page.code() == Some(Code::SessionExpired));
}
