//! Section 1 of the matrix: how a sign-in begins, and where it goes back to.

mod support;

use std::collections::BTreeSet;

use polar_signin_core::{
    authorization::SignIn,
    config::Config,
    error::Code,
    pkce::{Entropy, NoEntropy},
    session::{Effect, Input, Records, Session},
    url::safe_return_to,
};
use support::{
    fixture::{JWKS_URI, REDIRECT_URI, TOKEN_ENDPOINT, config, good_tokens, json, keys, metadata, now},
    page::{Page, Trip},
};

/// Where a sign-in that was to go back to this path goes back to.
fn goes_back_to(path: &str) -> Option<String> {
    let trip =
        Trip { sign_in: SignIn { return_to: Some(path.to_owned()), ..SignIn::default() }, ..Trip::new(config()) };
    let mut page = trip.back();
    assert!(page.storage.values().all(|text| text.len() < 4096), "what is kept is bounded");
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    assert_eq!(page.subject().as_deref(), Some("u1"));
    page.returned
}

#[track_caller]
fn falls_back(paths: &[&str]) {
    for path in paths {
        assert_eq!(safe_return_to(path), "/", "{path:?}");
        assert_eq!(goes_back_to(path).as_deref(), Some("/"), "{path:?}");
    }
}

#[test]
fn cb_35_paths_that_lead_elsewhere() {
    falls_back(&[
        "//evil",
        "///evil",
        "////evil",
        "/\\evil",
        "\\\\evil",
        "/\t/evil",
        "/\n/evil",
        "\u{1}//evil",
        " https://evil",
        "https:///evil",
        "https://rp.example@evil",
        "https://rp.example.evil",
        "//rp.example%2eevil",
        "http://rp.example/",
        "",
        "app",
    ]);
    for good in ["/%5Cevil", "/app", "/app?a=b#c", "/"] {
        assert_eq!(goes_back_to(good).as_deref(), Some(good));
    }
}

#[test]
fn cb_36_paths_that_lead_elsewhere_when_read_twice() {
    falls_back(&[
        "/..//evil.example",
        "/.//evil.example",
        "/a/..//evil.example",
        "/%2e%2e//evil.example",
        "/%2E//evil.example",
    ]);
}

#[test]
fn cb_37_other_schemes() {
    falls_back(&[
        "javascript:alert(1)",
        "data:text/html,x",
        "blob:https://rp.example/0b9c1d70-0000-4000-8000-000000000000",
        "vbscript:x",
        "about:blank",
    ]);
}

#[test]
fn cb_38_paths_that_cannot_be_gone_to() {
    let long = format!("/{}", "x".repeat(8192));
    falls_back(&[&long, "/a\0b", "/\u{7f}"]);
    for response in ["/callback?code=C-1&state=x", "/callback?error=x"] {
        assert_eq!(goes_back_to(response).as_deref(), Some("/"), "{response}");
    }
    // No escape: it stands for itself.
    assert_eq!(goes_back_to("/%").as_deref(), Some("/%"));
    // What is kept may have been edited since.
    let trip = Trip::new(config());
    let mut storage = trip.leave().storage;
    for text in storage.values_mut() {
        *text = text.replace("\"/app\"", "\"//evil.example\"");
    }
    let mut page = Page::opened(config(), storage, &format!("{REDIRECT_URI}?code=C-1&state={}", trip.state()));
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    assert_eq!(page.returned.as_deref(), Some("/"));
}

/// The parameters of the address that a sign-in leaves for.
fn parameters(trip: &Trip) -> Vec<(String, String)> {
    let page = trip.leave();
    let left = url::Url::parse(page.left.as_deref().expect("left")).expect("an address");
    assert_eq!(left.fragment(), None);
    assert!(left.as_str().starts_with("https://op.example/authorize?"));
    left.query_pairs().into_owned().collect()
}

#[test]
fn cb_46_the_authorization_request() {
    let of = |seed| parameters(&Trip { seed, ..Trip::new(config()) });
    let first = of(1);
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    let once: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), once.len(), "each once: {names:?}");
    let value = |name: &str| first.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    assert_eq!(value("response_type"), "code");
    assert_eq!(value("client_id"), "rp-1");
    assert_eq!(value("redirect_uri"), REDIRECT_URI);
    assert!(value("scope").split(' ').any(|scope| scope == "openid"));
    assert_eq!(value("code_challenge_method"), "S256");
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(value(name).len(), 43, "{name}");
    }
    for name in ["client_secret", "code_verifier", "request", "request_uri", "response_mode"] {
        assert_eq!(value(name), "", "{name}");
    }
    let second = of(100);
    for name in ["state", "nonce", "code_challenge"] {
        assert!(second.iter().all(|(_, other)| other != value(name)), "{name} is never the same");
    }
}

struct Broken(Result<u8, NoEntropy>);

impl Entropy for Broken {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(self.0?);
        Ok(())
    }
}

#[test]
fn cb_47_without_entropy_nobody_leaves() {
    for broken in [Err(NoEntropy), Ok(0)] {
        let mut session = Session::new(Config::clone(&config()));
        let mut entropy = Broken(broken);
        let none = || Records::new(Vec::new());
        let url = REDIRECT_URI.to_owned();
        session.step(now(), &mut entropy, Input::Opened { url, records: none(), framed: false, memory_only: false });
        let effects = session.step(now(), &mut entropy, Input::SignIn { request: Box::default(), records: none() });
        let ticket = effects.into_iter().find_map(|effect| match effect {
            Effect::Send(ticket, _) => Some(ticket),
            _ => None,
        });
        let metadata = json(200, metadata().json());
        let effects = session.step(now(), &mut entropy, Input::Answered(ticket.expect("asked"), metadata));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Leave(_) | Effect::Keep(..))), "{effects:?}");
        assert_eq!(session.snapshot().error.map(|error| error.code()), Some(Code::EntropyUnavailable));
    }
}
