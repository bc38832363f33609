//! One line of a table about ID tokens, and what it is held to.
//!
//! Each token takes three ways: straight through the functions of the core, and through a whole
//! sign-in, in a tab where nobody is signed in and in one where somebody is. All must agree; and
//! of a token that is refused nothing may be left (TK-24).

use std::sync::LazyLock;

use polar_signin_core::{
    config::Config,
    error::Code,
    id_token::{Expected, ExpectedNonce, VerifiedIdToken, validate},
    jwks::JwkSet,
    jws::SignedToken,
    secret::{AccessToken, IdTokenText, Nonce},
    time::UnixTime,
};

use super::{
    fixture::{JWKS_URI, NONCE, TOKEN_ENDPOINT, VERIFIER, config, json, keys, now, tokens},
    keys::verify,
    page::{Page, Storage, Trip},
    token::{claims, with_claims},
};

/// A token, what it is held against, and what shall come of it.
pub struct Case {
    what: String,
    token: String,
    keys: String,
    config: Config,
    max_age: Option<u32>,
    access_token: String,
    expected: Option<Code>,
    both: bool,
}

/// A token that is accepted.
pub fn good(what: impl Into<String>, token: String) -> Case {
    Case {
        what: what.into(),
        token,
        keys: keys(),
        config: config(),
        max_age: None,
        access_token: "AT-1".to_owned(),
        expected: None,
        both: true,
    }
}

/// A token that is refused with this code.
pub fn bad(what: impl Into<String>, token: String, code: Code) -> Case {
    Case { expected: Some(code), ..good(what, token) }
}

impl Case {
    /// With these keys of the provider's.
    pub fn keys(self, keys: String) -> Self {
        Self { keys, ..self }
    }

    /// With this configuration.
    pub fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// `max_age` was asked for.
    pub fn max_age(self, max_age: u32) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// Straight through the core alone: a whole sign-in would end before, or be another client's.
    pub fn alone(self) -> Self {
        Self { both: false, ..self }
    }
}

/// Runs a table, and names every line that fails.
#[track_caller]
pub fn check(cases: impl IntoIterator<Item = Case>) {
    let mut count = 0;
    let mut failures = Vec::new();
    for case in cases {
        count += 1;
        failures.extend(case.failures().into_iter().map(|failure| format!("{}: {failure}", case.what)));
    }
    assert!(count > 0, "a table without lines");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
}

/// The rules of [`validate`], as a sign-in at OP-A has them.
pub fn expected<'a>(config: &'a Config, nonce: &'a Nonce, access_token: &'a AccessToken) -> Expected<'a> {
    Expected {
        issuer: config.provider().issuer(),
        client_id: config.client_id(),
        trusted_audiences: config.trusted_audiences(),
        nonce: ExpectedNonce::Of(nonce),
        access_token,
        subject: None,
        max_age: None,
        acr: None,
    }
}

/// The whole way of one token: read, find the keys, verify, validate.
pub fn verify_id_token(
    token: &str,
    keys: &str,
    config: &Config,
    expected: &Expected<'_>,
    now: UnixTime,
) -> Result<VerifiedIdToken, Code> {
    let keys = JwkSet::parse(keys.as_bytes()).map_err(|error| error.code())?;
    let token = SignedToken::parse(IdTokenText::new(token), config.algorithms()).map_err(|error| error.code())?;
    let candidates = keys.candidates(token.algorithm(), token.kid());
    if candidates.is_empty() {
        return Err(Code::KeyUnknown);
    }
    for key in candidates {
        let check = token.check(key).map_err(|error| error.code())?;
        let good = verify(&check);
        if let Some(proof) = check.outcome(good).into_proof() {
            return validate(token, &proof, expected, now).map_err(|error| error.code());
        }
    }
    Err(Code::IdTokenSignature)
}

