//! Section 4 of the matrix, to ID-09: who signed the ID token, and how. Each line is the good token
//! of the fixtures with one mutation, signed again with k1 unless it says otherwise.

mod support;

use polar_signin_core::{error::Code, jws::Algorithm};
use support::{
    case::{Case, bad, check, good},
    fixture::config,
    keys::{Key, encode, hs256, jwks},
    token::{self, Members, claims, header, header_of, sign, signing_input, with_claims, with_header},
};

/// Keys as the conformance suite publishes them: three of each kind.
fn twelve_keys() -> Vec<Members> {
    let point = encode(&[1; 32]);
    let fake = |kty: &str, crv: &str| Members::new().text("kty", kty).text("crv", crv).text("x", &point);
    let mut keys = vec![Key::K1.jwk(), Key::K2.jwk(), Key::K3.jwk(), Key::E1.jwk(), Key::E2.jwk()];
    keys.push(Key::E1.bare_jwk().text("kid", "e3"));
    keys.extend((0..3).map(|n| fake("EC", "secp256k1").text("y", &point).text("kid", &format!("s{n}"))));
    keys.push(Key::D1.jwk());
    keys.extend(["X25519", "Ed448"].map(|crv| fake("OKP", crv).text("kid", crv)));
    keys
}

/// RSA keys of the right size that nobody has.
fn nobodys_keys(count: u8) -> impl Iterator<Item = Members> {
    (0..count).map(|n| {
        let mut modulus = Key::K2.modulus();
        modulus[100] ^= n + 1;
        Key::K2.bare_jwk().text("n", &encode(&modulus))
    })
}

fn es256() -> Case {
    good("ES256", sign(&header_of(Key::E1), &claims(), Key::E1)).keys(jwks(&[Key::K1.jwk(), Key::E1.jwk()]))
}

#[test]
fn id_01_good_tokens() {
    let polar = Members::new().text("typ", "JWT").text("alg", "RS256");
    check([
        good("RS256, kid k1", token::good()),
        es256(),
        good("Polar's header: no kid, one key", with_header(&polar)),
    ]);
}

#[test]
fn id_02_no_kid_and_many_keys() {
    let header = header().without("kid");
    let signed_by = |key| sign(&header, &claims(), key);
    let with = |before: u8| jwks(&nobodys_keys(before).chain([Key::K1.bare_jwk()]).collect::<Vec<_>>());
    check([
        good("the second of three RSA keys among twelve", signed_by(Key::K2)).keys(jwks(&twelve_keys())),
        bad("none of the twelve", signed_by(Key::Stranger), Code::IdTokenSignature).keys(jwks(&twelve_keys())),
        good("the tenth of ten", signed_by(Key::K1)).keys(with(9)),
        bad("the eleventh is not tried", signed_by(Key::K1), Code::IdTokenSignature).keys(with(10)),
    ]);
}

#[test]
fn id_03_alg_none() {
    let input = signing_input(header().text("alg", "none").json().as_bytes(), claims().json().as_bytes());
    check([
        bad("an empty third segment", format!("{input}."), Code::IdTokenAlgorithm),
        bad("a random third segment", format!("{input}.{}", encode(&[0x5a; 256])), Code::IdTokenAlgorithm),
    ]);
}

#[test]
fn id_04_alg_in_odd_spellings() {
    let spellings = [
        r#""None""#,
        r#""nOnE""#,
        r#"" none""#,
        r#""none\u0000""#,
        r#""rs256""#,
        r#""RS256 ""#,
        r#""""#,
        "null",
        "5",
        r#"["RS256"]"#,
    ];
    let table = spellings.map(|alg| bad(alg, with_header(&header().set("alg", alg)), Code::IdTokenAlgorithm));
    check(table.into_iter().chain([bad("missing", with_header(&header().without("alg")), Code::IdTokenAlgorithm)]));
}

#[test]
fn id_05_a_mac_with_the_public_key() {
    let header = header().text("alg", "HS256");
    let input = signing_input(header.json().as_bytes(), claims().json().as_bytes());
    let keys = [
        ("PEM", Key::K1.spki_pem().into_bytes()),
        ("DER", Key::K1.spki()),
        ("the modulus", Key::K1.modulus()),
        ("the modulus as text", encode(&Key::K1.modulus()).into_bytes()),
        ("the key set's text", support::fixture::keys().into_bytes()),
        ("the client id", b"rp-1".to_vec()),
        ("nothing", Vec::new()),
    ];
    check(keys.map(|(what, key)| {
        let signature = encode(&hs256(&key, input.as_bytes()));
        bad(what, format!("{input}.{signature}"), Code::IdTokenAlgorithm)
    }));
}

#[test]
fn id_06_algorithms_and_keys_that_do_not_belong_together() {
    let not_allowed = ["RS1", "RS384", "ES256K", "EdDSA", "HS512", "PS256"]
        .map(|alg| bad(alg, with_header(&header().text("alg", alg)), Code::IdTokenAlgorithm));
    check(not_allowed);

    let both = jwks(&[Key::K1.jwk(), Key::E1.jwk()]);
    let with_ps256 = || config().allow_algorithm(Algorithm::Ps256);
    let input = signing_input(header().text("alg", "PS256").json().as_bytes(), claims().json().as_bytes());
    let ps256 = format!("{input}.{}", encode(&Key::K1.sign_pss(input.as_bytes())));
    let p384 = Key::E1.jwk().text("crv", "P-384").text("x", &encode(&[1; 48])).text("y", &encode(&[1; 48]));
    check([
        bad("RS256 with the kid of an EC key", with_header(&header().text("kid", "e1")), Code::KeyUnknown)
            .keys(both.clone()),
        bad(
            "ES256 with the kid of an RSA key",
            sign(&header().text("alg", "ES256"), &claims(), Key::E1),
            Code::KeyUnknown,
        )
        .keys(both),
        bad("PS256 with a key for RS256", ps256.clone(), Code::KeyUnknown).config(with_ps256()),
        good("PS256 with a key for RSA", ps256)
            .config(with_ps256())
            .keys(jwks(&[Key::K1.bare_jwk().text("kid", "k1")])),
        bad("ES256 with a P-384 key", sign(&header_of(Key::E1), &claims(), Key::E1), Code::KeyUnknown)
            .keys(jwks(&[p384])),
    ]);
}

