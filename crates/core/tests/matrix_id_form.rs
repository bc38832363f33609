//! Section 4 of the matrix, ID-10 to ID-18: the ID token's header and form. Each line is the good
//! token of the fixtures with one mutation, signed again with k1 unless it says otherwise.

mod support;

use polar_signin_core::{
    error::Code,
    jws::{Algorithm, SignedToken},
    secret::IdTokenText,
};
use support::{
    case::{bad, check, good},
    keys::{Key, encode, jwks},
    token::{self, Members, claims, header, sign, sign_text, signing_input, with_claims, with_header},
};

#[test]
fn id_10_hostile_kid() {
    let long = "k1".repeat(5 * 1024);
    let texts = ["../../etc/x", "k1\0", "K1", "k1 ", " k1", "", "__proto__", "' OR 1=1", "https://evil/k", &long];
    let texts = texts.map(|kid| bad(kid, with_header(&header().text("kid", kid)), Code::KeyUnknown));
    let others = ["1", "null", "[]", r#"["k1"]"#];
    let others = others.map(|kid| bad(kid, with_header(&header().set("kid", kid)), Code::IdTokenMalformed));
    let exact = with_header(&header().text("kid", "__proto__"));
    let exact = good("an odd kid, exactly", exact).keys(jwks(&[Key::K1.jwk().text("kid", "__proto__")]));
    let nameless = bad("a key without a kid is not meant", token::good(), Code::KeyUnknown);
    let nameless = nameless.keys(jwks(&[Key::K1.bare_jwk()]));
    check(texts.into_iter().chain(others).chain([exact, nameless]));

    // A log never shows it.
    let token = with_header(&header().text("kid", "https://evil/k"));
    let token = SignedToken::parse(IdTokenText::new(token), &[Algorithm::Rs256]).expect("in good form");
    assert_eq!(token.kid(), Some("https://evil/k"));
    assert!(!format!("{token:?}").contains("evil"));
}

#[test]
fn id_11_critical_extensions() {
    let crits = [r#"["exp"]"#, r#"["__proto__"]"#, r#"["constructor"]"#, "[]", r#""exp""#, "null", r#"["alg"]"#];
    let b64 = header().set("crit", r#"["b64"]"#).set("b64", "false");
    check(
        crits
            .map(|crit| bad(crit, with_header(&header().set("crit", crit)), Code::IdTokenUnsupported))
            .into_iter()
            .chain([
                bad("b64, critical", with_header(&b64), Code::IdTokenUnsupported),
                good("b64 that nobody calls critical", with_header(&header().set("b64", "false"))),
            ]),
    );
}

#[test]
fn id_12_the_type_of_the_token() {
    let typ = |typ: &str| with_header(&header().set("typ", typ));
    check([
        good("JWT", typ(r#""JWT""#)),
        good("jwt", typ(r#""jwt""#)),
        good("application/jwt", typ(r#""application/jwt""#)),
        good("absent", with_header(&header().without("typ"))),
        bad("at+jwt", typ(r#""at+jwt""#), Code::IdTokenUnsupported),
        bad("logout+jwt", typ(r#""logout+jwt""#), Code::IdTokenUnsupported),
        bad("dpop+jwt", typ(r#""dpop+jwt""#), Code::IdTokenUnsupported),
        bad("1", typ("1"), Code::IdTokenUnsupported),
        bad("a logout token's events", with_claims(&claims().set("events", "{}")), Code::IdTokenUnsupported),
        bad("events: null", with_claims(&claims().set("events", "null")), Code::IdTokenUnsupported),
    ]);
}

#[test]
fn id_13_encrypted_and_nested_tokens() {
    let jwe = header()
        .text("alg", "PBES2-HS256+A128KW")
        .text("enc", "A128GCM")
        .number("p2c", 2_147_483_647)
        .text("p2s", "c2FsdA");
    let nested = sign_text(&header().text("cty", "JWT").json(), token::good().as_bytes(), Key::K1);
    check([
        bad("a JWE", format!("{}.a2V5.aXY.dGV4dA.dGFn", encode(jwe.json().as_bytes())), Code::IdTokenMalformed),
        bad("its header on three segments", with_header(&jwe), Code::IdTokenAlgorithm),
        bad("enc beside a good alg", with_header(&header().text("enc", "A128GCM")), Code::IdTokenUnsupported),
        bad("a nested token", nested, Code::IdTokenUnsupported),
        bad("zip", with_header(&header().text("zip", "DEF")), Code::IdTokenUnsupported),
    ]);
}

#[test]
fn id_14_segments() {
    let token = token::good();
    let (one, _) = token.split_once('.').expect("segments");
    let (two, _) = token.rsplit_once('.').expect("segments");
    let refused = |what: &str, token: String| bad(what, token, Code::IdTokenMalformed);
    check([
        refused("1", one.to_owned()),
        refused("2", two.to_owned()),
        refused("4", format!("{token}.")),
        refused("6", format!("{token}.a.b.c")),
        refused("65,536 dots", ".".repeat(65_536)),
        refused("..", "..".to_owned()),
        refused("an empty text", String::new()).alone(),
        refused("a space before", format!(" {token}")),
        refused("a space behind", format!("{token} ")),
        refused("a line break before", format!("\n{token}")),
        refused("a line break behind", format!("{token}\r\n")),
    ]);
}

#[test]
fn id_15_base64url_strictly() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // Texts of 3n + 1 bytes, whose base64url ends in four unused bits and has a `-` and a `_`.
    let segment = |mut json: String| {
        while json.len() % 3 != 1 {
            json.push(' ');
        }
        encode(json.as_bytes())
    };
    let odd = ">>>>???? >>>>???? >>>>????";
    let segments = [segment(header().text("x", odd).json()), segment(claims().text("x", odd).json())];
    let signed = |header: &str, payload: &str| {
        let input = format!("{header}.{payload}");
        format!("{input}.{}", encode(&Key::K1.sign(input.as_bytes())))
    };
    let whole = signed(&segments[0], &segments[1]);
    let signature = whole.rsplit('.').next().expect("a signature").to_owned();
    check([good("before the mutations", whole.clone())]);

    let mut table = Vec::new();
    for (place, segment) in segments.iter().chain([&signature]).enumerate() {
        assert!(segment.contains('-') && segment.contains('_') && segment.len() % 4 == 2, "{segment}");
        let (most, last) = segment.split_at(segment.len() - 1);
        let last = ALPHABET.iter().position(|c| *c == last.as_bytes()[0]).expect("in the alphabet");
        let stray = format!("{most}{}", char::from(ALPHABET[last + 1]));
        let mutations = [
            ("padding", format!("{segment}==")),
            ("one =", format!("{segment}=")),
            ("+", segment.replacen('-', "+", 1)),
            ("/", segment.replacen('_', "/", 1)),
            ("a space", format!("{} {}", &segment[..8], &segment[8..])),
            ("a line break", format!("{}\r\n{}", &segment[..8], &segment[8..])),
            ("stray bits", stray),
            ("4n + 1 characters", format!("{segment}AAA")),
            ("é", format!("{segment}é")),
        ];
        table.extend(mutations.map(|(what, segment)| {
            // What was changed is signed as it is, so that nothing but its form is wrong.
            let token = match place {
                0 => signed(&segment, &segments[1]),
                1 => signed(&segments[0], &segment),
                _ => format!("{}.{}.{segment}", segments[0], segments[1]),
            };
            bad(format!("segment {place}: {what}"), token, Code::IdTokenMalformed)
        }));
    }
    check(table);
}

#[test]
fn id_16_header_and_payload_are_objects() {
    let (good_header, good_claims) = (header().json(), claims().json());
    let wrong = |object: &str| -> Vec<Vec<u8>> {
        let texts = ["0", "\"\"", "[]", "null", "\"\\ud800\"", "", "{\"a\":\"\\ud800\"}"];
        let mut wrong: Vec<_> = texts.map(|text| text.as_bytes().to_vec()).into();
        wrong.push(format!("\u{feff}{object}").into_bytes());
        wrong.push(format!("{object}x").into_bytes());
        wrong.push([object.trim_end_matches('}').as_bytes(), b",\"x\":\"\xff\"}"].concat());
        wrong.push(object.encode_utf16().flat_map(u16::to_le_bytes).collect());
        wrong
    };
    let token = |header: &[u8], payload: &[u8]| {
        let input = signing_input(header, payload);
        format!("{input}.{}", encode(&Key::K1.sign(input.as_bytes())))
    };
    let name = |place: &str, text: &[u8]| format!("{place}: {}", String::from_utf8_lossy(text));
    let headers = wrong(&good_header)
        .into_iter()
        .map(|header| bad(name("header", &header), token(&header, good_claims.as_bytes()), Code::IdTokenMalformed));
    let payloads = wrong(&good_claims)
        .into_iter()
        .map(|payload| bad(name("payload", &payload), token(good_header.as_bytes(), &payload), Code::IdTokenMalformed));
    check(headers.chain(payloads));
}

#[test]
fn id_17_a_member_twice() {
    let headers = [
        ("alg: RS256, none", header().also("\"alg\"", "\"none\"")),
        ("alg: none, RS256", header().text("alg", "none").also("\"alg\"", "\"RS256\"")),
        ("alg: RS256, RS256", header().also("\"alg\"", "\"RS256\"")),
        ("kid", header().also("\"kid\"", "\"k1\"")),
    ];
    let headers = headers.map(|(what, header)| bad(what, with_header(&header), Code::IdTokenMalformed));
    let same = |name: &str| {
        let claims = claims();
        let (_, value) = claims.pairs().iter().find(|(n, _)| n == name).expect("a good claim").clone();
        bad(
            format!("{name}, the same"),
            with_claims(&claims.also(&format!("{name:?}"), &value)),
            Code::IdTokenMalformed,
        )
    };
    let other = |raw: &str, value: &str| {
        bad(format!("{raw}, another"), with_claims(&claims().also(raw, value)), Code::IdTokenMalformed)
    };
    check(headers.into_iter().chain(["iss", "aud", "sub", "exp", "nonce"].map(same)).chain([
        other(r#""iss""#, r#""https://evil.example""#),
        other(r#""aud""#, r#""rp-2""#),
        other(r#""sub""#, r#""u2""#),
        other(r#""exp""#, "1"),
        other(r#""nonce""#, r#""x""#),
        other(r#""s\u0075b""#, r#""u2""#),
        bad("a level below", with_claims(&claims().set("x", r#"{"a":[{"b":1,"b":2}]}"#)), Code::IdTokenMalformed),
    ]));
}

/// A good token of exactly this many bytes.
fn of_length(length: usize) -> String {
    let token = |header_pad: usize, pad: usize| {
        let header = header().text("x", &"x".repeat(header_pad));
        (header, claims().text("x", &"x".repeat(pad)))
    };
    let signature = encode(&Key::K1.sign(b"")).len();
    let sum = |(header, claims): &(Members, Members)| {
        signing_input(header.json().as_bytes(), claims.json().as_bytes()).len() + 1 + signature
    };
    let near = (length - sum(&token(0, 0))) / 4 * 3 - 6;
    let pads = (0..3).flat_map(|header_pad| (near..near + 24).map(move |pad| (header_pad, pad)));
    let (header, claims) = pads.map(|(h, p)| token(h, p)).find(|t| sum(t) == length).expect("a length that there is");
    sign(&header, &claims, Key::K1)
}

#[test]
fn id_18_deep_large_and_unsigned() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many = |count: usize| (0..count).fold(claims(), |claims, n| claims.also(&format!("\"c{n}\""), "0"));
    let deep = with_claims(&claims().set("x", nested(20_000)));
    let unsigned = format!("{}.{}", deep.rsplit_once('.').expect("segments").0, encode(&[0x5a; 256]));
    check([
        good("126 deep below the payload", with_claims(&claims().set("x", nested(126)))),
        bad("127 deep below the payload", with_claims(&claims().set("x", nested(127))), Code::IdTokenMalformed),
        bad("20,000 deep", deep, Code::IdTokenMalformed),
        bad("100,000 deep", with_claims(&claims().set("x", nested(100_000))), Code::IdTokenMalformed).alone(),
        good("64 KiB", of_length(65_536)),
        bad("64 KiB and a byte", of_length(65_537), Code::IdTokenMalformed),
        good("3,000 claims", with_claims(&many(3_000))),
        bad("50,000 claims", with_claims(&many(50_000)), Code::IdTokenMalformed).alone(),
        bad("deep with a bad signature: no claim is looked at", unsigned, Code::IdTokenSignature),
    ]);
}
