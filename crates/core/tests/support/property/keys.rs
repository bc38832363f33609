//! FZ-07: which keys are tried on a token.

use polar_signin_core::{
    jwks::{JwkSet, PublicKey},
    jws::Algorithm,
};
use serde_json::Value;

use super::{
    super::{
        keys::{Key, decode, encode},
        token::Members,
    },
    Choices,
};

/// A JWK by choices: mostly good, with some member missing, odd or of another kind.
fn jwk(choices: &mut Choices<'_>, tag: u8) -> Members {
    let keys = [Key::K1, Key::K2, Key::K3, Key::E1, Key::E2, Key::Short, Key::D1];
    let mut jwk = choices.pick(&keys).bare_jwk();
    // Each its own, so that keys can be told apart.
    if jwk.pairs().iter().any(|(name, _)| name == "n") {
        let mut modulus = Key::K1.modulus();
        modulus[17] = tag;
        modulus.truncate(choices.pick(&[256, 256, 256, 128, 255]));
        jwk = jwk.text("n", &encode(&modulus));
    }
    let kids = ["", r#""k1""#, r#""k2""#, "null", "7", r#""__proto__""#, r#""K1""#];
    let algs = ["", "", r#""RS256""#, r#""ES256""#, r#""PS256""#, r#""EdDSA""#, r#""HS256""#, r#""none""#, "5", "null"];
    let uses = ["", "", "", r#""sig""#, r#""enc""#, r#""""#, "1", "null"];
    let operations =
        ["", "", "", "", r#"["verify"]"#, r#"["sign","verify"]"#, r#"["encrypt"]"#, "[]", r#""verify""#, "{}"];
    for (name, values) in [("kid", &kids[..]), ("alg", &algs), ("use", &uses), ("key_ops", &operations)] {
        let value = choices.pick(values);
        if !value.is_empty() {
            jwk = jwk.set(name, value);
        }
    }
    match choices.below(24) {
        0 => jwk.without("kty"),
        1 => jwk.text("kty", choices.pick(&["oct", "rsa", "", "AKP", "RSA", "EC", "OKP"])),
        2 => jwk.set("kty", "[]"),
        3 => jwk.text("crv", choices.pick(&["P-384", "secp256k1", "X25519", "P-256", "Ed25519"])),
        4 => jwk.text("e", choices.pick(&["AQ", "Ag", "AQAA", "AAEAAQ", "", "AQAAAAAAAAAB", "Aw", "A"])),
        5 => jwk.text("x", &encode(&vec![1; choices.pick(&[0, 31, 32, 33])])),
        6 => jwk.text("k", &encode(b"shared")),
        7 => jwk.set("n", "1"),
        _ => jwk,
    }
}

/// The rules of RFC 7517, 7518 and the matrix, written down a second time.
fn usable(jwk: &Value, algorithm: Algorithm, kid: Option<&str>) -> bool {
    let present = |name: &str| jwk.get(name).filter(|value| !value.is_null());
    let text_or_absent = |name: &str| present(name).is_none_or(Value::is_string);
    let name = match algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
        Algorithm::Ps256 => "PS256",
        #[cfg(feature = "eddsa")]
        Algorithm::EdDsa => "EdDSA",
    };
    let bytes = |name: &str| jwk.get(name).and_then(Value::as_str).and_then(decode);
    let sized = |name: &str| bytes(name).is_some_and(|bytes| bytes.len() == 32);
    let (kty, crv) = (jwk.get("kty").and_then(Value::as_str), jwk.get("crv").and_then(Value::as_str));
    let key_fits = match name {
        "RS256" | "PS256" => {
            let n = bytes("n").is_some_and(|n| (256..=1024).contains(&n.len()) && n[0] >= 128);
            let e = bytes("e")
                .is_some_and(|e| (1..=8).contains(&e.len()) && e[0] != 0 && e[e.len() - 1] % 2 == 1 && e != [1]);
            kty == Some("RSA") && n && e
        }
        "ES256" => kty == Some("EC") && crv == Some("P-256") && sized("x") && sized("y"),
        _ => kty == Some("OKP") && crv == Some("Ed25519") && sized("x"),
    };
    key_fits
        && ["use", "kid", "alg"].into_iter().all(text_or_absent)
        && present("use").is_none_or(|usage| usage == "sig")
        && present("alg").is_none_or(|alg| alg == name)
        && kid.is_none_or(|kid| jwk.get("kid").and_then(Value::as_str) == Some(kid))
        && present("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")))
}

/// What identifies a key, as the JWK has it.
fn number(key: &PublicKey) -> String {
    match key {
        PublicKey::Rsa { n, e } => format!("{n} {e}"),
        PublicKey::P256 { x, y } => format!("{x} {y}"),
        #[cfg(feature = "eddsa")]
        PublicKey::Ed25519 { x } => x.clone(),
    }
}

fn number_of(jwk: &Value) -> String {
    let names = if jwk["kty"] == "RSA" { ["n", "e"] } else { ["x", "y"] };
    let texts = names.iter().filter_map(|name| jwk.get(name).and_then(Value::as_str));
    texts.collect::<Vec<_>>().join(" ")
}

/// A key set by choices: the keys that are tried are those that the rules name, in their order,
/// at most ten; turning the set round changes nothing.
pub fn select(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let algorithm = choices.pick(&[Algorithm::Rs256, Algorithm::Es256, Algorithm::Ps256]);
    let kid = choices.pick(&[None, Some("k1"), Some("k2"), Some("__proto__"), Some("")]);
    let mut members: Vec<String> = Vec::new();
    for tag in 0..choices.below(16) as u8 {
        let junk = ["null", "1", "[]", r#""x""#, "{}"];
        members.push(if choices.one_in(8) { choices.pick(&junk).to_owned() } else { jwk(&mut choices, tag).json() });
    }
    let set = |members: &[String]| format!("{{\"keys\":[{}]}}", members.join(","));
    let candidates = |members: &[String]| -> Vec<String> {
        let set = set(members);
        let keys = JwkSet::parse(set.as_bytes()).expect("at most a hundred").candidates(algorithm, kid);
        keys.iter().map(number).collect()
    };
    let seen = candidates(&members);
    let parsed: Vec<Value> = members.iter().map(|member| serde_json::from_str(member).expect("JSON")).collect();
    let all: Vec<String> = parsed.iter().filter(|jwk| usable(jwk, algorithm, kid)).map(number_of).collect();
    let most = all.len().min(10);
    assert_eq!(seen, all[..most], "{algorithm:?}, kid {kid:?} of {}", set(&members));

    // As a set, they are the same in whatever order the provider has them; of more than ten, it is
    // the first ten that are tried.
    let mut other = candidates(&choices.shuffled(&members));
    assert_eq!(other.len(), most);
    assert!(other.iter().all(|key| all.contains(key)));
    if all.len() <= 10 {
        let mut seen = seen;
        seen.sort_unstable();
        other.sort_unstable();
        assert_eq!(other, seen);
    }
}
