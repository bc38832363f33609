//! Section 9 of the matrix, as far as it can be decided without a browser: what is kept, under
//! which keys, and what becomes of it when somebody has had their hands in it.

mod support;

use std::collections::BTreeSet;

use polar_signin_core::config::{Config, Options};
use support::{
    fixture::{
        CLIENT_ID, ISSUER, JWKS_URI, METADATA_URL, REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config,
        good_tokens, json, keys, metadata, options, polar,
    },
    page::{Page, Storage, Trip},
};

const APP: &str = "https://rp.example/app";

fn configured(options: &Options) -> Config {
    Config::new(options, REDIRECT_URI).expect("a good configuration")
}

fn with_client(client_id: &str) -> Config {
    configured(&Options { client_id: Some(client_id.to_owned()), ..options() })
}

/// What a tab holds in which u1 has signed in with this client.
fn kept_by(config: Config, seed: u8) -> Storage {
    let trip = Trip { seed, ..Trip::new(config) };
    let page = trip.leave();
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let mut page = Page::opened(trip.config.clone(), page.storage, &url);
    let token = support::token::with_claims(
        &support::token::claims().text("aud", trip.config.client_id()).text("nonce", &trip.nonce()),
    );
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().text("id_token", &token).json()));
    assert_eq!(page.subject().as_deref(), Some("u1"), "{:?}", page.error());
    page.storage
}

