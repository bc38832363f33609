//! Section 6 of the matrix: renewal, one tab.

// long: one table, read beside section 6.

mod support;

use polar_signin_core::{
    error::Code,
    http::{Failure, HttpOutcome},
    session::{Input, StorageFailure, TokenRequest},
    snapshot::{Loadable, RenewalStatus},
    time::UnixTime,
};
use support::{
    fixture::{CLIENT_ID, JWKS_URI, NOW, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, good_tokens, html, json, keys},
    page::{Page, Trip},
    token::{Members, claims, with_claims},
};

/// u1, signed in for an hour, with userinfo on the screen.
fn signed_in_with(tokens: &Members) -> Page {
    let mut page = Trip::new(config()).complete(json(200, tokens.json()), &keys());
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    assert!(page.open_requests().is_empty());
    page
}

fn signed_in() -> Page {
    signed_in_with(&good_tokens())
}

/// What the provider answers to a renewal: the second set, without an ID token, as at Polar.
fn second() -> Members {
    good_tokens().without("id_token").text("access_token", "AT-2").text("refresh_token", "RT-2")
}

/// The alarm goes off, and the refresh token is sent.
#[track_caller]
fn due(page: &mut Page) {
    page.wake();
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT], "{:?}", page.snapshot());
}

fn at(page: &Page) -> i64 {
    page.now.as_seconds() - NOW
}

fn kept(page: &Page, text: &str) -> bool {
    page.storage.values().any(|record| record.contains(text))
}

fn wants(page: &mut Page, request: u64, refused: Option<u64>) {
    page.step(Input::WantToken { request: TokenRequest(request), refused });
}

fn bearer(page: &Page) -> Option<&str> {
    page.sent.last().and_then(|sent| sent.bearer.as_deref())
}

#[test]
fn rt_01_the_request() {
    let mut page = signed_in();
    due(&mut page);
    assert_eq!(at(&page), 3600 - 60, "a minute before the end");
    let sent = page.sent.last().expect("sent");
    let form = format!("grant_type=refresh_token&refresh_token=RT-1&client_id={CLIENT_ID}");
    assert_eq!((sent.form.as_deref(), sent.bearer.as_deref()), (Some(form.as_str()), None));
    assert!(matches!(page.account().map(|account| account.renewal), Some(RenewalStatus::UnderWay)));
}

#[test]
fn rt_02_the_new_set_is_kept_before_anybody_has_it() {
    let mut page = signed_in();
    due(&mut page);
    wants(&mut page, 7, None);
    assert!(page.granted.is_empty(), "not before it is kept");
    page.trace.clear();
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    let place = |what: &str| page.trace.iter().position(|line| line.contains(what));
    assert!(place("Keep(").expect("kept") < place("Grant(").expect("granted"), "{:?}", page.trace);
    assert_eq!(page.trace.iter().filter(|line| line.starts_with("Keep(")).count(), 1, "in one write");
    assert_eq!(page.granted, [(TokenRequest(7), Ok("AT-2".to_owned()))]);
    assert!(kept(&page, "RT-2") && kept(&page, "AT-2"));
    for old in ["RT-1", "AT-1"] {
        assert!(!page.holds(old), "{old}");
    }
    let account = page.account().expect("signed in");
    assert_eq!(account.expires_at, Some(UnixTime::from_seconds(NOW + 3540 + 3600)));
    assert_eq!(page.lock, None, "the lock was given back");
}

#[test]
fn rt_03_no_new_refresh_token() {
    for answer in
        [second().without("refresh_token"), second().text("refresh_token", ""), second().set("refresh_token", "null")]
    {
        let mut page = signed_in();
        due(&mut page);
        page.answer(TOKEN_ENDPOINT, json(200, answer.json()));
        assert!(kept(&page, "RT-1") && kept(&page, "AT-2"), "{}", answer.json());
    }
}

#[test]
fn rt_04_no_id_token() {
    let mut page = signed_in();
    let before = page.account().expect("signed in").claims;
    due(&mut page);
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    let account = page.account().expect("signed in");
    assert_eq!((account.claims, account.renewal), (before, RenewalStatus::Possible));
    assert!(page.open_requests().is_empty(), "no keys are needed, and userinfo is there already");
}

