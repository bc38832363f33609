//! What the standards leave to each provider: those that say as little as they may, those that say as much as they
//! like, and those that say nothing when they refuse. The app signs in with all of them.

mod support;

use polar_signin_core::{
    config::{Config, Options},
    error::{Code, Detail},
    session::{Input, TokenRequest},
    snapshot::{Loadable, RenewalStatus, SignedOut},
    time::UnixTime,
};
use support::{
    fixture::{
        JWKS_URI, NOW, REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, answer, config, good_tokens, json, keys,
        metadata, options,
    },
    keys::{Key, encode},
    page::{Page, Trip},
    token::{Members, claims, header, sign},
};

const ISSUER: &str = "https://op.example/realms/one/";

fn only(members: &Members, names: &[&str]) -> Members {
    let others = members.pairs().iter().filter(|(name, _)| !names.contains(&name.as_str()));
    others.fold(members.clone(), |members, (name, _)| members.without(name))
}

#[test]
fn a_provider_that_says_as_little_as_it_may() {
    // Nothing that the standards do not require: no userinfo, no kid, no lifetime, no scope, no refresh token.
    let required = [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ];
    let trip = Trip { metadata: only(&metadata(), &required).json(), ..Trip::new(config()) };
    let mut page = trip.back();
    let id_token = sign(&Members::new().text("alg", "RS256"), &claims().without("at_hash"), Key::K1);
    let tokens = Members::new().text("access_token", "AT-1").text("token_type", "bearer").text("id_token", &id_token);
    page.answer(TOKEN_ENDPOINT, json(200, tokens.json()));
    page.answer(JWKS_URI, json(200, format!(r#"{{"keys":[{}]}}"#, Key::K1.bare_jwk().json())));

    let account = page.account().unwrap_or_else(|| panic!("{:?}", page.error()));
    assert_eq!((account.subject.as_str(), account.display_name()), ("u1", "u1"));
    assert_eq!(account.userinfo, Loadable::Absent);
    assert_eq!((account.expires_at, page.wake), (None, None), "no clock runs for what is not known");
    assert_eq!(account.scope_granted, account.scope_requested, "as it was asked for");
    assert_eq!(account.renewal, RenewalStatus::NotOffered);
    assert!(page.open_requests().is_empty());
    page.step(Input::WantToken { request: TokenRequest(1), refused: None });
    assert_eq!(page.granted, [(TokenRequest(1), Ok("AT-1".to_owned()))]);

    // A reload, and the way out.
    let mut page = Page::opened(config(), page.storage, "https://rp.example/app");
    assert_eq!((page.subject().as_deref(), page.code()), (Some("u1"), None));
    let sent = page.sent.len();
    page.sign_out();
    assert_eq!(page.snapshot().signed_out, Some(SignedOut::Here));
    assert!(page.storage.is_empty() && page.sent.len() == sent && page.left.is_none());
}

/// A provider whose issuer has a path and ends with a slash, and that adds something of its own everywhere.
fn talkative() -> Trip {
    let issuer = Options { issuer: Some(ISSUER.to_owned()), ..options() };
    let config = Config::new(&issuer, REDIRECT_URI).expect("a good configuration");
    let metadata = metadata()
        .text("issuer", ISSUER)
        .set("token_endpoint_auth_methods_supported", r#"["client_secret_basic","private_key_jwt"]"#)
        .set("id_token_signing_alg_values_supported", r#"["none","HS256","RS256","ES384","ML-DSA-44"]"#)
        .set("response_types_supported", r#"["code token","none","code"]"#)
        .text("check_session_iframe", "https://op.example/frame")
        .text("registration_endpoint", "https://elsewhere.example/clients")
        .set("tls_client_certificate_bound_access_tokens", "true")
        .set("x_vendor", r#"{"deep":[[{"er":null}]]}"#);
    Trip {
        metadata_url: config.provider().metadata_url().as_str().to_owned(),
        metadata: metadata.json(),
        ..Trip::new(config)
    }
}

/// Comes back from it, with everything that it has to say.
fn signed_in_there() -> Page {
    let trip = talkative();
    let left = trip.leave();
    let issuer = "https%3A%2F%2Fop.example%2Frealms%2Fone%2F";
    let back = format!(
        "{REDIRECT_URI}?code=C-1&state={}&iss={issuer}&session_state=abc.def&scope=openid+email&authuser=0&hd=example",
        trip.state()
    );
    let mut page = Page::opened(trip.config, left.storage, &back);
    let header = header()
        .without("kid")
        .text("x5t", "dGh1bWI")
        .text("jku", "https://op.example/elsewhere")
        .set("x_vendor", "[1,2]");
    let claims = claims()
        .text("iss", ISSUER)
        .set("aud", r#"["rp-1"]"#)
        .text("azp", "rp-1")
        .text("typ", "ID")
        .text("jti", "j-1")
        .text("sid", "s-1")
        .text("c_hash", "LDktKdoQak3Pk0cnXxCltA")
        .set("amr", r#"["pwd","otp"]"#)
        .set("realm_access", r#"{"roles":["a","b"]}"#);
    let tokens = good_tokens()
        .text("id_token", &sign(&header, &claims, Key::K1))
        .text("token_type", "bearer")
        .number("refresh_expires_in", 1800)
        .number("not-before-policy", 0)
        .text("session_state", "abc.def")
        .set("x_vendor", r#"{"token_type":"mac"}"#);
    let point = encode(&[1; 32]);
    let others = [
        Members::new().text("kty", "AKP").text("alg", "ML-DSA-44").text("pub", &point),
        Members::new().text("kty", "EC").text("crv", "P-521").text("x", &point).text("y", &point).text("use", "sig"),
        Key::E1.jwk(),
        Key::K2.jwk().text("use", "enc"),
        Members::new().text("kty", "from-the-future").text("kid", "k1"),
    ];
    let own = Key::K1.jwk().text("x5t#S256", "dGh1bWI").set("x5c", r#"["MIIC"]"#).set("x_vendor", "{}");
    let keys: Vec<String> = others.iter().chain([&own]).map(Members::json).collect();
    let keys = format!(r#"{{"x_vendor":1,"keys":[{}]}}"#, keys.join(","));
    page.answer(JWKS_URI, answer(200, Some("application/jwk-set+json; charset=utf-8"), keys));
    page.answer(TOKEN_ENDPOINT, answer(200, Some("application/json;charset=UTF-8"), tokens.json()));
    assert_eq!((page.subject().as_deref(), page.code()), (Some("u1"), None), "{:?}", page.error());
    page
}

#[test]
fn a_provider_that_says_as_much_as_it_likes() {
    let mut page = signed_in_there();
    let scrubbed = page.scrubbed.clone().unwrap_or_default();
    assert!(!["code=", "state=", "iss="].iter().any(|name| scrubbed.contains(name)), "{scrubbed}");
    let sent = page.sent.last().expect("a request");
    assert_eq!((sent.url.as_str(), sent.bearer.as_deref()), (USERINFO_ENDPOINT, Some("AT-1")));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1","aud":"rp-1","groups":[],"address":{"country":"SE"}}"#));
    let account = page.account().expect("signed in");
    assert!(matches!(account.userinfo, Loadable::Ready(_)), "{:?}", account.userinfo);

    // A renewal that says less than the first answer did: how long the new token lasts is not known any more.
    page.wake();
    page.answer(
        TOKEN_ENDPOINT,
        json(200, r#"{"access_token":"AT-2","token_type":"BEARER","refresh_token":"RT-2","x_vendor":[]}"#),
    );
    let account = page.account().expect("signed in");
    assert_eq!((account.expires_at, account.renewal), (None, RenewalStatus::Possible));
    assert_eq!(account.scope_granted, ["openid", "profile", "email"], "as before");
    assert!(page.storage.values().any(|record| record.contains("RT-2") && !record.contains("RT-1")));
    page.step(Input::WantToken { request: TokenRequest(1), refused: None });
    assert_eq!(page.granted, [(TokenRequest(1), Ok("AT-2".to_owned()))]);
    // It has ended when somebody says so.
    page.now = UnixTime::from_seconds(NOW + 864_000);
    page.step(Input::WantToken { request: TokenRequest(2), refused: Some(1) });
    assert!(page.sent.last().and_then(|sent| sent.form.as_deref()).is_some_and(|form| form.contains("RT-2")));
}

#[test]
fn a_provider_that_refuses_without_a_word() {
    let silent = |status| [answer(status, None, ""), json(status, ""), answer(status, Some("text/plain"), "")];
    for status in [400, 401, 403, 500, 503] {
        let code = if status < 500 { Code::HttpStatus } else { Code::ServerError };
        for refusal in silent(status) {
            // The code: the sign-in has failed, for a reason that can be told apart.
            let page = Trip::new(config()).complete(refusal.clone(), &keys());
            let error = page.error().expect("refused");
            assert_eq!((error.code(), error.phase()), (code, polar_signin_core::error::Phase::Token), "{status}");
            assert!(*error.detail() == Detail::Status(status) && page.storage.is_empty(), "{status}");
            // A renewal: the session goes on, and it is tried again.
            let mut page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
            page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
            page.wake();
            page.answer(TOKEN_ENDPOINT, refusal.clone());
            let account = page.account().expect("signed in");
            assert!(matches!(account.renewal, RenewalStatus::Later(error, _) if error.code() == code), "{status}");
            // Userinfo: what it would have told is missing, and nothing else. (A 401 is about the token.)
            if status != 401 {
                let mut page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
                page.answer(USERINFO_ENDPOINT, refusal);
                let account = page.account().expect("signed in");
                assert!(matches!(account.userinfo, Loadable::Failed(_)), "{status}");
                assert_eq!(page.code(), None, "{status}");
            }
        }
    }
}
