//! Section 2 of the matrix, from DS-20: the provider's keys.

mod support;

use polar_signin_core::{
    error::Code,
    http::{Failure, HttpOutcome},
    jwks::{self, JwkSet, PublicKey},
    jws::Algorithm,
    time::UnixTime,
    url::{EndpointUrl, Transport},
};
use support::{
    case::{bad, check, good},
    fixture::{JWKS_URI, NOW, REDIRECT_URI, TOKEN_ENDPOINT, answer, config, html, json, keys, tokens},
    keys::{Key, encode, jwks},
    page::{Page, Storage, Trip},
    token::{self, Members, claims, header, header_of, sign},
};

/// How many keys of this set are tried on a token of this algorithm and kid.
fn candidates(set: &str, algorithm: Algorithm, kid: Option<&str>) -> Vec<PublicKey> {
    JwkSet::parse(set.as_bytes()).expect("a key set").candidates(algorithm, kid)
}

fn rs256(set: &[Members]) -> usize {
    candidates(&jwks(set), Algorithm::Rs256, None).len()
}

#[test]
fn ds_20_shapes_of_a_key_set() {
    for set in ["{}", r#"{"keys":{}}"#, "[]", "null", r#""keys""#, r#"{"keys":null}"#, r#"{"keys":[],"keys":[]}"#, ""] {
        let seen = JwkSet::parse(set.as_bytes()).map(|_| ()).map_err(|error| error.code());
        assert_eq!(seen, Err(Code::KeysMalformed), "{set}");
        let page = Trip::new(config()).complete(json(200, tokens(&token::good()).json()), set);
        assert_eq!(page.code(), Some(Code::KeysMalformed), "{set}");
        assert!(page.storage.is_empty(), "{set}");
    }
    let members = [r#"{"keys":[null,1,"x",[],{}]}"#, r#"{"keys":[]}"#];
    check(members.map(|set| bad(set, token::good(), Code::KeyUnknown).keys(set.to_owned())));
}

#[test]
fn ds_21_a_key_set_with_keys_of_every_kind() {
    let k1 = Key::K1.jwk();
    let k2 = || Key::K2.bare_jwk();
    let point = encode(&[1; 32]);
    let curve = |kty: &str, crv: &str| Members::new().text("kty", kty).text("crv", crv).text("x", &point);
    let odd = [
        curve("EC", "secp256k1").text("y", &point),
        curve("EC", "P-521").text("y", &point),
        curve("OKP", "X25519"),
        Key::D1.bare_jwk(),
        Members::new().text("kty", "oct").text("k", &encode(b"rp-1")),
        Members::new().text("kty", "AKP").text("pub", &point),
        k2().without("kty"),
        k2().set("kty", "5"),
        k2().text("kty", "rsa"),
        k2().text("use", "enc"),
        k2().set("use", "1"),
        k2().set("key_ops", r#"["encrypt"]"#),
        k2().set("key_ops", "[]"),
        k2().set("key_ops", r#""verify""#),
        k2().set("kid", "7"),
        k2().set("alg", "[]"),
        k2().text("alg", "RS512"),
        k2().text("alg", "HS256"),
        k2().without("n"),
        k2().set("e", "65537"),
        k2().text("n", "not base64url!"),
        Members::new(),
    ];
    // Beside the good one each is left out, and spoils nothing.
    for odd in &odd {
        assert_eq!(rs256(&[odd.clone(), k1.clone()]), 1, "{}", odd.json());
        assert_eq!(rs256(std::slice::from_ref(odd)), 0, "{}", odd.json());
    }
    let all: Vec<_> = odd.into_iter().chain([k1]).collect();
    let of_k2 = sign(&header().without("kid"), &claims(), Key::K2);
    check([
        good("only k1 is tried", token::good()).keys(jwks(&all)),
        good("also without a kid", sign(&header().without("kid"), &claims(), Key::K1)).keys(jwks(&all)),
        bad("no k2 is usable", of_k2, Code::IdTokenSignature).keys(jwks(&all)),
    ]);
    for usable in [k2().set("key_ops", r#"["sign","verify"]"#), k2().set("use", "null"), k2().text("unheard", "of")] {
        assert_eq!(rs256(std::slice::from_ref(&usable)), 1, "{}", usable.json());
    }
}

#[test]
fn ds_22_keys_of_bad_size_or_form() {
    let modulus = |bits: usize| {
        let mut bytes = vec![0xa5; bits / 8];
        bytes[0] |= 0x80;
        encode(&bytes)
    };
    let n = |n: &str| rs256(&[Key::K1.bare_jwk().text("n", n)]);
    let e = |e: &[u8]| rs256(&[Key::K1.bare_jwk().text("e", &encode(e))]);
    let seen = [1024, 2040, 2048, 4096, 8192, 8200, 16_384].map(|bits| (bits, n(&modulus(bits))));
    assert_eq!(seen, [(1024, 0), (2040, 0), (2048, 1), (4096, 1), (8192, 1), (8200, 0), (16_384, 0)]);
    let padded: Vec<u8> = [0].into_iter().chain(Key::K1.modulus()).collect();
    assert_eq!((n(&encode(&padded)), n("")), (0, 0), "leading zeros; empty");

    for (bytes, usable) in [
        (&[1][..], 0),
        (&[2], 0),
        (&[3], 1),
        (&[1, 0, 1], 1),
        (&[1, 0, 0], 0),
        (&[0, 1, 0, 1], 0),
        (&[0xff; 8], 1),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 1], 0),
        (&[], 0),
    ] {
        assert_eq!(e(bytes), usable, "e = {bytes:?}");
    }
    // A key that is too short is refused although it did sign.
    let short = sign(&header_of(Key::Short), &claims(), Key::Short);
    check([bad("RSA 1024", short, Code::KeyUnknown).keys(jwks(&[Key::Short.jwk(), Key::K1.jwk()]))]);

    let ec = |name: &str, bytes: &[u8]| {
        candidates(&jwks(&[Key::E1.bare_jwk().text(name, &encode(bytes))]), Algorithm::Es256, None).len()
    };
    for name in ["x", "y"] {
        assert_eq!([31, 32, 33, 0].map(|length| ec(name, &vec![1; length])), [0, 1, 0, 0], "{name}");
    }
    // Whoever verifies cannot import a point that is not on the curve, and says no: the next key is tried.
    let off_curve = Key::E1.jwk().text("y", &encode(&[1; 32]));
    let token = || sign(&header_of(Key::E1), &claims(), Key::E1);
    check([
        good("a point off the curve beside the good key", token()).keys(jwks(&[off_curve.clone(), Key::E1.jwk()])),
        bad("a point off the curve alone", token(), Code::IdTokenSignature).keys(jwks(&[off_curve])),
    ]);
}

#[test]
fn ds_23_too_many_keys_and_the_same_kid_twice() {
    let set =
        |count: usize| jwks(&vec![Members::new(); count - 1].into_iter().chain([Key::K1.jwk()]).collect::<Vec<_>>());
    for count in [101, 10_000] {
        let seen = JwkSet::parse(set(count).as_bytes()).map(|_| ()).map_err(|error| error.code());
        assert_eq!(seen, Err(Code::KeysMalformed), "{count}");
    }
    let same_kid = |keys: &[Key]| jwks(&keys.iter().map(|key| key.jwk().text("kid", "k1")).collect::<Vec<_>>());
    let es256 = sign(&header_of(Key::E1).text("kid", "k1"), &claims(), Key::E1);
    let es256 = es256.as_str();
    check([
        good("100 keys", token::good()).keys(set(100)),
        good("RSA and EC, for RS256", token::good()).keys(same_kid(&[Key::E1, Key::K1])),
        good("RSA and EC, for ES256", es256.to_owned()).keys(same_kid(&[Key::K1, Key::E1])),
        good("RSA and RSA: the first", token::good()).keys(same_kid(&[Key::K1, Key::K2])),
        good("RSA and RSA: the second", token::good()).keys(same_kid(&[Key::K2, Key::K1])),
        bad("neither", token::good(), Code::IdTokenSignature).keys(same_kid(&[Key::K2, Key::K3])),
    ]);
    let eleven: Vec<_> = (0..11).map(|_| Key::K1.jwk()).collect();
    assert_eq!(candidates(&jwks(&eleven), Algorithm::Rs256, Some("k1")).len(), 10);
}

#[test]
fn ds_24_a_key_changed_just_before_signing() {
    let rotated = || jwks(&[Key::K1.jwk(), Key::K2.jwk()]);
    for (what, header) in [("kid k2", header_of(Key::K2)), ("no kid", header().without("kid"))] {
        let token = sign(&header, &claims(), Key::K2);
        let mut page = Trip::new(config()).complete(json(200, tokens(&token).json()), &keys());
        assert_eq!(
            (page.code(), page.open_requests()),
            (None, vec![JWKS_URI]),
            "{what}: at once, however fresh they are"
        );
        assert_eq!(page.wake, None, "{what}: nothing is waited for");
        page.answer(JWKS_URI, json(200, rotated()));
        assert_eq!(page.subject().as_deref(), Some("u1"), "{what}: {:?}", page.error());
        // Without a kid k1 was tried too; it has failed, and is not tried once more.
        assert_eq!(page.verified, if what == "no kid" { 2 } else { 1 }, "{what}");
    }
    // Whichever of the two answers comes first.
    let token = sign(&header_of(Key::K2), &claims(), Key::K2);
    let mut page = Trip::new(config()).back();
    page.answer(TOKEN_ENDPOINT, json(200, tokens(&token).json()));
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(JWKS_URI, json(200, rotated()));
    assert_eq!(page.subject().as_deref(), Some("u1"), "{:?}", page.error());
}

#[test]
fn ds_25_forced_fetches_are_bounded() {
    let unknown = |n: usize| sign(&header().text("kid", &format!("x{n}")), &claims(), Key::K1);
    // One page, a hundred sign-ins within a minute, each with a kid that nobody knows.
    let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
    let mut forced = 0;
    for n in 0..100 {
        page.now = UnixTime::from_seconds(NOW + n / 2);
        let trip = Trip { seed: page.entropy.0, storage: page.storage.clone(), ..Trip::new(config()) };
        page.storage = trip.leave().storage;
        page.entropy.0 = page.entropy.0.wrapping_add(3) % 200;
        page.open(&format!("{REDIRECT_URI}?code=C-1&state={}", trip.state()));
        page.answer(JWKS_URI, json(200, keys()));
        page.answer(TOKEN_ENDPOINT, json(200, tokens(&unknown(n as usize)).json()));
        if page.open_requests() == [JWKS_URI] {
            forced += 1;
            page.answer(JWKS_URI, json(200, keys()));
        }
        assert_eq!((page.code(), page.open_requests().len()), (Some(Code::KeyUnknown), 0), "sign-in {n}");
    }
    assert_eq!(forced, 5, "five in a minute");

    // The forced fetch itself fails: that is not why the sign-in does, and it is not tried again.
    let failing = [json(500, ""), html(502), json(200, "{}"), answer(404, None, "")];
    for outcome in failing.into_iter().chain([HttpOutcome::Unknown(Failure::Network)]) {
        let mut page = Trip::new(config()).complete(json(200, tokens(&unknown(0)).json()), &keys());
        page.answer(JWKS_URI, outcome);
        assert_eq!((page.code(), page.wake), (Some(Code::KeyUnknown), None));
        assert_eq!((page.count(JWKS_URI), page.count(TOKEN_ENDPOINT)), (2, 1));
    }
    // A signature that no key verifies stays just that.
    let stranger = sign(&header(), &claims(), Key::Stranger);
    let mut page = Trip::new(config()).complete(json(200, tokens(&stranger).json()), &keys());
    page.answer(JWKS_URI, json(500, ""));
    assert_eq!(page.code(), Some(Code::IdTokenSignature));
    // And the next sign-in finds the keys as they are.
    let next = Trip { seed: 11, storage: page.storage, ..Trip::new(config()) };
    let token = token::with_claims(&claims().text("nonce", &next.nonce()));
    assert_eq!(next.complete(json(200, tokens(&token).json()), &keys()).subject().as_deref(), Some("u1"));
}

#[test]
fn ds_18_the_content_type_of_a_key_set() {
    let uri = EndpointUrl::parse(JWKS_URI, Transport::Https).expect("an address");
    let accepted = |content_type| {
        let (_, waiting) = jwks::request(&uri);
        waiting.process(answer(200, content_type, keys())).is_ok()
    };
    for good in ["application/json", "application/jwk-set+json", "Application/JWK-Set+JSON; charset=utf-8"] {
        assert!(accepted(Some(good)), "{good}");
    }
    for bad in [None, Some("application/other+json"), Some("text/plain"), Some("application/jwk-set")] {
        assert!(!accepted(bad), "{bad:?}");
    }
}