/// A renewal that brings an ID token of these claims.
fn renewed_with(token: &str) -> Page {
    let mut page = signed_in();
    due(&mut page);
    page.answer(TOKEN_ENDPOINT, json(200, second().text("id_token", token).without("scope").json()));
    if page.open_requests().contains(&JWKS_URI) {
        page.answer(JWKS_URI, json(200, keys()));
    }
    // One forced fetch, where no key fits.
    if page.open_requests().contains(&JWKS_URI) {
        page.answer(JWKS_URI, json(200, keys()));
    }
    page
}

fn later() -> Members {
    claims().number("iat", NOW + 3540).number("exp", NOW + 7200).without("at_hash")
}

#[test]
fn rt_05_an_id_token_of_something_else_ends_the_session() {
    let flipped = {
        let good = with_claims(&later());
        let (rest, signature) = good.rsplit_once('.').expect("three parts");
        let first = if signature.starts_with('A') { "B" } else { "A" };
        format!("{rest}.{first}{}", &signature[1..])
    };
    for (what, token, code) in [
        ("another issuer", with_claims(&later().text("iss", "https://evil.example")), Code::IdTokenIssuer),
        ("another subject", with_claims(&later().text("sub", "u2")), Code::IdTokenSubject),
        ("another audience", with_claims(&later().text("aud", "rp-2")), Code::IdTokenAudience),
        ("an authorized party more", with_claims(&later().text("azp", CLIENT_ID)), Code::IdTokenAuthorizedParty),
        ("another authorized party", with_claims(&later().text("azp", "rp-2")), Code::IdTokenAuthorizedParty),
        ("a bad signature", flipped, Code::IdTokenSignature),
        ("another nonce", with_claims(&later().text("nonce", "other")), Code::IdTokenNonce),
        ("an older one", with_claims(&later().number("iat", NOW - 100)), Code::IdTokenIssuedAt),
        ("one that has ended", with_claims(&later().number("exp", NOW + 3400)), Code::IdTokenExpired),
    ] {
        let page = renewed_with(&token);
        assert_eq!((page.subject(), page.code()), (None, Some(code)), "{what}");
        assert!(page.storage.is_empty(), "{what}: {:?}", page.storage.keys());
        for secret in ["AT-1", "RT-1", "AT-2", "RT-2"] {
            assert!(!page.holds(secret), "{what}: {secret}");
        }
        assert!(page.open_requests().is_empty(), "{what}: {:?}", page.open_requests());
    }
}

#[test]
fn rt_06_an_id_token_that_continues_the_session() {
    for (what, token) in
        [("the same nonce", with_claims(&later())), ("no nonce", with_claims(&later().without("nonce")))]
    {
        let page = renewed_with(&token);
        assert_eq!((page.subject().as_deref(), page.code()), (Some("u1"), None), "{what}");
        assert!(kept(&page, "RT-2"), "{what}");
    }
    // One that left it out does not make the next one's unknown.
    let mut page = renewed_with(&with_claims(&later().without("nonce")));
    due(&mut page);
    let third = with_claims(&later().number("iat", NOW + 7000).number("exp", NOW + 11000));
    page.answer(TOKEN_ENDPOINT, json(200, second().text("id_token", &third).without("scope").json()));
    if page.open_requests().contains(&JWKS_URI) {
        page.answer(JWKS_URI, json(200, keys()));
    }
    assert_eq!((page.subject().as_deref(), page.code()), (Some("u1"), None), "the first one's nonce");
    let renewed = with_claims(&later().number("auth_time", NOW + 3000));
    let page = renewed_with(&renewed);
    assert_eq!(page.code(), Some(Code::IdTokenAuthTime), "nobody has signed in anew");
    // The first one need not have said it. What the new one says can be true then: before the first was issued.
    let said_later = with_claims(&later().number("auth_time", NOW - 100));
    let page = renewed_with(&said_later);
    assert_eq!((page.subject().as_deref(), page.code()), (Some("u1"), None), "said for the first time");
    for odd in ["null", r#""yesterday""#] {
        let page = renewed_with(&with_claims(&later().set("auth_time", odd)));
        let expected = (odd != "null").then_some(Code::IdTokenAuthTime);
        assert_eq!(page.code(), expected, "{odd}");
    }
}

