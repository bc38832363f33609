//! Section 4 of the matrix, from ID-19: what the ID token claims.

mod support;

use polar_signin_core::{
    authorization::{Prompt, SignIn},
    config::{Config, Options},
    error::{Code, Detail},
    id_token::{Expected, left_half},
    secret::{AccessToken, Nonce},
};
use sha2::{Sha256, Sha384, Sha512};
use support::{
    case::{Case, bad, check, expected, good, verify_id_token},
    fixture::{JWKS_URI, NONCE, NOW, REDIRECT_URI, TOKEN_ENDPOINT, config, json, keys, now, options, tokens},
    keys::{Key, encode, jwks},
    page::{Page, Trip},
    token::{self, Members, claims, header, header_of, sign, signing_input, with_claims},
};

/// The good claims with one of them as raw JSON.
fn with(name: &str, json: &str) -> String {
    with_claims(&claims().set(name, json))
}

/// Lines that set one claim to raw JSON, all refused with the same code.
fn refused<const N: usize>(name: &'static str, values: [&'static str; N], code: Code) -> impl Iterator<Item = Case> {
    let missing = bad(format!("{name}: missing"), with_claims(&claims().without(name)), code);
    values.into_iter().map(move |value| bad(format!("{name}: {value}"), with(name, value), code)).chain([missing])
}

#[test]
fn id_19_the_issuer() {
    check(refused(
        "iss",
        [
            "null",
            r#""""#,
            r#"["https://op.example"]"#,
            r#""https://op.example1""#,
            r#""https://op.example/""#,
            r#""https://OP.example""#,
            r#""HTTPS://op.example""#,
            r#""https://op.example:443""#,
            r#""http://op.example""#,
            r#"" https://op.example""#,
        ],
        Code::IdTokenIssuer,
    ));
}

#[test]
fn id_20_look_alikes() {
    let configured = |options| Config::new(&options, REDIRECT_URI);
    // An issuer beyond ASCII cannot be configured at all, so there is no form of it to mistake.
    assert!(configured(Options { issuer: Some("https://op.exämple".to_owned()), ..options() }).is_err());
    let issuers = [
        "https://\u{3bf}p.example",
        "https://op.example\u{200b}",
        "https:\u{ff0f}\u{ff0f}op.example",
        "https://op.exa\u{301}mple",
    ];
    let issuers = issuers.map(|iss| bad(iss, with_claims(&claims().text("iss", iss)), Code::IdTokenIssuer));
    let client = Options { client_id: Some("client-i".to_owned()), ..options() };
    let client = configured(client).expect("a good configuration");
    let audience = |aud: &str| with_claims(&claims().text("aud", aud));
    check(issuers.into_iter().chain([
        good("aud client-i", audience("client-i")).config(client.clone()).alone(),
        bad("aud with a dotless i", audience("client-\u{131}"), Code::IdTokenAudience).config(client.clone()).alone(),
        bad("aud in upper case", audience("CLIENT-I"), Code::IdTokenAudience).config(client).alone(),
    ]));
    let subject = |sub: &str, hinted| direct(&claims().text("sub", sub), |e| Expected { subject: Some(hinted), ..e });
    assert_eq!(subject("K", "K"), None);
    assert_eq!(subject("\u{212a}", "K"), Some(Code::IdTokenSubject), "the Kelvin sign");
    assert_eq!(subject("e\u{301}", "\u{e9}"), Some(Code::IdTokenSubject), "NFD");
}