/// What a tab holds in which u0 is signed in.
pub static SIGNED_IN: LazyLock<Storage> = LazyLock::new(|| {
    let trip = Trip { seed: 101, ..Trip::new(config()) };
    let mut page = trip.back();
    let token = with_claims(&claims().text("sub", "u0").text("nonce", &trip.nonce()).without("at_hash"));
    let answer = tokens(&token).text("access_token", "AT-0").text("refresh_token", "RT-0");
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, answer.json()));
    assert_eq!(page.subject().as_deref(), Some("u0"), "{:?}", page.error());
    page.storage
});

impl Case {
    fn failures(&self) -> Vec<String> {
        let mut failures = vec![self.alone_failure()];
        if self.both {
            failures.push(self.sign_in_failure(&Storage::new()).map(|failure| format!("nobody signed in: {failure}")));
            failures.push(self.sign_in_failure(&SIGNED_IN).map(|failure| format!("u0 signed in: {failure}")));
        }
        failures.into_iter().flatten().collect()
    }

    fn alone_failure(&self) -> Option<String> {
        let (nonce, access_token) = (Nonce::new(NONCE), AccessToken::new(self.access_token.as_str()));
        let expected = Expected { max_age: self.max_age, ..expected(&self.config, &nonce, &access_token) };
        let seen = verify_id_token(&self.token, &self.keys, &self.config, &expected, now()).err();
        (seen != self.expected).then(|| format!("expected {:?}, saw {seen:?}", self.expected))
    }

    fn sign_in_failure(&self, before: &Storage) -> Option<String> {
        let mut trip = Trip { storage: before.clone(), ..Trip::new(self.config.clone()) };
        trip.sign_in.max_age = self.max_age;
        let mut page = trip.back();
        page.answer(JWKS_URI, json(200, self.keys.clone()));
        let answer = tokens(&self.token).text("access_token", &self.access_token).text("refresh_token", "RT-1");
        page.answer(TOKEN_ENDPOINT, json(200, answer.json()));
        // The one forced fetch finds the same keys.
        if page.open_requests().contains(&JWKS_URI) {
            page.answer(JWKS_URI, json(200, self.keys.clone()));
        }
        if page.code() != self.expected {
            return Some(format!("expected {:?}, saw {:?}", self.expected, page.code()));
        }
        if self.expected.is_some() { left_over(&page, before, &self.token) } else { not_signed_in(&page) }
    }
}

fn not_signed_in(page: &Page) -> Option<String> {
    let mut keys = page.storage.keys();
    match (page.account(), keys.next(), keys.next()) {
        (None, ..) => Some("no account".to_owned()),
        (_, Some(key), None) if key.ends_with(":session") && !page.holds(VERIFIER) => None,
        _ => Some(format!("the storage holds {:?}", page.storage.keys())),
    }
}

/// TK-24: what is still there of a sign-in that was refused.
pub fn left_over(page: &Page, before: &Storage, token: &str) -> Option<String> {
    if page.storage != *before {
        return Some(format!("the storage holds {:?}", page.storage.keys()));
    }
    let subject = before.keys().any(|key| key.ends_with(":session")).then(|| "u0".to_owned());
    if page.subject() != subject {
        return Some(format!("{:?} is signed in", page.subject()));
    }
    let secrets = ["AT-1", "RT-1", "C-1", NONCE, VERIFIER];
    let token = Some(token).filter(|token| token.len() > 200);
    if let Some(secret) = secrets.into_iter().chain(token).find(|secret| page.holds(secret)) {
        return Some(format!("{secret} is still to be found"));
    }
    if page.scrubbed.as_deref() != Some("https://rp.example/callback") || !page.trace[0].starts_with("Scrub") {
        return Some(format!("the address: {:?}", page.scrubbed));
    }
    if page.count(TOKEN_ENDPOINT) != 1 || page.count(JWKS_URI) > 2 || page.verified > 10 {
        return Some(format!("{} token requests, {} signatures", page.count(TOKEN_ENDPOINT), page.verified));
    }
    let elsewhere = page.sent.iter().find(|sent| !sent.url.starts_with("https://op.example/"));
    elsewhere.map(|sent| format!("a request to {}", sent.url))
}
