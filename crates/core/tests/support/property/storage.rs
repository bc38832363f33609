//! FZ-12: what is kept, and what may be seen of it.

use std::{collections::HashSet, sync::LazyLock};

use polar_signin_core::{callback::looks_like_response, url::safe_return_to};

use url::Url;

use super::{
    super::{
        fixture::{JWKS_URI, REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, json, keys, tokens},
        keys::encode,
        page::{Page, Storage, Trip},
        token::{claims, with_claims},
    },
    Choices,
};

/// Changes a record, by choices.
fn edit(choices: &mut Choices<'_>, record: &mut String) {
    match choices.below(4) {
        0 => *record = choices.text(),
        1 => {
            let swaps = [
                ("https://op.example/", "https://evil.example/"),
                ("https://op.example/", "javascript:"),
                ("\"pending\"", "\"redeeming\""),
                ("\"pending\"", "\"\""),
                ("\"created\":", "\"created\":9"),
                ("\"created\":", "\"created\":-"),
                ("/app", "//evil.example"),
                ("/app", "https://evil.example"),
                ("code_verifier", "code-verifier"),
                ("true", "1"),
                ("false", "null"),
                ("\"u1\"", "\"u9\""),
                ("AT-1", ""),
                (":", "::"),
                ("1", "1e400"),
                ("\"", "\\u0000\""),
            ];
            let (from, to) = choices.pick(&swaps);
            *record = record.replacen(from, to, 1 + choices.below(3));
        }
        2 => {
            let mut at = choices.below(record.len() + 1);
            while !record.is_char_boundary(at) {
                at -= 1;
            }
            record.truncate(at);
        }
        _ => {
            let mut bytes = core::mem::take(record).into_bytes();
            if !bytes.is_empty() {
                let at = choices.below(bytes.len());
                bytes[at] ^= 1 << choices.below(8);
            }
            *record = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

fn signed_in() -> Page {
    let token = with_claims(&claims());
    Trip::new(config()).complete(json(200, tokens(&token).json()), &keys())
}

/// A storage that somebody edited: nothing panics, nothing is sent elsewhere, and whoever is
/// shown has a subject.
pub fn edited(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    static BEFORE: LazyLock<(Trip, Storage)> = LazyLock::new(|| {
        let trip = Trip { storage: signed_in().storage, seed: 11, ..Trip::new(config()) };
        let storage = trip.leave().storage;
        (trip, storage)
    });
    let (trip, storage) = &*BEFORE;
    let mut storage = storage.clone();
    for record in storage.values_mut() {
        for _ in 0..choices.below(3) {
            edit(&mut choices, record);
        }
    }
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let mut page = Page::opened(config(), storage, &url);
    assert_eq!(page.scrubbed.as_deref(), Some(REDIRECT_URI));
    if let Some(account) = page.account() {
        assert!(!account.subject.is_empty());
    }
    let token = with_claims(&claims().text("nonce", &trip.nonce()));
    if [TOKEN_ENDPOINT, JWKS_URI].iter().all(|url| page.open_requests().contains(url)) {
        page.answer(JWKS_URI, json(200, keys()));
        page.answer(TOKEN_ENDPOINT, json(200, tokens(&token).json()));
    }
    let host = |url: &str| Url::parse(url).map(|url| url.origin().ascii_serialization());
    let elsewhere = page.sent.iter().find(|sent| host(&sent.url).as_deref() != Ok("https://op.example"));
    assert!(elsewhere.is_none(), "{elsewhere:?}");
    // The code goes out once; so does a refresh token, of a session that the edit made old.
    for grant in ["authorization_code", "refresh_token"] {
        let of_grant = |form: &&str| form.split('&').any(|pair| pair == format!("grant_type={grant}"));
        let forms: Vec<&str> = page.sent.iter().filter_map(|sent| sent.form.as_deref()).filter(of_grant).collect();
        assert!(forms.len() <= 1, "{forms:?}");
    }
    // The path on this site may have been edited too, but it stays on this site.
    assert!(page.returned.as_deref().is_none_or(|path| safe_return_to(path) == path), "{:?}", page.returned);
}

/// What is kept is read back as the same: the session, and where a sign-in shall lead to.
pub fn kept(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let (sub, name) = (format!("s{}", choices.text()), choices.text());
    let sub: String = sub.chars().take(60).collect();
    let token = with_claims(&claims().text("sub", &sub).text("name", &name));
    let mut answer = tokens(&token);
    if choices.one_in(2) {
        answer = answer.without("refresh_token").without("expires_in");
    }
    let mut trip = Trip::new(config());
    let path = format!("/{}", choices.text());
    trip.sign_in.return_to = Some(path.clone());
    let page = trip.complete(json(200, answer.json()), &keys());
    let path = if looks_like_response(&path) { "/" } else { safe_return_to(&path) };
    assert_eq!(page.returned.as_deref(), Some(path));
    let before = page.account().unwrap_or_else(|| panic!("{sub:?}: {:?}", page.error()));
    let again = Page::opened(config(), page.storage.clone(), "https://rp.example/app");
    assert_eq!(again.account(), Some(before));
    assert_eq!(again.storage, page.storage);
}

/// Every eight characters, as one number.
fn pieces(text: &str) -> impl Iterator<Item = u64> {
    let bytes = text.as_bytes();
    bytes.windows(8).map(|piece| piece.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Secrets by choices: no eight characters of any are in what a log or a screen shows.
pub fn redacted(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut secret = |kind: &str| {
        let more: String = (0..24).map(|_| char::from(choices.pick(b"ghjkmnpqrstvwxyzGHJKMNPQRSTVWXYZ"))).collect();
        format!("{kind}{more}")
    };
    let (access, refresh, code) = (secret("A"), secret("R"), secret("C"));
    // State, nonce and verifier are made of it.
    let seed = 1 + choices.byte() % 250;
    let trip = Trip { seed, ..Trip::new(config()) };
    let (state, nonce, verifier) = (trip.state(), trip.nonce(), encode(&[seed + 2; 32]));
    let left = trip.leave();
    let url = format!("{REDIRECT_URI}?code={code}&state={state}");
    let mut page = Page::opened(config(), left.storage.clone(), &url);
    page.answer(JWKS_URI, json(200, keys()));
    let token = with_claims(&claims().text("nonce", &nonce).without("at_hash"));
    let answer = tokens(&token).text("access_token", &access).text("refresh_token", &refresh);
    // A provider that refuses may echo what it was given.
    let echo = format!(r#"{{"error":"invalid_grant","error_description":"the code {code} was used"}}"#);
    let refused = choices.one_in(2);
    page.answer(TOKEN_ENDPOINT, if refused { json(400, echo) } else { json(200, answer.json()) });
    assert_eq!(page.account().is_none(), refused, "{:?}", page.error());
    if !refused {
        page.answer(USERINFO_ENDPOINT, json(401, format!(r#"{{"error":"{access}"}}"#)));
    }
    let said = page
        .error()
        .and_then(|error| error.provider().map(|said| format!("{:?} {:?}", said.error(), said.description())));
    let error = page.error().map(|error| format!("{error:?} {error}"));
    let shown = [left.trace.join("\n"), page.trace.join("\n"), format!("{:?}{error:?}{said:?}", page.snapshot())];
    let shown = shown.join("\n");
    let secrets = [access, refresh, code, token, state, nonce, verifier];
    let pieces: HashSet<u64> = secrets.iter().flat_map(|secret| pieces(secret)).collect();
    let found = self::pieces(&shown).position(|piece| pieces.contains(&piece));
    assert!(
        found.is_none(),
        "{:?} is shown: {shown}",
        found.map(|at| String::from_utf8_lossy(&shown.as_bytes()[at..at + 8]))
    );
}
