//! FZ-06: only what the honest signer signed is accepted.

use std::sync::LazyLock;

use polar_signin_core::{
    config::Config,
    id_token::{Expected, validate},
    jwks::JwkSet,
    jws::SignedToken,
    secret::{AccessToken, IdTokenText, Nonce},
    time::UnixTime,
};

use super::{
    super::{
        case::{expected, verify_id_token},
        fixture::{NONCE, NOW, config, keys, now},
        keys::{Key, encode, jwks},
        token::{self, Members, claims, header_of, sign},
    },
    Choices,
};

/// A value of a table whose first `good` lines are honest; mostly one of these.
fn value(choices: &mut Choices<'_>, good: usize, table: &[&str], honest: &mut bool) -> String {
    let at = if choices.one_in(24) { choices.below(table.len()) } else { choices.below(good) };
    *honest &= at < good;
    table[at].to_owned()
}

/// The claims by choices, and whether an honest signer would have made them.
fn claims_by(choices: &mut Choices<'_>, honest: &mut bool) -> Members {
    let mut claims = claims();
    let nonce = format!("{NONCE:?}");
    let nonces = [&nonce, "null", r#""""#, r#""x""#, "1"];
    // The first of each are good; an empty text stands for a missing claim.
    let tables: [(&str, usize, &[&str]); 9] = [
        ("iss", 1, &[r#""https://op.example""#, "", r#""https://op.example/""#, r#""https://evil.example""#, "null"]),
        (
            "aud",
            3,
            &[r#""rp-1""#, r#"["rp-1"]"#, r#"["rp-1","rp-1"]"#, "", r#""rp-2""#, r#"["rp-1","rp-2"]"#, "[]", "1"],
        ),
        ("azp", 3, &["", r#""rp-1""#, "null", r#""rp-2""#, "5"]),
        ("sub", 2, &[r#""u1""#, r#""пользователь""#, "", r#""""#, "1", "null"]),
        ("exp", 3, &["1795395600", "1795391941", "1795395600.5", "", "1795391940", r#""1795395600""#, "1e300", "-1"]),
        ("iat", 3, &["1795392000", "1795305600", "1795391999.25", "", "1795392301", "1795305599", "null"]),
        ("nbf", 3, &["", "1795392060", "null", "1795392061", r#""x""#]),
        ("nonce", 1, &nonces),
        ("at_hash", 2, &[r#""3csgdAejgtMkuQDinuh5mg""#, "", r#""x""#, "null", "5"]),
    ];
    for (name, good, table) in tables {
        let value = value(choices, good, table, honest);
        claims = if value.is_empty() { claims.without(name) } else { claims.set(name, value) };
    }
    for n in 0..choices.below(4) {
        let json = ["0", "null", r#""x""#, "[]", r#"{"iss":"https://evil.example"}"#];
        claims = claims.set(&format!("x{n}"), choices.pick(&json));
    }
    if choices.one_in(40) {
        *honest = false;
        claims = choose_wrong(choices, claims);
    }
    let by = choices.below(16);
    claims.rotated(by)
}

fn choose_wrong(choices: &mut Choices<'_>, claims: Members) -> Members {
    match choices.below(4) {
        0 => claims.set("events", "{}"),
        1 => claims.also(r#""s\u0075b""#, r#""u2""#).also(r#""sub""#, r#""u1""#),
        2 => claims.set("x", "[".repeat(200) + &"]".repeat(200)),
        _ => claims.set("x", r#""\ud800""#),
    }
}

/// A token by choices of header, claims, signer and key set; then perhaps one change to the text.
pub fn mutations(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut honest = true;
    let claims = claims_by(&mut choices, &mut honest);

    let signer = if choices.one_in(24) { Key::Stranger } else { choices.pick(&[Key::K1, Key::K2, Key::E1]) };
    let mut header = header_of(signer);
    let right = format!("{:?}", signer.alg());
    let algs =
        [&right, "", r#""none""#, r#""HS256""#, r#""RS384""#, r#""PS256""#, r#""rs256""#, "null", r#"["RS256"]"#];
    let alg = value(&mut choices, 1, &algs, &mut honest);
    header = if alg.is_empty() { header.without("alg") } else { header.set("alg", alg) };
    let kid = format!("{:?}", signer.kid());
    let kid = value(&mut choices, 2, &[&kid, "", r#""K1""#, r#""""#, "1", "null"], &mut honest);
    header = if kid.is_empty() { header.without("kid") } else { header.set("kid", kid) };
    let typs = [r#""JWT""#, "", r#""application/jwt""#, r#""at+jwt""#, "1", "null"];
    let typ = value(&mut choices, 3, &typs, &mut honest);
    header = if typ.is_empty() { header.without("typ") } else { header.set("typ", typ) };
    if choices.one_in(16) {
        let extra = [
            ("x", "1"),
            ("jwk", "{}"),
            ("b64", "false"),
            ("crit", r#"["exp"]"#),
            ("zip", r#""DEF""#),
            ("cty", r#""JWT""#),
        ];
        let at = choices.below(extra.len());
        honest &= at < 3;
        header = header.set(extra[at].0, extra[at].1);
    }
    header = header.rotated(choices.below(4));

    // Which keys the provider publishes, and how.
    let mut published = Vec::new();
    let mut signer_is_there = false;
    for key in [Key::K3, Key::K1, Key::E2, Key::D1, Key::K2, Key::E1] {
        if choices.one_in(12) {
            continue;
        }
        let jwk = match choices.below(24) {
            0 => key.jwk().text("use", "enc"),
            1 => key.jwk().text("alg", "RS512"),
            2 => key.jwk().text("kid", "other"),
            3 => key.jwk().without("alg").without("use"),
            _ => key.jwk(),
        };
        let text = jwk.json();
        let usable = !text.contains("\"enc\"") && !text.contains("RS512");
        let named = !text.contains("\"other\"") || header.json().find("\"kid\"").is_none();
        signer_is_there |= key == signer && usable && named;
        published.push(jwk);
    }
    let by = choices.below(published.len().max(1));
    published.rotate_left(by);
    honest &= signer_is_there;

    let mut text = sign(&header, &claims, signer);
    if choices.one_in(8) {
        honest &= !tamper(&mut choices, &mut text);
    }
    let (nonce, access_token) = (Nonce::new(NONCE), AccessToken::new("AT-1"));
    let config = config();
    let seen = verify_id_token(&text, &jwks(&published), &config, &expected(&config, &nonce, &access_token), now());
    assert_eq!(seen.is_ok(), honest, "{} {} signed by {signer:?}: {seen:?}", header.json(), claims.json());
}

/// Changes the text; whether it is another one now.
fn tamper(choices: &mut Choices<'_>, text: &mut String) -> bool {
    let before = text.clone();
    let at = choices.below(text.len());
    match choices.below(5) {
        0 => {
            let mut bytes = core::mem::take(text).into_bytes();
            bytes[at] ^= 1 << choices.below(7);
            *text = String::from_utf8(bytes).expect("ASCII");
        }
        1 => text.truncate(at),
        2 => text.insert(at, choices.pick(&['=', '.', 'A', ' ', '\n', '\u{0}'])),
        3 => drop(text.remove(at)),
        _ => {
            let good = token::good();
            let mut mine: Vec<&str> = before.split('.').collect();
            let others: Vec<&str> = good.split('.').collect();
            let at = choices.below(3);
            mine[at] = others[at];
            *text = mine.join(".");
        }
    }
    *text != before
}

/// Every single bit of this token, flipped: refused. Returns how many.
pub fn every_bit(key: Key) -> usize {
    let text = sign(&header_of(key), &claims(), key);
    let set = jwks(&[key.jwk()]);
    let (nonce, access_token, config) = (Nonce::new(NONCE), AccessToken::new("AT-1"), config());
    let expected = expected(&config, &nonce, &access_token);
    assert!(verify_id_token(&text, &set, &config, &expected, now()).is_ok());
    let mut flipped = 0;
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            // Without UTF-8 it cannot even be a JSON string.
            let Ok(other) = String::from_utf8(bytes) else { continue };
            flipped += 1;
            let seen = verify_id_token(&other, &set, &config, &expected, now());
            assert!(seen.is_err(), "byte {at}, bit {bit}: {other}");
        }
    }
    flipped
}

/// Whether these claims are accepted at this time, were their signature good.
fn accepted(text: &str, expected: &Expected<'_>, config: &Config, now: UnixTime) -> bool {
    let token = SignedToken::parse(IdTokenText::new(text), config.algorithms()).expect("in good form");
    static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet::parse(keys().as_bytes()).expect("a key set"));
    let key = KEYS.candidates(token.algorithm(), token.kid()).remove(0);
    // The signature itself is no matter of time.
    let proof = token.check(key).expect("a plausible signature").outcome(true).into_proof().expect("said yes");
    validate(token, &proof, expected, now).is_ok()
}

/// Whatever its times: a token is good from one moment to another, without a gap.
pub fn interval(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut time = |spread: i64| NOW + ((i64::from(choices.byte()) << 8 | i64::from(choices.byte())) - 32_768) * spread;
    let (issued, expires, not_before, auth_time) = (time(3), time(5), time(2), time(1));
    let mut claims = claims().number("iat", issued).number("exp", expires);
    let has_not_before = choices.one_in(2);
    if has_not_before {
        claims = claims.number("nbf", not_before);
    }
    let max_age = choices.one_in(2).then(|| u32::from(choices.byte()) * 100);
    claims = claims.number("auth_time", auth_time);
    let text = format!(
        "{}.{}",
        token::signing_input(token::header().json().as_bytes(), claims.json().as_bytes()),
        encode(&[1; 256])
    );

    let config = config();
    let (nonce, access_token) = (Nonce::new(NONCE), AccessToken::new("AT-1"));
    let expected = Expected { max_age, ..expected(&config, &nonce, &access_token) };
    // Every rule is a stretch of time, so what they have in common is one, too. In milliseconds,
    // both ends included.
    let mut stretch = (1000 * (issued - 300), 1000 * (issued + 86_400));
    let mut within = |first: i64, last: i64| stretch = (stretch.0.max(first), stretch.1.min(last));
    within(i64::MIN, 1000 * (expires + 60) - 1);
    if expires <= issued {
        within(1000 * issued, i64::MAX);
    }
    if has_not_before {
        within(1000 * (not_before - 60), i64::MAX);
    }
    if let Some(max_age) = max_age {
        within(1000 * (auth_time - 300), 1000 * (auth_time + i64::from(max_age) + 60));
    }

    let edges = [stretch.0, stretch.1, 1000 * issued, 1000 * expires, 1000 * not_before, 1000 * auth_time];
    let near =
        [0; 3].map(|_| choices.pick(&edges) + choices.pick(&[-1, 1, -1000, 1000, -60_000, 60_000, -300_000, 300_000]));
    let beyond = [stretch.0 - 1, stretch.1 + 1, stretch.0 - 90_000_000, stretch.1 + 90_000_000];
    for at in edges.into_iter().chain(near).chain(beyond) {
        let seen = accepted(&text, &expected, &config, UnixTime::from_millis(at));
        assert_eq!(seen, (stretch.0..=stretch.1).contains(&at), "{} at {at}, of {stretch:?}", claims.json());
    }
}