/// The outcome for these claims, straight through the core, under other expectations.
fn direct(claims: &Members, expect: impl Fn(Expected<'_>) -> Expected<'_>) -> Option<Code> {
    let (config, nonce, access_token) = (config(), Nonce::new(NONCE), AccessToken::new("AT-1"));
    let expected = expect(expected(&config, &nonce, &access_token));
    verify_id_token(&with_claims(claims), &keys(), &config, &expected, now()).err()
}

#[test]
fn id_21_the_audience() {
    check(refused(
        "aud",
        [
            "null",
            r#""""#,
            "[]",
            r#""rp-11""#,
            r#""RP-1""#,
            r#"["rp-2"]"#,
            r#"[["rp-1"]]"#,
            r#"{"0":"rp-1"}"#,
            r#""rp-1 rp-2""#,
            "1",
            r#"["rp-1",null]"#,
        ],
        Code::IdTokenAudience,
    ));
}

#[test]
fn id_22_an_audience_in_an_array() {
    check([good("Polar's", with("aud", r#"["rp-1"]"#)), good("twice", with("aud", r#"["rp-1","rp-1"]"#))]);
}

#[test]
fn id_23_several_audiences() {
    let both = claims().set("aud", r#"["rp-1","rp-2"]"#);
    let azp = |azp: &str| with_claims(&both.clone().text("azp", azp));
    let trusting = || config().trust_audience("rp-2");
    check([
        bad("nobody is trusted", with_claims(&both), Code::IdTokenAudience),
        bad("nobody is trusted, azp rp-1", azp("rp-1"), Code::IdTokenAudience),
        bad("trusted, azp missing", with_claims(&both), Code::IdTokenAuthorizedParty).config(trusting()),
        bad("trusted, azp rp-2", azp("rp-2"), Code::IdTokenAuthorizedParty).config(trusting()),
        good("trusted, azp rp-1", azp("rp-1")).config(trusting()),
        bad("trusted alone", with("aud", r#"["rp-2"]"#), Code::IdTokenAudience).config(trusting()),
    ]);
}

#[test]
fn id_24_the_authorized_party() {
    let wrong = [r#""other""#, r#""""#, "5", r#"["rp-1"]"#];
    let wrong = wrong.map(|azp| bad(azp, with("azp", azp), Code::IdTokenAuthorizedParty));
    check(wrong.into_iter().chain([good("rp-1", with("azp", r#""rp-1""#))]));
}

#[test]
fn id_25_the_subject() {
    let long = |bytes: usize| with_claims(&claims().text("sub", &"s".repeat(bytes)));
    let cyrillic = "пользовать";
    assert_eq!(cyrillic.len(), 20);
    check(refused("sub", ["null", r#""""#, "1", "[]"], Code::IdTokenSubject).chain([
        bad("256 bytes", long(256), Code::IdTokenSubject),
        good("255 bytes", long(255)),
        good("beyond ASCII", with_claims(&claims().text("sub", cyrillic))),
    ]));
}

#[test]
fn id_26_exp_is_a_number() {
    check(refused("exp", ["null", r#""1795395600""#, "true", "[]", "{}"], Code::IdTokenExpired));
}

#[test]
fn id_27_exp_and_its_leeway() {
    let exp = |after: i64| (format!("exp = now{after:+}"), with_claims(&claims().number("exp", NOW + after)));
    let accepted = [1, 0, -59].map(exp).map(|(what, token)| good(what, token));
    let refused = [-60, -61, -NOW, -NOW - 1].map(exp).map(|(what, token)| bad(what, token, Code::IdTokenExpired));
    check(accepted.into_iter().chain(refused));
}

#[test]
fn id_28_absurd_times() {
    let absurd = [
        "1e300",
        "-1e300",
        "1e400",
        "8640000000001",
        "9007199254740993",
        "18446744073709551615",
        "9223372036854775808",
        "253402300800",
    ];
    check(absurd.map(|exp| bad(exp, with("exp", exp), Code::IdTokenExpired)).into_iter().chain([
        good("the last second of the year 9999", with("exp", "253402300799")),
        bad("iat 1e300", with("iat", "1e300"), Code::IdTokenIssuedAt),
        bad("iat 1e400", with("iat", "1e400"), Code::IdTokenIssuedAt),
        bad("nbf 1e300", with("nbf", "1e300"), Code::IdTokenNotYetValid),
    ]));
}

#[test]
fn id_29_fractional_times() {
    check([
        good("exp 1795395600.5", with("exp", "1795395600.5")),
        good("exp 1.7953956e9", with("exp", "1.7953956e9")),
        good("iat 1795392000.25", with("iat", "1795392000.25")),
    ]);
}

#[test]
fn id_30_iat_is_a_number() {
    check(refused("iat", ["null", r#""1795392000""#, "true"], Code::IdTokenIssuedAt));
}

#[test]
fn id_31_iat_ahead_and_behind() {
    let iat = |after: i64| with_claims(&claims().number("iat", NOW + after));
    check([
        good("now+300", iat(300)),
        bad("now+301", iat(301), Code::ClockSkew),
        bad("1e300", with("iat", "1e300"), Code::IdTokenIssuedAt),
        good("now-86400", iat(-86_400)),
        bad("now-86401", iat(-86_401), Code::IdTokenIssuedAt),
        bad(
            "now+20, exp now+10",
            with_claims(&claims().number("iat", NOW + 20).number("exp", NOW + 10)),
            Code::IdTokenExpired,
        ),
    ]);
    // By how much the clock is off is told.
    let page = Trip::new(config()).complete(json(200, tokens(&iat(301)).json()), &keys());
    assert!(page.error().is_some_and(|error| *error.detail() == Detail::Skew(301)), "{:?}", page.error());
}

#[test]
fn id_32_nbf() {
    let nbf = |after: i64| with_claims(&claims().number("nbf", NOW + after));
    check([
        good("now+60", nbf(60)),
        bad("now+61", nbf(61), Code::IdTokenNotYetValid),
        bad("a text", with("nbf", r#""x""#), Code::IdTokenNotYetValid),
        good("null", with("nbf", "null")),
    ]);
}

#[test]
fn id_33_the_nonce() {
    let other = |nonce: &str| bad(nonce, with_claims(&claims().text("nonce", nonce)), Code::IdTokenNonce);
    let in_array = format!("[{NONCE:?}]");
    check(refused("nonce", ["null", r#""""#], Code::IdTokenNonce).chain([
        other(&format!("{NONCE}1")),
        other(&NONCE.to_ascii_lowercase()),
        other(&NONCE[..42]),
        // The nonce of another sign-in that is under way.
        other(&encode(&[102; 32])),
        bad("in an array", with("nonce", &in_array), Code::IdTokenNonce),
    ]));
}

#[test]
fn id_34_a_token_used_again() {
    let answer = || json(200, tokens(&token::good()).json());
    let first = Trip::new(config()).complete(answer(), &keys());
    assert_eq!(first.subject().as_deref(), Some("u1"));

    let again = Trip { seed: 11, storage: first.storage.clone(), ..Trip::new(config()) };
    let second = again.complete(answer(), &keys());
    assert_eq!(second.code(), Some(Code::IdTokenNonce));
    assert_eq!(second.storage, first.storage, "the session of before is untouched");

    let url = format!("https://rp.example/callback?code=C-1&state={}", Trip::new(config()).state());
    let third = Page::opened(config(), first.storage.clone(), &url);
    assert_eq!((third.count(TOKEN_ENDPOINT), third.count(JWKS_URI)), (0, 0), "its sign-in is used up");
    assert_eq!(third.subject().as_deref(), Some("u1"));
}

#[test]
fn id_35_at_hash() {
    use sha2::Digest as _;
    let other = left_half::<Sha256>("AT-2");
    let whole = encode(&Sha256::digest("AT-1"));
    let texts = [("of another token", other.as_str()), ("the whole hash", whole.as_str()), ("empty", "")];
    let texts =
        texts.map(|(what, hash)| bad(what, with_claims(&claims().text("at_hash", hash)), Code::IdTokenAccessTokenHash));
    let others = ["null", "5"].map(|hash| bad(hash, with("at_hash", hash), Code::IdTokenAccessTokenHash));
    let absent = good("absent", with_claims(&claims().without("at_hash")));
    check(texts.into_iter().chain(others).chain([absent]));
}

#[test]
fn id_36_at_hash_for_each_algorithm() {
    // Known answers, computed elsewhere: the left half of the hash of `AT-1`.
    assert_eq!(left_half::<Sha256>("AT-1"), "3csgdAejgtMkuQDinuh5mg");
    assert_eq!(left_half::<Sha384>("AT-1"), "nzlxQZXxnXYD4W0uE4e9NI22ANUXb0wr");
    assert_eq!(left_half::<Sha512>("AT-1"), "0HsPDeWFLLgx-J_-ljcB2MEEDGqKwrrSdvL1UyKCkGQ");

    let es256 = |claims: &Members| sign(&header_of(Key::E1), claims, Key::E1);
    let with_ps256 = config().allow_algorithm(polar_signin_core::jws::Algorithm::Ps256);
    let ps256_header = header().text("alg", "PS256");
    let ps256 = |claims: &Members| {
        let input = signing_input(ps256_header.json().as_bytes(), claims.json().as_bytes());
        format!("{input}.{}", encode(&Key::K1.sign_pss(input.as_bytes())))
    };
    let any = || jwks(&[Key::E1.jwk(), Key::K1.bare_jwk().text("kid", "k1")]);
    let wrong = claims().text("at_hash", &left_half::<Sha512>("AT-1"));
    check([
        good("RS256", token::good()),
        good("ES256", es256(&claims())).keys(any()),
        bad("ES256 with SHA-512", es256(&wrong), Code::IdTokenAccessTokenHash).keys(any()),
        good("PS256", ps256(&claims())).keys(any()).config(with_ps256.clone()),
        bad("PS256 with SHA-512", ps256(&wrong), Code::IdTokenAccessTokenHash).keys(any()).config(with_ps256),
    ]);
}

#[cfg(feature = "eddsa")]
#[test]
fn id_36_at_hash_for_eddsa_is_half_of_sha_512() {
    let allowed = config().allow_algorithm(polar_signin_core::jws::Algorithm::EdDsa);
    let token = |hash: &str| sign(&header_of(Key::D1), &claims().text("at_hash", hash), Key::D1);
    let keys = || jwks(&[Key::D1.jwk()]);
    check([
        good("SHA-512", token(&left_half::<Sha512>("AT-1"))).keys(keys()).config(allowed.clone()),
        bad("SHA-256", token(&left_half::<Sha256>("AT-1")), Code::IdTokenAccessTokenHash).keys(keys()).config(allowed),
    ]);
}

#[test]
fn id_37_max_age_and_auth_time() {
    let auth_time = |after: i64| with_claims(&claims().number("auth_time", NOW + after));
    let refused = |what, token, max_age| bad(what, token, Code::IdTokenAuthTime).max_age(max_age);
    check([
        refused("300: missing", token::good(), 300),
        refused("300: a text", with("auth_time", r#""x""#), 300),
        refused("300: now-361", auth_time(-361), 300),
        refused("300: now+301", auth_time(301), 300),
        good("300: now-300", auth_time(-300)).max_age(300),
        good("300: now-360, with the leeway", auth_time(-360)).max_age(300),
        refused("0: missing", token::good(), 0),
        refused("0: now-61", auth_time(-61), 0),
        good("0: now", auth_time(0)).max_age(0),
        good("not asked for: absurd", with("auth_time", "1e300")),
        good("not asked for: a text", with("auth_time", r#""x""#)),
    ]);
    // It is sent as it was asked for, also where it is 0.
    for max_age in [0, 300] {
        let mut trip = Trip::new(config());
        trip.sign_in.max_age = Some(max_age);
        let left = trip.leave().left.expect("left");
        assert!(left.split('&').any(|part| part == format!("max_age={max_age}")), "{max_age}");
    }
}

#[test]
fn id_38_acr() {
    let asked = |claims: Members| direct(&claims, |e| Expected { acr: Some("x"), ..e });
    assert_eq!(asked(claims().text("acr", "x")), None);
    for wrong in [claims(), claims().text("acr", "y"), claims().set("acr", r#"["x"]"#), claims().set("acr", "null")] {
        assert_eq!(asked(wrong.clone()), Some(Code::IdTokenAuthContext), "{}", wrong.json());
    }
    assert_eq!(direct(&claims().text("acr", "y"), |e| e), None, "not asked for");
}

#[test]
fn id_39_a_hinted_sign_in_that_returns_somebody_else() {
    let hinted = |subject| direct(&claims(), |e| Expected { subject: Some(subject), ..e });
    assert_eq!(hinted("u1"), None);
    for other in ["u0", "U1", "u1 ", ""] {
        assert_eq!(hinted(other), Some(Code::IdTokenSubject), "{other:?}");
    }
    // There is no silent sign-in that could switch accounts: nothing asks for one.
    for prompt in [None, Some(Prompt::Login), Some(Prompt::Consent), Some(Prompt::SelectAccount)] {
        for organization in [false, true] {
            let sign_in = SignIn { prompt, organization, login_hint: Some("u0".to_owned()), ..SignIn::default() };
            let left = Trip { sign_in, ..Trip::new(config()) }.leave().left.expect("left");
            assert!(!left.contains("none") && !left.contains("id_token_hint"), "{left}");
        }
    }
}

#[test]
fn id_40_hostile_claims_on_the_screen() {
    let account = |claims: Members| {
        let token = with_claims(&claims);
        let page = Trip::new(config()).complete(json(200, tokens(&token).json()), &keys());
        page.account().unwrap_or_else(|| panic!("{:?}", page.error()))
    };
    let hostile = account(
        claims()
            .text("name", "<script>alert(1)</script>\u{202e}")
            .text("email", "admin@op.ex\u{430}mple")
            .text("email_verified", "true")
            .text("picture", "javascript:alert(1)"),
    );
    assert_eq!(hostile.profile.name.as_deref(), Some("<script>alert(1)</script>\u{202e}"), "a text, not markup");
    assert!(!hostile.profile.email_verified, "only the JSON true counts");
    assert_eq!(hostile.profile.picture, None);
    assert_eq!(hostile.subject, "u1", "an email is no key");
    for picture in
        ["http://op.example/a.png", "data:image/png;base64,AA", "//op.example/a.png", "https://u:p@op.example/"]
    {
        assert_eq!(account(claims().text("picture", picture)).profile.picture, None, "{picture}");
    }
    let plain = account(claims().set("email_verified", "true").text("picture", "https://op.example/a.png"));
    assert!(plain.profile.email_verified);
    assert_eq!(plain.profile.picture.as_deref(), Some("https://op.example/a.png"));

    let long = account(claims().text("name", &"n".repeat(32 * 1024)).text("x", &"x".repeat(8 * 1024)));
    assert_eq!(long.profile.name.map(|name| name.len()), Some(256));
    assert!(long.claims.iter().all(|(name, value)| name.len() <= 1024 && value.len() <= 1024));
    // All together over the bound of a token: refused as a whole.
    check([bad("64 KiB of name", with_claims(&claims().text("name", &"n".repeat(65_536))), Code::IdTokenMalformed)]);
}
