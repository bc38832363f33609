//! Section 10 of the matrix, what of it can be decided without a network: NW-08, NW-09, NW-11, and
//! the core's part in NW-01 and NW-04.

mod support;

use polar_signin_core::{
    authorization::SignIn,
    config::{Config, Options},
    error::Code,
    http::{Failure, HttpOutcome, HttpResponse},
    session::Input,
    snapshot::Step,
    time::UnixTime,
};
use support::{
    case::left_over,
    fixture::{
        JWKS_URI, METADATA_URL, REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, answer, config, good_tokens, html,
        json, keys, metadata, now, options, response,
    },
    page::{Page, Storage, Trip},
    token::{claims, with_claims},
};

/// 2026-11-23T00:00:07Z, seven seconds after the fixtures' now.
const IN_SEVEN_SECONDS: &str = "Mon, 23 Nov 2026 00:00:07 GMT";

fn retry_after(status: u16, value: Option<&str>) -> HttpOutcome {
    let retry_after = value.map(str::to_owned);
    HttpOutcome::Answered(HttpResponse { retry_after, ..response(status, Some("application/json"), "{}") })
}

/// What a server says in `Retry-After`, and how many milliseconds are waited for it.
const WAITS: [(Option<&str>, Option<i64>); 20] = [
    (Some("7"), Some(7_000)),
    (Some(" 7 "), Some(7_000)),
    (Some("0"), Some(1_000)),
    (Some("1"), Some(1_000)),
    (Some("300"), Some(300_000)),
    (Some("301"), Some(300_000)),
    (Some("1000000000"), Some(300_000)),
    (Some("99999999999999999999999"), Some(300_000)),
    (Some(IN_SEVEN_SECONDS), Some(7_000)),
    (Some("Sun, 22 Nov 2026 23:59:59 GMT"), Some(1_000)),
    (Some("Fri, 31 Dec 9999 23:59:59 GMT"), Some(300_000)),
    // Not in the form of RFC 9110: our own pace.
    (Some("-1"), None),
    (Some("1e9"), None),
    (Some("7.5"), None),
    (Some("abc"), None),
    (Some(""), None),
    (Some("Monday, 23-Nov-26 00:00:07 GMT"), None),
    (Some("Mon Nov 23 00:00:07 2026"), None),
    (Some("Mon, 23 Nov 2026 00:00:07 CET"), None),
    // Not readable across origins, as at Polar.
    (None, None),
];

#[test]
fn nw_08_too_many_requests() {
    for (value, expected) in WAITS {
        assert_eq!(retry_after(429, value).wait(now()), expected, "{value:?}");
    }
    assert_eq!(HttpOutcome::Unknown(Failure::Timeout).wait(now()), None);
    for status in [429, 503] {
        for (value, expected) in WAITS {
            metadata_waits(status, value, expected);
            keys_wait(status, value, expected);
            code_never_again(status, value);
        }
    }
}

/// Two retries, each after the wait; then the fault is told.
fn metadata_waits(status: u16, value: Option<&str>, expected: Option<i64>) {
    let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
    page.sign_in(SignIn::default());
    for round in 0..2 {
        let asked = page.now;
        page.answer(METADATA_URL, retry_after(status, value));
        assert_eq!(page.count(METADATA_URL), round + 1, "not before its time");
        assert_eq!(page.snapshot().working, Some(Step::Leaving));
        let wait = page.wake.expect("an alarm").millis_since(asked);
        // The date stays where it is while the clock goes on.
        let stays = value == Some(IN_SEVEN_SECONDS) && round == 1;
        let expected = expected.map(|wait| if stays { 1_000 } else { wait });
        assert_eq!(wait, expected.unwrap_or(400 << round), "{status} {value:?}, round {round}");
        // Woken too early it waits on.
        page.now = UnixTime::from_millis(asked.as_millis() + wait - 1);
        page.step(Input::Woke);
        assert_eq!(page.count(METADATA_URL), round + 1);
        page.wake();
        assert_eq!(page.count(METADATA_URL), round + 2);
    }
    page.answer(METADATA_URL, retry_after(status, value));
    let code = if status == 429 { Code::RateLimited } else { Code::ServerError };
    assert_eq!((page.code(), page.wake, page.open_requests().len()), (Some(code), None, 0));
    assert_eq!(page.left, None);
}

