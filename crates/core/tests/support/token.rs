//! Tokens to any taste: header and claims as text, member by member, then signed.

use std::sync::LazyLock;

use super::{
    fixture::{CLIENT_ID, ISSUER, NONCE, NOW},
    imitation,
    keys::{Key, encode},
};

/// A JSON object as it will be written: names and raw JSON values, in order, also twice.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<(String, String)>);

impl Members {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a member to raw JSON, in its old place if it is there.
    pub fn set(mut self, name: &str, json: impl Into<String>) -> Self {
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, value)) => *value = json.into(),
            None => self.0.push((name.to_owned(), json.into())),
        }
        self
    }

    /// Sets a member to a string.
    pub fn text(self, name: &str, value: &str) -> Self {
        let json = serde_json::to_string(value).expect("a string is JSON");
        self.set(name, json)
    }

    /// Sets a member to a number.
    pub fn number(self, name: &str, value: i64) -> Self {
        self.set(name, value.to_string())
    }

    /// Takes a member out.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    /// Writes one more member, of whatever name: given as raw JSON, quotes included.
    pub fn also(mut self, raw_name: &str, json: &str) -> Self {
        self.0.push((format!("\u{0}{raw_name}"), json.to_owned()));
        self
    }

    /// The names and raw values, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The same members in another order.
    pub fn rotated(mut self, by: usize) -> Self {
        let by = by % self.0.len().max(1);
        self.0.rotate_left(by);
        self
    }

    /// The object's text.
    pub fn json(&self) -> String {
        let member = |(name, value): &(String, String)| match name.strip_prefix('\u{0}') {
            Some(raw) => format!("{raw}:{value}"),
            None => format!("{}:{value}", serde_json::to_string(name).expect("a string is JSON")),
        };
        format!("{{{}}}", self.0.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

/// The good header of this key: `alg`, `kid`, `typ`.
pub fn header_of(key: Key) -> Members {
    Members::new().text("alg", key.alg()).text("kid", key.kid()).text("typ", "JWT")
}

/// The good header.
pub fn header() -> Members {
    header_of(Key::K1)
}

/// The good claims.
pub fn claims() -> Members {
    Members::new()
        .text("iss", ISSUER)
        .text("sub", "u1")
        .text("aud", CLIENT_ID)
        .number("exp", NOW + 3600)
        .number("iat", NOW)
        .text("nonce", NONCE)
        .text("at_hash", "3csgdAejgtMkuQDinuh5mg")
}

/// Signs header and claims as they are written.
pub fn sign(header: &Members, claims: &Members, key: Key) -> String {
    sign_text(&header.json(), claims.json().as_bytes(), key)
}

/// Signs any header and any payload.
pub fn sign_text(header: &str, payload: &[u8], key: Key) -> String {
    let input = signing_input(header.as_bytes(), payload);
    let signature = key.sign(input.as_bytes());
    format!("{input}.{}", encode(&signature))
}

/// Header and payload, encoded and joined.
pub fn signing_input(header: &[u8], payload: &[u8]) -> String {
    format!("{}.{}", encode(header), encode(payload))
}

/// The good token.
pub fn good() -> String {
    static GOOD: LazyLock<String> = LazyLock::new(|| sign(&header(), &claims(), Key::K1));
    // Whichever is made first is kept.
    if imitation::is_on() { sign(&header(), &claims(), Key::K1) } else { GOOD.clone() }
}

/// A token whose claims are mutated, with the good header, signed with k1.
pub fn with_claims(claims: &Members) -> String {
    sign(&header(), claims, Key::K1)
}

/// A token whose header is mutated, with the good claims, signed with k1.
pub fn with_header(header: &Members) -> String {
    sign(header, &claims(), Key::K1)
}