#[cfg(feature = "eddsa")]
#[test]
fn id_06_eddsa_is_off_until_it_is_allowed() {
    let token = sign(&header_of(Key::D1), &claims().without("at_hash"), Key::D1);
    let keys = || jwks(&[Key::D1.jwk(), Key::K1.jwk()]);
    check([
        bad("off", token.clone(), Code::IdTokenAlgorithm).keys(keys()),
        good("on", token).config(config().allow_algorithm(Algorithm::EdDsa)).keys(keys()),
    ]);
}

/// The good token of this key with another signature.
fn with_signature(key: Key, change: impl Fn(&mut Vec<u8>)) -> String {
    let input = signing_input(header_of(key).json().as_bytes(), claims().json().as_bytes());
    let mut signature = key.sign(input.as_bytes());
    change(&mut signature);
    format!("{input}.{}", encode(&signature))
}

#[test]
fn id_07_broken_signatures() {
    let k1 = |what: &str, change: fn(&mut Vec<u8>)| bad(what, with_signature(Key::K1, change), Code::IdTokenSignature);
    check([
        k1("every byte ^ 0x5a", |s| s.iter_mut().for_each(|byte| *byte ^= 0x5a)),
        k1("one bit", |s| s[128] ^= 1),
        k1("one byte shorter", |s| s.truncate(255)),
        k1("one byte longer", |s| s.push(0)),
        k1("a zero before it", |s| s.insert(0, 0)),
        k1("empty", Vec::clear),
        k1("zeros", |s| s.fill(0)),
    ]);
    // The order of P-256.
    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let e1 = |what: &str, change: fn(&mut Vec<u8>)| {
        bad(what, with_signature(Key::E1, change), Code::IdTokenSignature).keys(jwks(&[Key::E1.jwk()]))
    };
    let order = || (0..32).map(|at| u8::from_str_radix(&N[at * 2..at * 2 + 2], 16).expect("hex")).collect::<Vec<_>>();
    let r_is_n = with_signature(Key::E1, |s| drop(s.splice(..32, order())));
    let input = signing_input(header_of(Key::E1).json().as_bytes(), claims().json().as_bytes());
    let der = format!("{input}.{}", encode(&Key::E1.sign_der(input.as_bytes())));
    check([
        e1("ES256: every byte ^ 0x5a", |s| s.iter_mut().for_each(|byte| *byte ^= 0x5a)),
        e1("ES256: r = s = 0", |s| s.fill(0)),
        e1("ES256: r = 0", |s| s[..32].fill(0)),
        e1("ES256: s = 0", |s| s[32..].fill(0)),
        e1("ES256: r larger than n", |s| s[..32].fill(0xff)),
        e1("ES256: one byte shorter", |s| s.truncate(63)),
        e1("ES256: empty", Vec::clear),
        bad("ES256: r = n", r_is_n, Code::IdTokenSignature).keys(jwks(&[Key::E1.jwk()])),
        bad("ES256: DER", der, Code::IdTokenSignature).keys(jwks(&[Key::E1.jwk()])),
    ]);
}

#[test]
fn id_08_content_changed_after_signing() {
    let token = token::good();
    let parts: Vec<&str> = token.split('.').collect();
    let other = with_claims(&claims().text("sub", "u2"));
    let payload = encode(claims().text("sub", "admin").json().as_bytes());
    let changed = encode(header().set("x", "1").json().as_bytes());
    let others_signature = other.rsplit('.').next().expect("a signature");
    check([
        bad("the payload", format!("{}.{payload}.{}", parts[0], parts[2]), Code::IdTokenSignature),
        bad("the header", format!("{changed}.{}.{}", parts[1], parts[2]), Code::IdTokenSignature),
        bad("another's signature", format!("{}.{}.{others_signature}", parts[0], parts[1]), Code::IdTokenSignature),
    ]);
}

#[test]
fn id_09_keys_that_the_token_brings_along() {
    let jwk = Key::Stranger.jwk().json();
    let x5c = format!("[{:?}]", base64(&Key::Stranger.spki()));
    let members = [
        ("jwk", jwk.as_str()),
        ("jku", r#""https://evil.example/k""#),
        ("x5u", r#""https://evil.example/k""#),
        ("x5c", x5c.as_str()),
    ];
    // That nothing is fetched from elsewhere is seen with each refused token.
    check(members.into_iter().flat_map(|(name, value)| {
        let header = header().set(name, value);
        [
            bad(format!("{name}, kid k1"), sign(&header, &claims(), Key::Stranger), Code::IdTokenSignature),
            bad(
                format!("{name}, no kid"),
                sign(&header.without("kid"), &claims(), Key::Stranger),
                Code::IdTokenSignature,
            ),
        ]
    }));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