#[test]
fn st_01_every_provider_and_client_has_keys_of_its_own() {
    let sandbox = Options {
        provider: Some("polar-sandbox".to_owned()),
        client_id: Some(CLIENT_ID.to_owned()),
        ..Options::default()
    };
    let sandbox = configured(&sandbox);
    assert_eq!(sandbox.provider().issuer(), polar().provider().issuer(), "told apart by the metadata alone");
    let at = |metadata_url: &str, client_id: &str| {
        configured(&Options {
            metadata_url: Some(metadata_url.to_owned()),
            client_id: Some(client_id.to_owned()),
            ..options()
        })
    };
    // Whatever a client id may hold.
    let odd = ["rp-2", "rp-1:session", "a:b", "../x", "transaction:", "%00", "rp 1", "RP-1", "rp-1\"}"];
    let odd = odd
        .iter()
        .filter_map(|id| Config::new(&Options { client_id: Some((*id).to_owned()), ..options() }, REDIRECT_URI).ok());
    let mut all = vec![config(), polar(), sandbox, at("https://op.example/a", "b"), at("https://op.example/", "ab")];
    all.extend(odd);
    assert!(all.len() > 12, "{} were allowed", all.len());
    let names: BTreeSet<String> = all.iter().map(Config::namespace).collect();
    assert_eq!(names.len(), all.len(), "two share a namespace");
    for name in names {
        let hash = name.strip_prefix("polar-signin:v1:").and_then(|rest| rest.strip_suffix(':')).expect("the form");
        assert!(hash.len() >= 16 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{name}");
    }
}

#[test]
fn st_01_what_one_client_forgets_is_its_own() {
    let mut both = kept_by(config(), 1);
    both.extend(kept_by(with_client("rp-2"), 40));
    // Each has a sign-in under way as well.
    for (config, seed) in [(config(), 80), (with_client("rp-2"), 120)] {
        both.extend(Trip { seed, ..Trip::new(config) }.leave().storage);
    }
    assert_eq!(both.len(), 4);
    let theirs: Storage = both
        .iter()
        .filter(|(key, _)| !key.starts_with(&config().namespace()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    assert_eq!(theirs.len(), 2);
    let mut page = Page::opened(config(), both, APP);
    page.sign_out();
    assert_eq!(page.storage, theirs, "all of its own, and nothing else");
    let mut other = Page::opened(with_client("rp-2"), page.storage, APP);
    assert_eq!(other.subject().as_deref(), Some("u1"));
    other.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
    assert!(other.code().is_none());
}

/// The one session record of a storage, and its key.
fn session(storage: &Storage) -> (String, String) {
    let (key, text) = storage.iter().find(|(key, _)| key.ends_with(":session")).expect("a session");
    (key.clone(), text.clone())
}

/// Opens a page on a storage whose session record was replaced by this, twice.
#[track_caller]
fn opened_with(record: &str) -> Page {
    let (key, _) = session(&kept_by(config(), 1));
    let page = Page::opened(config(), Storage::from([(key, record.to_owned())]), APP);
    Page::opened(config(), page.storage.clone(), APP);
    page
}

#[track_caller]
fn is_absent(record: &str, what: &str) {
    let page = opened_with(record);
    assert_eq!((page.subject(), page.code()), (None, None), "{what}");
    assert!(page.storage.is_empty(), "{what}: it is still there");
    assert!(page.sent.is_empty(), "{what}: {:?}", page.open_requests());
}

#[test]
fn st_03_a_damaged_record_is_no_session() {
    let (_, good) = session(&kept_by(config(), 1));
    assert!(opened_with(&good).subject().is_some());
    for end in (0..good.len()).step_by(5).chain(good.len() - 20..good.len()) {
        if good.is_char_boundary(end) {
            is_absent(&good[..end], &format!("cut off after {end}"));
        }
    }
    for (what, record) in [
        ("nothing in it", "{}".to_owned()),
        ("null", "null".to_owned()),
        ("a list", format!("[{good}]")),
        ("a number without bounds", r#"{"exp":1e400}"#.to_owned()),
        ("five megabytes", format!(r#"{{"x":"{}"}}"#, "x".repeat(5 << 20))),
        ("five megabytes of brackets", "[".repeat(5 << 20)),
        ("a member twice", good.replacen('{', r#"{"access_token":"AT-9","#, 1)),
        ("something behind it", format!("{good}x")),
        ("of another version", good.replace("signed_in_at", "signedInAt")),
        ("NUL", good.replacen("AT-1", "AT\u{0}1", 1)),
    ] {
        is_absent(&record, what);
    }
}

#[test]
fn st_03_members_of_another_type_are_not_believed() {
    let (_, good) = session(&kept_by(config(), 1));
    let record: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    let optional = ["refresh_token", "family", "elsewhere", "organization", "scope", "scope_requested"];
    let mut tried = 0;
    for name in record.as_object().expect("an object").keys() {
        for wrong in ["null", "[]", "{}", "true", "1e400", "-1e400", "\"\"", "7", "[[[[]]]]"] {
            let mut edited = record.clone();
            edited[name] = serde_json::json!("@");
            let edited = edited.to_string().replace("\"@\"", wrong);
            let page = opened_with(&edited);
            tried += 1;
            assert_eq!(page.code(), None, "{name}: {wrong}");
            if page.subject().is_none() {
                assert!(page.storage.is_empty() && page.sent.is_empty(), "{name}: {wrong}");
                continue;
            }
            // What is believed all the same: times that are numbers, and what a session can do without.
            let time =
                ["signed_in_at", "renewed_at", "expires_at", "clock_skew", "generation"].contains(&name.as_str());
            let endpoint =
                ["userinfo_endpoint", "revocation_endpoint", "end_session_endpoint"].contains(&name.as_str());
            // Null is as good as absent.
            let absent = name == "expires_at" && wrong == "null";
            assert!(
                absent || optional.contains(&name.as_str()) || endpoint || time && wrong == "7",
                "{name}: {wrong} was believed"
            );
            for sent in &page.sent {
                assert!(
                    [USERINFO_ENDPOINT, TOKEN_ENDPOINT, METADATA_URL].contains(&sent.url.as_str()),
                    "{name}: {}",
                    sent.url
                );
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn st_03_edited_endpoints_get_nothing() {
    let (key, good) = session(&kept_by(config(), 1));
    for endpoint in [TOKEN_ENDPOINT, JWKS_URI, USERINFO_ENDPOINT] {
        for evil in [
            "https://evil.example/x",
            "https://op.example.evil.example/x",
            "https://op.example:8443/x",
            "https://op.example@evil.example/x",
        ] {
            let edited = good.replace(endpoint, evil);
            assert_ne!(edited, good, "{endpoint}");
            let mut page = Page::opened(config(), Storage::from([(key.clone(), edited)]), APP);
            assert!(
                page.sent.iter().all(|sent| sent.url == METADATA_URL && sent.bearer.is_none()),
                "{evil}: {:?}",
                page.sent
            );
            if page.open_requests().contains(&METADATA_URL) {
                page.answer(METADATA_URL, json(200, metadata().json()));
            }
            assert!(
                page.sent.iter().all(|sent| sent.url == METADATA_URL && sent.bearer.is_none()),
                "{evil}: {:?}",
                page.sent
            );
            assert_eq!(page.subject(), None, "{evil}: nothing of it is believed");
            assert!(page.storage.is_empty(), "{evil}");
        }
        for wrong in ["http://op.example/x", "javascript:alert(1)", "", "/token", "https://", "data:,x"] {
            let edited = good.replace(endpoint, wrong);
            let page = Page::opened(config(), Storage::from([(key.clone(), edited)]), APP);
            assert!(
                page.sent.iter().all(|sent| [USERINFO_ENDPOINT, METADATA_URL].contains(&sent.url.as_str())),
                "{wrong}"
            );
            assert!(
                page.subject().is_none() || endpoint == USERINFO_ENDPOINT && wrong.is_empty(),
                "{endpoint}: {wrong}"
            );
        }
    }
}

#[test]
fn st_03_an_edited_sign_in_leads_nowhere_else() {
    let trip = Trip::new(config());
    let left = trip.leave().storage;
    let back = |edit: &dyn Fn(&str) -> String| {
        let edited: Storage = left.iter().map(|(key, text)| (key.clone(), edit(text))).collect();
        assert_ne!(edited, left, "nothing was edited");
        let mut page = Page::opened(config(), edited, &format!("{REDIRECT_URI}?code=C-1&state={}", trip.state()));
        if page.open_requests().contains(&METADATA_URL) {
            page.answer(METADATA_URL, json(200, metadata().json()));
        }
        page
    };
    for evil in [
        "https://evil.example/",
        "//evil.example",
        "/\\\\evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "/%0d%0ax",
    ] {
        let mut page = back(&|text| text.replace("\"/app\"", &format!("\"{evil}\"")));
        if page.open_requests().contains(&JWKS_URI) {
            page.answer(JWKS_URI, json(200, keys()));
            page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
        }
        assert!(
            page.returned
                .as_ref()
                .is_none_or(|path| path.starts_with('/') && !path.starts_with("//") && !path.contains("evil")),
            "{evil}: {:?}",
            page.returned
        );
    }
    for (what, from, to) in [
        ("the issuer", format!("\"issuer\":\"{ISSUER}\""), "\"issuer\":\"https://evil.example\"".to_owned()),
        ("the token endpoint", TOKEN_ENDPOINT.to_owned(), "https://evil.example/token".to_owned()),
        ("the keys", JWKS_URI.to_owned(), "https://evil.example/jwks".to_owned()),
        ("the client", format!("\"{CLIENT_ID}\""), "\"rp-2\"".to_owned()),
        ("all of it", left.values().next().cloned().unwrap_or_default(), "x".repeat(5 << 20)),
    ] {
        let page = back(&|text| text.replace(&from, &to));
        assert!(
            page.sent.iter().all(|sent| sent.url == METADATA_URL && sent.form.is_none()),
            "{what}: {:?}",
            page.sent
        );
        assert!(page.subject().is_none() && page.code().is_some(), "{what}");
        assert!(page.storage.is_empty(), "{what}: {:?}", page.storage.keys());
    }
}
