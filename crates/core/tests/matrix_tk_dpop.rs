//! TK-27, RFC 9449: what proves a request, what binds a session to a key, and what comes of a demand for a nonce.
#![cfg(feature = "dpop")]

mod support;

use std::collections::BTreeSet;

use polar_signin_core::{
    api::{Call, Next},
    authorization::SignIn,
    config::{Config, Options},
    dpop::{self, Exchange, Nonces, PublicKey},
    error::Code,
    http::{Dpop, Failure, HttpOutcome, HttpRequest, HttpResponse},
    identities::Event,
    secret::AccessToken,
    session::{Grant, Input, TokenRequest},
};
use serde_json::Value;
use support::{
    fixture::{
        METADATA_URL, REDIRECT_URI, Steps, TOKEN_ENDPOINT, USERINFO_ENDPOINT, good_tokens, json, keys, metadata, now,
        options, response,
    },
    keys::{decode, encode},
    page::{POINT, Page, Trip},
    token::Members,
};

/// RFC 9449's own key, access token and thumbprint (4.1, 6.1, 7.1).
const X: &str = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
const Y: &str = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

fn example_key() -> PublicKey {
    let point = [vec![4], decode(X).expect("base64url"), decode(Y).expect("base64url")].concat();
    PublicKey::from_point(&point).expect("a point")
}

fn bound() -> Config {
    Config::new(&Options { dpop: true, ..options() }, REDIRECT_URI).expect("a good configuration")
}

fn announcing() -> Members {
    metadata().set("dpop_signing_alg_values_supported", r#"["RS256","ES256"]"#)
}

fn trip() -> Trip {
    Trip { metadata: announcing().json(), ..Trip::new(bound()) }
}

fn bound_tokens() -> Members {
    good_tokens().text("token_type", "DPoP")
}

/// A signed-in page, and the name of its key.
fn signed_in() -> (Page, String) {
    let trip = trip();
    let left = trip.leave();
    let name = left.keys.as_ref().expect("keys are kept")[0].clone();
    let mut page = trip.complete(json(200, bound_tokens().json()), &keys());
    page.keys = left.keys;
    assert!(page.subject().is_some(), "{:?}", page.error());
    (page, name)
}

/// Header and claims of a proof, and the rest of it.
fn read(proof: &str) -> (Value, Value) {
    let part = |index| proof.split('.').nth(index).expect("a part");
    let json = |index| serde_json::from_slice(&decode(part(index)).expect("base64url")).expect("JSON");
    (json(0), json(1))
}

fn prove(url: &str, token: Option<&str>, nonces: &Nonces) -> (Value, Value) {
    let unsigned = dpop::proof(&example_key(), "GET", url, token, nonces, now(), &mut Steps(1)).expect("entropy");
    read(unsigned.signing_input())
}

#[test]
fn rfc_9449_6_1_the_thumbprint_of_the_examples_key() {
    assert_eq!(example_key().thumbprint(), JKT);
    for wrong in [&[][..], &[4; 64], &[4; 66], &[2; 65], &[0; 65]] {
        assert_eq!(PublicKey::from_point(wrong), None, "{} bytes", wrong.len());
    }
}

#[test]
fn rfc_9449_4_2_a_proof_says_what_it_is_for_and_no_more() {
    let url = "https://op.example:8443/v1/things?page=2#x";
    let (header, claims) = prove(url, Some(TOKEN), &Nonces::default());
    let jwk = serde_json::json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y });
    assert_eq!(header, serde_json::json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }));
    let jti = encode(&[1; 32]);
    assert_eq!(
        claims,
        serde_json::json!({
            "jti": jti, "htm": "GET", "htu": "https://op.example:8443/v1/things", "iat": now().as_millis() / 1000, "ath": ATH,
        })
    );
    let (_, claims) = prove(TOKEN_ENDPOINT, None, &Nonces::default());
    assert_eq!((claims.get("ath"), claims.get("nonce")), (None, None), "no token, no nonce");
}

#[test]
fn rfc_9449_11_1_no_two_proofs_have_the_same_jti() {
    let exchange = Exchange::new(HttpRequest::get(USERINFO_ENDPOINT));
    let mut entropy = Steps(1);
    let jti = |_| {
        let unsigned = exchange.prove(&example_key(), &Nonces::default(), now(), &mut entropy).expect("entropy");
        read(unsigned.signing_input()).1["jti"].as_str().expect("a text").to_owned()
    };
    assert_eq!((0..9).map(jti).collect::<BTreeSet<_>>().len(), 9);
    let broken = exchange.prove(&example_key(), &Nonces::default(), now(), &mut Steps(0));
    assert_eq!(broken.err().map(|error| error.code()), Some(Code::EntropyUnavailable), "and none without chance");
}