fn keys_wait(status: u16, value: Option<&str>, expected: Option<i64>) {
    let mut page = Trip::new(config()).back();
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    page.answer(JWKS_URI, retry_after(status, value));
    let wait = page.wake.expect("an alarm").millis_since(now());
    assert_eq!(wait, expected.unwrap_or(400), "{status} {value:?}");
    page.wake();
    page.answer(JWKS_URI, json(200, keys()));
    // Not even five minutes make the ID token too old, nor is the code sent again.
    assert_eq!(page.subject().as_deref(), Some("u1"), "{:?}", page.error());
    assert_eq!((page.count(TOKEN_ENDPOINT), page.count(JWKS_URI)), (1, 2));
}

fn code_never_again(status: u16, value: Option<&str>) {
    let mut page = Trip::new(config()).back();
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, retry_after(status, value));
    let code = if status == 429 { Code::RateLimited } else { Code::ServerError };
    assert_eq!((page.code(), page.wake), (Some(code), None));
    assert_eq!(page.count(TOKEN_ENDPOINT), 1);
    assert_eq!(left_over(&page, &Storage::new(), ""), None);
}

#[test]
fn nw_09_server_errors() {
    let errors = |status: u16| [html(status), json(status, "{}"), answer(status, None, "")];
    let good = || json(200, metadata().json());
    for (status, code, again) in [
        (500, Code::ServerError, true),
        (502, Code::ServerError, true),
        (504, Code::ServerError, true),
        (204, Code::HttpStatus, false),
        (205, Code::HttpStatus, false),
        (304, Code::HttpStatus, false),
        (404, Code::HttpStatus, false),
    ] {
        for outcome in errors(status) {
            // Metadata: tried again where it helps, and then good.
            let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
            page.sign_in(SignIn::default());
            page.answer(METADATA_URL, outcome.clone());
            if again {
                page.wake();
                page.answer(METADATA_URL, good());
                assert!(page.left.is_some(), "{status}");
            } else {
                assert_eq!((page.code(), page.wake), (Some(code), None), "{status}: an empty answer is no {{}}");
            }
            // The code: never again.
            let page = Trip::new(config()).complete(outcome.clone(), &keys());
            assert_eq!((page.code(), page.count(TOKEN_ENDPOINT), page.wake), (Some(code), 1, None), "{status}");
            assert_eq!(left_over(&page, &Storage::new(), ""), None, "{status}");
            // Userinfo: told, and the session goes on.
            let mut page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
            page.answer(USERINFO_ENDPOINT, outcome);
            assert_eq!(page.subject().as_deref(), Some("u1"), "{status}");
            assert_eq!(page.count(USERINFO_ENDPOINT), 1, "{status}");
        }
    }
    // HTML is nowhere shown or kept.
    let page = Trip::new(config()).complete(html(500), &keys());
    assert!(!page.holds("hotel"));
}

