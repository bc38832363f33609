//! FZ-12: what is kept, and what may be seen of it.

use polar_signin_core::url::safe_return_to;

use super::{
    super::{
        fixture::{JWKS_URI, REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, json, keys, tokens},
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
    let trip = Trip { storage: signed_in().storage, seed: 11, ..Trip::new(config()) };
    let mut storage: Storage = trip.leave().storage;
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
    assert!(page.sent.iter().all(|sent| sent.url.starts_with("https://op.example/")), "{:?}", page.sent);
    assert!(page.count(TOKEN_ENDPOINT) <= 1);
    // The path on this site may have been edited too, but it stays on this site.
    assert!(page.returned.as_deref().is_none_or(|path| safe_return_to(path) == path), "{:?}", page.returned);
}

/// What is kept is read back as the same.
pub fn kept(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let (sub, name) = (format!("s{}", choices.text()), choices.text());
    let sub: String = sub.chars().take(60).collect();
    let token = with_claims(&claims().text("sub", &sub).text("name", &name));
    let mut answer = tokens(&token);
    if choices.one_in(2) {
        answer = answer.without("refresh_token").without("expires_in");
    }
    let page = Trip::new(config()).complete(json(200, answer.json()), &keys());
    let before = page.account().unwrap_or_else(|| panic!("{sub:?}: {:?}", page.error()));
    let again = Page::opened(config(), page.storage.clone(), "https://rp.example/app");
    assert_eq!(again.account(), Some(before));
    assert_eq!(again.storage, page.storage);
}

/// Secrets by choices: no eight characters of any are in what a log or a screen shows.
pub fn redacted(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut secret = |kind: &str| {
        let more: String = (0..24).map(|_| char::from(choices.pick(b"ghjkmnpqrstvwxyzGHJKMNPQRSTVWXYZ"))).collect();
        format!("{kind}{more}")
    };
    let (access, refresh, code) = (secret("A"), secret("R"), secret("C"));
    let trip = Trip::new(config());
    let left = trip.leave();
    let url = format!("{REDIRECT_URI}?code={code}&state={}", trip.state());
    let mut page = Page::opened(config(), left.storage, &url);
    page.answer(JWKS_URI, json(200, keys()));
    let token = with_claims(&claims().without("at_hash"));
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
    let shown = format!("{}{:?}{:?}{said:?}", page.trace.join("\n"), page.snapshot(), page.error());
    for secret in [&access, &refresh, &code, &token] {
        for start in 0..secret.len() - 8 {
            let piece = &secret[start..start + 8];
            assert!(!shown.contains(piece), "{piece} of {secret} is shown");
        }
    }
}