#[test]
fn a_signature_of_another_length_makes_no_proof() {
    let unsigned = || {
        let nonces = Nonces::default();
        dpop::proof(&example_key(), "POST", TOKEN_ENDPOINT, None, &nonces, now(), &mut Steps(1)).expect("entropy")
    };
    let input = unsigned().signing_input().to_owned();
    let proof = unsigned().signed(&[7; 64]).expect("a proof");
    assert_eq!(proof.expose(), format!("{input}.{}", encode(&[7; 64])));
    // What OpenSSL would give (DER) is none.
    for length in [0, 63, 65, 70, 72] {
        assert!(unsigned().signed(&vec![7; length]).is_none(), "{length}");
    }
}

fn refused(status: u16, nonce: Option<&str>, challenge: Option<&str>, body: &str) -> HttpOutcome {
    let dpop = Dpop { nonce: nonce.map(str::to_owned), challenge: challenge.map(str::to_owned) };
    HttpOutcome::Answered(HttpResponse { dpop, ..response(status, Some("application/json"), body) })
}

const DEMAND: &str = r#"{"error":"use_dpop_nonce"}"#;
const CHALLENGE: &str = r#"DPoP error="use_dpop_nonce", error_description="a nonce""#;

#[test]
fn tk_27_a_demand_for_a_nonce_is_met_once() {
    for (status, challenge, body) in [(400, None, DEMAND), (401, Some(CHALLENGE), ""), (401, Some(CHALLENGE), "{}")] {
        let mut nonces = Nonces::default();
        let mut exchange = Exchange::new(HttpRequest::get(USERINFO_ENDPOINT));
        assert!(exchange.answered(refused(status, Some("n-1"), challenge, body), &mut nonces).is_none(), "once more");
        assert_eq!(prove(USERINFO_ENDPOINT, None, &nonces).1["nonce"], "n-1");
        let second = exchange.answered(refused(status, Some("n-2"), challenge, body), &mut nonces);
        assert!(matches!(second, Some(HttpOutcome::NotSent(Failure::NonceDemanded))), "{status}: {second:?}");
        // For whoever asks next.
        assert_eq!(prove(USERINFO_ENDPOINT, None, &nonces).1["nonce"], "n-2");
    }
}

#[test]
fn tk_27_a_nonce_that_cannot_be_read_ends_it_at_once() {
    let mut exchange = Exchange::new(HttpRequest::get(USERINFO_ENDPOINT));
    let outcome = exchange.answered(refused(400, None, None, DEMAND), &mut Nonces::default());
    assert!(matches!(outcome, Some(HttpOutcome::NotSent(Failure::NonceDemanded))), "{outcome:?}");
}