#[test]
fn nw_01_and_04_a_network_that_fails() {
    for (failure, code) in
        [(Failure::Network, Code::Network), (Failure::Timeout, Code::Timeout), (Failure::TooLarge, Code::TooLarge)]
    {
        for outcome in [HttpOutcome::NotSent(failure), HttpOutcome::Unknown(failure)] {
            // The code is not sent again even where it certainly was not sent: the person decides.
            let page = Trip::new(config()).complete(outcome.clone(), &keys());
            assert_eq!((page.code(), page.count(TOKEN_ENDPOINT), page.wake), (Some(code), 1, None));
            assert_eq!(left_over(&page, &Storage::new(), ""), None);
            // Metadata and keys are, but for an answer that is too large.
            let tries = if failure == Failure::TooLarge { 1 } else { 3 };
            let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
            page.sign_in(SignIn::default());
            page.answer(METADATA_URL, outcome.clone());
            while page.wake.is_some() {
                page.wake();
                page.answer(METADATA_URL, outcome.clone());
            }
            assert_eq!((page.code(), page.count(METADATA_URL)), (Some(code), tries));
            let mut page = Trip::new(config()).back();
            page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
            page.answer(JWKS_URI, outcome.clone());
            while page.wake.is_some() {
                page.wake();
                page.answer(JWKS_URI, outcome.clone());
            }
            assert_eq!((page.code(), page.count(JWKS_URI), page.count(TOKEN_ENDPOINT)), (Some(code), tries, 1));
        }
    }
}

#[test]
fn nw_11_aborted_in_mid_flight() {
    // Signed out while the code is being exchanged: what comes then finds nobody.
    let mut page = Trip::new(config()).back();
    page.sign_out();
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    page.answer(JWKS_URI, json(200, keys()));
    assert_eq!((page.subject(), page.code(), page.wake), (None, None, None));
    assert!(page.storage.is_empty() && !page.holds("AT-1"));

    // The tab is closed, and restored with what it held: the code is not sent a second time (CB-10).
    let trip = Trip::new(config());
    let page = trip.back();
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let restored = Page::opened(config(), page.storage.clone(), &url);
    assert_eq!((restored.code(), restored.sent.len()), (Some(Code::CallbackInterrupted), 0));
    assert!(restored.storage.is_empty());

    // Left for the provider, the page comes back out of the browser's memory: it can be used again.
    let mut page = Trip::new(config()).leave();
    let records = page.records();
    page.step(Input::Resumed { records, from_memory: false });
    assert_eq!(page.snapshot().working, None);
    page.sign_in(SignIn::default());
    assert_eq!(page.snapshot().working, Some(Step::Leaving));

    // Cancelled while the metadata is on its way: its answer leads nowhere.
    let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
    page.sign_in(SignIn::default());
    page.step(Input::Cancel);
    page.answer(METADATA_URL, json(200, metadata().json()));
    assert_eq!((page.left.as_ref(), page.snapshot().working), (None, None));
    assert!(page.storage.is_empty());
}

#[test]
fn nw_11_a_second_sign_in_is_begun_meanwhile() {
    // Two sign-ins are under way in one tab; the second returns while the first one's code is out.
    let first = Trip::new(config());
    let left = first.leave();
    let second = Trip { seed: 11, storage: left.storage, ..Trip::new(config()) };
    let both = second.leave().storage;
    let url = |trip: &Trip| format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let mut page = Page::opened(config(), both, &url(&first));
    page.open(&url(&second));
    assert_eq!(page.count(TOKEN_ENDPOINT), 2);
    // The first one's answer comes late: nobody waits for it any more.
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().text("access_token", "AT-9").json()));
    page.answer(JWKS_URI, json(200, keys()));
    assert_eq!((page.subject(), page.code()), (None, None));
    let token = with_claims(&claims().text("nonce", &second.nonce()).text("sub", "u2"));
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, support::fixture::tokens(&token).json()));
    assert_eq!(page.subject().as_deref(), Some("u2"), "{:?}", page.error());
    assert!(!page.holds("AT-9"));
    let keys: Vec<_> = page.storage.keys().collect();
    assert!(matches!(keys[..], [key] if key.ends_with(":session")), "{keys:?}");
}

#[test]
fn nw_11_the_configuration_changed_meanwhile() {
    let trip = Trip::new(config());
    let page = trip.back();
    let other = Options { client_id: Some("rp-2".to_owned()), ..options() };
    let other = Config::new(&other, REDIRECT_URI).expect("a good configuration");
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let reopened = Page::opened(other, page.storage, &url);
    assert_eq!((reopened.code(), reopened.sent.len()), (Some(Code::ProviderChanged), 0));
}