#[test]
fn rt_07_many_who_need_a_token_make_one_request() {
    let mut page = signed_in();
    for request in 0..10 {
        wants(&mut page, request, Some(0));
    }
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT]);
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    assert_eq!(page.granted.len(), 10);
    assert!(page.granted.iter().all(|(_, granted)| granted.as_deref() == Ok("AT-2")), "{:?}", page.granted);
    // One that is late with the same refusal gets the new one, without a further request.
    wants(&mut page, 10, Some(0));
    assert_eq!(page.granted.last(), Some(&(TokenRequest(10), Ok("AT-2".to_owned()))));
    assert_eq!(page.count(TOKEN_ENDPOINT), 2, "the code's and one renewal");
}

#[test]
fn rt_09_an_answer_that_was_lost() {
    let mut page = signed_in();
    due(&mut page);
    page.fail(TOKEN_ENDPOINT);
    assert_eq!(page.subject().as_deref(), Some("u1"), "kept");
    page.wake();
    page.answer(TOKEN_ENDPOINT, json(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!((page.subject(), page.code()), (None, Some(Code::SessionExpired)));
    assert!(page.storage.is_empty() && page.open_requests().is_empty() && page.left.is_none());
    page.step(Input::Woke);
    assert!(page.open_requests().is_empty() && page.lock.is_none(), "nothing goes on by itself");
}

#[test]
fn rt_10_what_may_pass_keeps_the_session() {
    let mut outcomes: Vec<(String, HttpOutcome)> = [429, 408, 425, 500, 502, 503, 504, 400, 403]
        .map(|status| (format!("{status} HTML"), html(status)))
        .into_iter()
        .collect();
    outcomes.extend([
        ("network".to_owned(), HttpOutcome::Unknown(Failure::Network)),
        ("timeout".to_owned(), HttpOutcome::Unknown(Failure::Timeout)),
        ("offline".to_owned(), HttpOutcome::NotSent(Failure::Network)),
        ("429 JSON".to_owned(), json(429, r#"{"error":"slow_down"}"#)),
        ("200 HTML".to_owned(), html(200)),
        ("temporarily".to_owned(), json(400, r#"{"error":"temporarily_unavailable"}"#)),
    ]);
    for (what, outcome) in outcomes {
        let mut page = signed_in();
        due(&mut page);
        page.answer(TOKEN_ENDPOINT, outcome.clone());
        let mut waits = Vec::new();
        for _ in 0..6 {
            assert!(page.subject().is_some() && page.code().is_none(), "{what}");
            assert!(kept(&page, "RT-1"), "{what}");
            assert!(matches!(page.account().map(|a| a.renewal), Some(RenewalStatus::Later(..))), "{what}");
            let before = page.now;
            due(&mut page);
            waits.push(page.now.millis_since(before));
            page.answer(TOKEN_ENDPOINT, outcome.clone());
        }
        assert!(waits.is_sorted() && waits[0] >= 30_000 && waits[5] <= 300_000, "{what}: {waits:?}");
        // The access token has ended meanwhile: nobody gets it, but the session is there.
        assert!(at(&page) > 3600);
        wants(&mut page, 1, None);
        assert!(matches!(page.granted.last(), Some((_, Err(_)))), "{what}");
        // Online again: not before its time, then it succeeds.
        page.now = UnixTime::from_millis(page.now.as_millis() + 30_000);
        let records = page.records();
        page.step(Input::Resumed { records, from_memory: false });
        // Another tab has a moment to say that it went on meanwhile.
        assert!(page.open_requests().is_empty());
        page.wake();
        page.answer(TOKEN_ENDPOINT, json(200, second().json()));
        assert_eq!(page.account().map(|a| a.renewal), Some(RenewalStatus::Possible), "{what}");
        wants(&mut page, 2, None);
        assert_eq!(page.granted.last(), Some(&(TokenRequest(2), Ok("AT-2".to_owned()))), "{what}");
    }
}

#[test]
fn rt_11_a_provider_that_will_not_renew() {
    for error in ["invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type", "invalid_request"]
    {
        let mut page = signed_in();
        due(&mut page);
        page.answer(
            TOKEN_ENDPOINT,
            json(if error == "invalid_client" { 401 } else { 400 }, format!(r#"{{"error":"{error}"}}"#)),
        );
        assert!(matches!(page.account().map(|a| a.renewal), Some(RenewalStatus::Stopped(_))), "{error}");
        wants(&mut page, 1, None);
        assert_eq!(page.granted, [(TokenRequest(1), Ok("AT-1".to_owned()))], "{error}: usable until it ends");
        page.wake();
        assert_eq!(at(&page), 3600, "{error}: nothing before the end");
        assert_eq!(page.subject(), None, "{error}");
        assert!(matches!(page.code(), Some(Code::ClientRefused | Code::TokenRefused)), "{error}: {:?}", page.code());
        assert_eq!(page.count(TOKEN_ENDPOINT), 2, "{error}: no loop");
    }
}

#[test]
fn rt_12_short_lifetimes_make_no_storm() {
    for lifetime in [0, 1, 30] {
        let tokens = good_tokens().number("expires_in", lifetime);
        let mut page = Trip::new(config()).complete(json(200, tokens.json()), &keys());
        let mut sent = Vec::new();
        while sent.len() < 6 {
            if page.open_requests().contains(&USERINFO_ENDPOINT) {
                page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
            }
            if page.open_requests().contains(&TOKEN_ENDPOINT) {
                sent.push(page.now);
                page.answer(TOKEN_ENDPOINT, json(200, second().number("expires_in", lifetime).json()));
            } else {
                page.wake();
            }
        }
        let waits: Vec<_> = sent.windows(2).map(|pair| pair[1].millis_since(pair[0])).collect();
        assert!(waits.iter().all(|wait| *wait >= 30_000), "{lifetime}: {waits:?}");
        assert!(page.subject().is_some());
    }
}

#[test]
fn rt_12_a_token_that_ended_on_its_way_ends_no_session() {
    let refused = || json(401, r#"{"error":"invalid_token"}"#);
    let short = |tokens: Members| json(200, tokens.number("expires_in", 1).json());
    let mut page = Trip::new(config()).complete(short(good_tokens()), &keys());
    page.now = UnixTime::from_seconds(NOW + 2);
    page.answer(USERINFO_ENDPOINT, refused());
    page.answer(TOKEN_ENDPOINT, short(second()));
    // The new one is good for a second too, and the provider gets it later.
    page.now = UnixTime::from_seconds(NOW + 4);
    page.answer(USERINFO_ENDPOINT, refused());
    assert!(page.subject().is_some() && page.code().is_none(), "{:?}", page.error());
    while page.open_requests().is_empty() {
        page.wake();
    }
    assert!(page.now >= UnixTime::from_seconds(NOW + 32), "{:?}: no storm either", page.now);
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT]);
}

#[test]
fn rt_13_long_and_unknown_lifetimes() {
    let page = signed_in_with(&good_tokens().number("expires_in", 864_000));
    assert_eq!(page.wake, Some(UnixTime::from_seconds(NOW + 864_000 - 60)), "ten days less a minute");
    let page = signed_in_with(&good_tokens().number("expires_in", 1 << 31));
    assert_eq!(page.wake, Some(UnixTime::from_seconds(NOW + (1 << 31) - 60)));
    let mut page = signed_in_with(&good_tokens().without("expires_in"));
    assert_eq!(page.wake, None, "no timer for what is not known");
    // Woken too early, nothing happens.
    page.step(Input::Woke);
    assert!(page.open_requests().is_empty());
}

#[test]
fn rt_14_clocks_that_jump() {
    // An hour ahead, or eight hours of sleep: one request.
    for hours in [1, 8] {
        let mut page = signed_in();
        page.now = UnixTime::from_seconds(NOW + hours * 3600 + 100);
        let records = page.records();
        page.step(Input::Resumed { records, from_memory: false });
        wants(&mut page, 1, None);
        assert!(page.open_requests().is_empty(), "another tab may have gone on meanwhile");
        page.wake();
        assert_eq!(page.open_requests(), [TOKEN_ENDPOINT], "{hours}");
        page.answer(TOKEN_ENDPOINT, json(200, second().json()));
        assert_eq!(page.granted, [(TokenRequest(1), Ok("AT-2".to_owned()))], "{hours}");
    }
    // Back again: a session that has ended does not come back.
    let mut page = signed_in_with(&good_tokens().without("refresh_token"));
    page.wake();
    assert_eq!((page.subject(), page.code()), (None, Some(Code::SessionExpired)));
    page.now = UnixTime::from_seconds(NOW);
    let records = page.records();
    page.step(Input::Resumed { records, from_memory: false });
    wants(&mut page, 1, None);
    assert_eq!((page.subject(), page.granted.last()), (None, Some(&(TokenRequest(1), Err(Code::SessionExpired)))));
    // Back while the next attempt waits: it does not become far away.
    let mut page = signed_in();
    due(&mut page);
    page.fail(TOKEN_ENDPOINT);
    page.now = UnixTime::from_seconds(NOW - 36_000);
    page.step(Input::Woke);
    wants(&mut page, 1, Some(0));
    assert!(page.wake.is_none_or(|wake| wake.millis_since(page.now) <= 36_000_000 + 3_600_000), "{:?}", page.wake);
}

#[test]
fn rt_15_signed_out_while_a_renewal_is_on_its_way() {
    let mut page = signed_in();
    due(&mut page);
    page.sign_out();
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    assert_eq!((page.subject(), page.code()), (None, None));
    assert!(page.storage.is_empty() && page.lock.is_none());
    for secret in ["AT-2", "RT-2", "AT-1", "RT-1"] {
        assert!(!page.holds(secret), "{secret}");
    }
}

#[test]
fn rt_16_the_new_set_cannot_be_kept() {
    for failure in [StorageFailure::Full, StorageFailure::Blocked] {
        let mut page = signed_in();
        due(&mut page);
        page.refuse_to_keep = Some(failure);
        page.answer(TOKEN_ENDPOINT, json(200, second().json()));
        assert!(page.snapshot().memory_only && page.subject().is_some(), "{failure:?}");
        assert!(page.storage.is_empty(), "{failure:?}: the used one is not left behind");
        wants(&mut page, 1, None);
        assert_eq!(page.granted, [(TokenRequest(1), Ok("AT-2".to_owned()))], "{failure:?}");
    }
}

#[test]
fn rt_17_another_scope() {
    let scope = |scope: &str| {
        let mut page = signed_in();
        due(&mut page);
        page.answer(TOKEN_ENDPOINT, json(200, second().text("scope", scope).json()));
        page.account().expect("signed in").scope_granted.join(" ")
    };
    assert_eq!(scope("openid email"), "openid email", "narrower is believed");
    assert_eq!(scope("openid profile email admin"), "openid profile email", "wider is not");
}

#[test]
fn rt_18_somebody_else_holds_the_lock() {
    let mut page = signed_in();
    page.lock_is_held = true;
    page.wake();
    assert!(page.open_requests().is_empty());
    let asked = page.now;
    page.wake();
    assert!(page.open_requests().is_empty(), "whoever is at it and lives may say so");
    page.wake();
    assert_eq!(page.now.millis_since(asked), 20_000, "whoever holds it hangs");
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT]);
    page.answer(TOKEN_ENDPOINT, json(200, second().json()));
    assert!(kept(&page, "RT-2"));
}

#[test]
fn rt_19_a_token_of_another_kind_speaks_for_whom_userinfo_says() {
    let organization = good_tokens().text("access_token", "polar_at_o_1").without("id_token");
    let first =
        good_tokens().text("access_token", "polar_at_o_1").text("id_token", &with_claims(&claims().without("at_hash")));
    let mut page = signed_in_with(&first);
    due(&mut page);
    page.answer(TOKEN_ENDPOINT, json(200, organization.text("access_token", "polar_at_u_2").json()));
    assert_eq!(page.account().map(|account| account.userinfo), Some(Loadable::Waiting));
    assert_eq!(bearer(&page), Some("polar_at_u_2"));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"the-member"}"#));
    assert_eq!((page.subject(), page.code()), (None, Some(Code::UserinfoSubject)), "never silently somebody else");
    assert!(page.storage.is_empty());
    // Membership removed: the provider renews no more.
    let mut page = signed_in();
    wants(&mut page, 1, Some(0));
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT]);
    page.answer(TOKEN_ENDPOINT, json(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!((page.subject(), page.code()), (None, Some(Code::SessionExpired)));
}