#[test]
fn tk_27_no_other_answer_is_asked_for_twice() {
    for (status, challenge, body) in [
        (200, None, DEMAND),
        (400, None, r#"{"error":"invalid_grant"}"#),
        (400, None, "use_dpop_nonce"),
        (401, Some(r#"DPoP error="invalid_token""#), ""),
        (403, Some(CHALLENGE), DEMAND),
        (500, Some(CHALLENGE), DEMAND),
    ] {
        let mut exchange = Exchange::new(HttpRequest::get(USERINFO_ENDPOINT));
        let outcome = exchange.answered(refused(status, Some("n"), challenge, body), &mut Nonces::default());
        assert!(matches!(outcome, Some(HttpOutcome::Answered(_))), "{status} {body}: {outcome:?}");
    }
    for lost in [HttpOutcome::Unknown(Failure::Network), HttpOutcome::NotSent(Failure::Timeout)] {
        let mut exchange = Exchange::new(HttpRequest::get(USERINFO_ENDPOINT));
        assert!(exchange.answered(lost, &mut Nonces::default()).is_some());
    }
}

#[test]
fn rfc_9449_8_2_each_server_has_the_nonce_that_it_gave_last() {
    let mut nonces = Nonces::default();
    let nonce = |nonces: &Nonces, url: &str| prove(url, None, nonces).1.get("nonce").cloned();
    nonces.learn("https://op.example/token?x=1", Some("a"));
    nonces.learn("https://api.example/", Some("b"));
    assert_eq!(nonce(&nonces, USERINFO_ENDPOINT), Some("a".into()));
    assert_eq!(nonce(&nonces, "https://api.example/v1/"), Some("b".into()));
    for other in ["https://op.example:8443/", "http://op.example/", "https://op.example.evil/", "https://xop.example/"]
    {
        assert_eq!(nonce(&nonces, other), None, "{other}");
    }
    nonces.learn(USERINFO_ENDPOINT, Some("c"));
    assert_eq!(nonce(&nonces, TOKEN_ENDPOINT), Some("c".into()));
    // No nonce (RFC 9449 8.1): what was known stays.
    for wrong in [None, Some(""), Some("a b"), Some("a\"b"), Some("é"), Some("\\"), Some(&*"n".repeat(1025))] {
        nonces.learn(TOKEN_ENDPOINT, wrong);
        assert_eq!(nonce(&nonces, TOKEN_ENDPOINT), Some("c".into()), "{wrong:?}");
    }
    for server in 0..100 {
        nonces.learn(&format!("https://h{server}.example"), Some("n"));
    }
    assert_eq!(nonce(&nonces, TOKEN_ENDPOINT), None, "not without bound");
}

#[test]
fn rfc_9449_10_the_code_is_bound_to_the_key_before_the_page_is_left() {
    let page = trip().leave();
    let thumbprint = PublicKey::from_point(&POINT).expect("a point").thumbprint();
    let left = page.left.expect("left");
    assert!(left.contains(&format!("&dpop_jkt={thumbprint}")), "{left}");
    assert_eq!(page.keys.map(|keys| keys.len()), Some(1));
    // Nobody asked for it: no key, and no word of it.
    let plain = Trip { metadata: announcing().json(), ..Trip::new(support::fixture::config()) }.leave();
    assert!(!plain.left.expect("left").contains("dpop"));
    assert_eq!(plain.keys, Some(Vec::new()));
}

#[test]
fn rfc_9449_5_7_every_request_with_a_token_or_code_is_proven() {
    let (mut page, name) = signed_in();
    let proven = |page: &Page, url: &str| {
        page.sent.iter().filter(|sent| sent.url == url).all(|sent| sent.key.as_deref() == Some(&name))
    };
    assert!(proven(&page, TOKEN_ENDPOINT) && proven(&page, USERINFO_ENDPOINT));
    // The keys and the metadata are anybody's.
    let open = page.sent.iter().filter(|sent| sent.url != TOKEN_ENDPOINT && sent.url != USERINFO_ENDPOINT);
    assert!(open.clone().count() > 0 && open.clone().all(|sent| sent.key.is_none()));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    // A renewal.
    page.wake();
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT]);
    page.step(Input::WantToken { request: TokenRequest(1), refused: None });
    assert!(proven(&page, TOKEN_ENDPOINT));
    let renewed = Members::new().text("access_token", "AT-2").text("token_type", "dpop").number("expires_in", 3600);
    page.answer(TOKEN_ENDPOINT, json(200, renewed.json()));
    assert!(page.granted.iter().any(|(_, granted)| granted.as_deref() == Ok("AT-2")), "{:?}", page.granted);
    // A request to the API.
    let (mut call, _) = Call::new("https://op.example/v1/x".to_owned());
    let grant = Grant { access_token: AccessToken::new("AT-2"), generation: 1, key: page_key(&page) };
    let Next::Send(request) = call.granted(Ok(grant)) else { panic!("nothing was sent") };
    assert_eq!(request.key.map(|key| key.as_str().to_owned()), Some(name));
}

/// The key of the last request that had one.
fn page_key(page: &Page) -> Option<polar_signin_core::http::KeyName> {
    page.last_key.clone()
}

#[test]
fn rfc_9449_5_a_bearer_token_is_refused_by_whoever_wanted_a_bound_one() {
    for token_type in ["Bearer", "bearer", "mac", "DPoP "] {
        let page = trip().complete(json(200, good_tokens().text("token_type", token_type).json()), &keys());
        assert_eq!((page.code(), page.subject()), (Some(Code::TokenType), None), "{token_type}");
        assert_eq!(page.count(USERINFO_ENDPOINT), 0, "{token_type}: it was used");
    }
    for token_type in ["DPoP", "dpop", "DPOP"] {
        let page = trip().complete(json(200, good_tokens().text("token_type", token_type).json()), &keys());
        assert!(page.subject().is_some(), "{token_type}: {:?}", page.error());
    }
}

#[test]
fn rfc_9449_5_1_a_provider_that_does_not_announce_it_is_refused() {
    let without = [
        metadata(),
        metadata().set("dpop_signing_alg_values_supported", "[]"),
        metadata().set("dpop_signing_alg_values_supported", r#"["RS256","es256"]"#),
        metadata().set("dpop_signing_alg_values_supported", r#""ES256""#),
    ];
    for document in without {
        let page = Trip { metadata: document.json(), ..trip() }.leave();
        assert_eq!((page.code(), page.left.as_deref()), (Some(Code::MetadataUnsupported), None), "{}", document.json());
        assert_eq!(page.keys, Some(Vec::new()), "no key is made in vain");
    }
}

#[test]
fn a_browser_that_keeps_no_key_is_said_before_the_page_is_left() {
    let mut page = Page::opened(bound(), support::page::Storage::new(), "https://rp.example/app");
    page.keys = None;
    page.sign_in(SignIn::default());
    page.answer(METADATA_URL, json(200, announcing().json()));
    assert_eq!((page.code(), page.left.as_deref()), (Some(Code::StorageUnavailable), None));
    assert!(page.storage.is_empty());
}

#[test]
fn the_key_goes_with_the_session_and_with_a_sign_in_that_fails() {
    let (mut page, name) = signed_in();
    assert_eq!(page.keys.as_deref(), Some(&[name][..]), "the session has it now");
    page.sign_out();
    assert_eq!(page.keys, Some(Vec::new()));

    let trip = trip();
    let left = trip.leave();
    let mut page = trip.back();
    page.keys = left.keys;
    page.answer(TOKEN_ENDPOINT, json(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!((page.code(), page.keys), (Some(Code::GrantRefused), Some(Vec::new())));
}

#[test]
fn a_window_that_was_opened_for_a_sign_in_leaves_the_key_of_its_opener_alone() {
    let mut opener = trip().leave();
    opener.storage.insert("polar-signin:v1:popup".to_owned(), "1".to_owned());
    let mut window = Page::new(bound(), opener.storage.clone());
    window.keys = opener.keys.take();
    window.open("https://rp.example/callback?code=C-1&state=x");
    assert!(window.storage.keys().all(|key| !key.contains("transaction")), "{:?}", window.storage.keys());
    assert_eq!(window.keys.map(|keys| keys.len()), Some(1));
}

#[test]
fn a_key_that_is_gone_ends_the_session_with_its_own_code() {
    let (mut page, _) = signed_in();
    page.answer(USERINFO_ENDPOINT, HttpOutcome::NotSent(Failure::KeyLost));
    assert_eq!((page.code(), page.subject()), (Some(Code::KeyLost), None));
    assert!(page.storage.is_empty(), "{:?}", page.storage);
    // The same if a request of the API finds it out.
    let (mut page, _) = signed_in();
    let slot = page.identities.active();
    page.happen(Event::Of(slot, Input::KeyLost));
    assert_eq!((page.code(), page.subject()), (Some(Code::KeyLost), None));
    // Or the way back.
    let mut page = trip().back();
    page.answer(TOKEN_ENDPOINT, HttpOutcome::NotSent(Failure::KeyLost));
    assert_eq!((page.code(), page.storage.len()), (Some(Code::KeyLost), 0));
    // A session without a key does not lose any.
    let mut page = Trip::new(support::fixture::config()).complete(json(200, good_tokens().json()), &keys());
    page.happen(Event::Of(slot, Input::KeyLost));
    assert!(page.subject().is_some());
}

#[test]
fn what_was_kept_unbound_is_not_taken_for_bound() {
    // A session and a sign-in of before the setting, or whose record somebody edited.
    let unbound = Trip::new(support::fixture::config());
    let page = unbound.complete(json(200, good_tokens().json()), &keys());
    let page = Page::opened(bound(), page.storage, "https://rp.example/app");
    assert_eq!((page.subject(), page.storage.len(), page.sent.len()), (None, 0, 0));
    let left = unbound.leave();
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", unbound.state());
    let page = Page::opened(bound(), left.storage, &url);
    assert_eq!((page.code(), page.sent.len()), (Some(Code::TransactionCorrupt), 0));
}

#[test]
fn a_second_demand_and_a_refused_proof_have_codes_of_their_own() {
    let mut page = trip().back();
    page.answer(TOKEN_ENDPOINT, HttpOutcome::NotSent(Failure::NonceDemanded));
    assert_eq!(page.code(), Some(Code::DpopNonce));
    let page = trip().complete(json(400, r#"{"error":"invalid_dpop_proof"}"#), &keys());
    assert_eq!(page.code(), Some(Code::DpopProof));
}

#[test]
fn st_15_no_debug_shows_a_proof_a_nonce_or_a_token() {
    let (page, _) = signed_in();
    for secret in ["AT-1", "RT-1", "C-1"] {
        assert!(!page.trace.iter().any(|line| line.contains(secret)), "{secret}");
    }
    let mut nonces = Nonces::default();
    nonces.learn(TOKEN_ENDPOINT, Some("server-nonce"));
    let unsigned = dpop::proof(&example_key(), "GET", TOKEN_ENDPOINT, Some(TOKEN), &nonces, now(), &mut Steps(1));
    let unsigned = unsigned.expect("entropy");
    let input = unsigned.signing_input().to_owned();
    let shown = format!("{nonces:?} {unsigned:?}");
    let proof = unsigned.signed(&[7; 64]).expect("a proof");
    let exchange = Exchange::new(HttpRequest::get("https://op.example/userinfo?access_token=AT-1"));
    let outcome = refused(401, Some("server-nonce"), Some(CHALLENGE), DEMAND);
    let shown = format!("{shown} {proof:?} {exchange:?} {outcome:?}");
    for secret in ["server-nonce", &input, TOKEN, "AT-1", &encode(&[7; 64]), "use_dpop_nonce"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
