//! Section 3 of the matrix, TK-04 to TK-23: the form of the token response.

mod support;

use polar_signin_core::{
    config::{Config, Options},
    error::{Code, Detail, Error, Phase, Retry},
    http::HttpOutcome,
    snapshot::RenewalStatus,
    time::UnixTime,
    token::TokenResponse,
};
use support::{
    case::left_over,
    fixture::{
        NOW, REDIRECT_URI, USERINFO_ENDPOINT, answer, config, good_tokens, html, json, keys, polar, polar_metadata,
        tokens,
    },
    page::{Page, Storage, Trip},
    token::{self, Members},
};

/// What comes of this answer: read alone, and in a sign-in, where nothing may be left of it.
#[track_caller]
fn refused(what: &str, outcome: HttpOutcome, code: Code) -> Error {
    let error = TokenResponse::process(outcome.clone(), false).map(|tokens| tokens.id_token.is_some());
    match error {
        Err(error) => assert_eq!(error.code(), code, "{what}, alone"),
        Ok(id_token) => assert!(!id_token && code == Code::IdTokenMissing, "{what}, alone"),
    }
    for before in [&Storage::new(), &*support::case::SIGNED_IN] {
        let page = Trip { storage: before.clone(), ..Trip::new(config()) }.complete(outcome.clone(), &keys());
        assert_eq!(page.code(), Some(code), "{what}");
        assert_eq!(left_over(&page, before, ""), None, "{what}");
        // What is open belongs to u0.
        assert!(page.open_requests().iter().all(|url| *url == USERINFO_ENDPOINT), "{what}: nothing is sent again");
        assert!(page.sent.iter().all(|sent| sent.bearer.as_deref() != Some("AT-1")), "{what}: AT-1 was used");
    }
    let page = Trip::new(config()).complete(outcome, &keys());
    page.error().expect("seen above")
}

#[track_caller]
fn accepted(what: &str, answer: &Members) -> Page {
    let page = Trip::new(config()).complete(json(200, answer.json()), &keys());
    assert_eq!(page.subject().as_deref(), Some("u1"), "{what}: {:?}", page.error());
    page
}

#[test]
fn tk_04_the_smallest_good_answer() {
    let smallest = good_tokens().without("expires_in").without("refresh_token").without("scope");
    let page = accepted("smallest", &smallest);
    let account = page.account().expect("signed in");
    assert_eq!(
        (account.expires_at, account.renewal),
        (None, RenewalStatus::NotOffered),
        "the lifetime is not known, not endless"
    );
    assert_eq!(account.scope_granted, ["openid", "profile", "email"], "as it was asked for");
    assert_eq!(page.wake, None, "nothing to wake for");
}

#[test]
fn tk_05_the_token_type() {
    for good in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        accepted(good, &good_tokens().text("token_type", good));
    }
    refused("missing", json(200, good_tokens().without("token_type").json()), Code::TokenType);
    for bad in ["null", r#""""#, r#""mac""#, r#""N_A""#, r#""DPoP""#, r#""Bearer ""#, r#"["Bearer"]"#, "1"] {
        refused(bad, json(200, good_tokens().set("token_type", bad).json()), Code::TokenType);
    }
}

#[test]
fn tk_06_access_tokens_that_can_and_cannot_be_sent() {
    let without_hash = tokens(&token::with_claims(&token::claims().without("at_hash")));
    refused("missing", json(200, without_hash.clone().without("access_token").json()), Code::TokenMalformed);
    for bad in
        ["null", r#""""#, "1", r#""a b""#, r#""a\r\nX: y""#, r#""é""#, r#""\u0000""#, r#""a\u007f""#, r#""\ta""#, "{}"]
    {
        refused(bad, json(200, without_hash.clone().set("access_token", bad).json()), Code::TokenMalformed);
    }
    let every: String = (0x21..=0x7e_u8).map(char::from).collect();
    for good in ["1#abc:$d", "AT-1", &every] {
        let page = accepted(good, &without_hash.clone().text("access_token", good));
        assert_eq!(page.sent.last().and_then(|sent| sent.bearer.as_deref()), Some(good), "sent just so");
    }
}

fn expires_in(json_text: &str) -> Result<Option<i64>, Code> {
    let answer = json(200, good_tokens().set("expires_in", json_text).json());
    TokenResponse::process(answer, false).map(|tokens| tokens.expires_in).map_err(|error| error.code())
}

#[test]
fn tk_07_lifetimes_that_are_accepted() {
    for (text, seconds) in [
        ("3600", Some(3600)),
        ("3600.0", Some(3600)),
        ("3600.9", Some(3600)),
        ("3.6e3", Some(3600)),
        (r#""3600""#, Some(3600)),
        (r#""0000003600""#, Some(3600)),
        ("0", Some(0)),
        ("-0", Some(0)),
        (r#""0""#, Some(0)),
        ("null", None),
    ] {
        assert_eq!(expires_in(text), Ok(seconds), "{text}");
        if seconds != Some(0) {
            let account = accepted(text, &good_tokens().set("expires_in", text)).account().expect("signed in");
            assert_eq!(account.expires_at, seconds.map(|s| UnixTime::from_seconds(NOW + s)), "{text}");
        }
    }
    let absent =
        TokenResponse::process(json(200, good_tokens().without("expires_in").json()), false).expect("accepted");
    assert_eq!(absent.expires_in, None);
    // 0 has ended as soon as it begins.
    let tokens = good_tokens().without("refresh_token").number("expires_in", 0);
    let page = Trip::new(config()).complete(json(200, tokens.json()), &keys());
    assert_eq!((page.subject(), page.code()), (None, Some(Code::SessionExpired)));
    assert!(page.storage.is_empty());
}

#[test]
fn tk_08_lifetimes_that_are_refused() {
    for bad in [
        "-1",
        "-0.5",
        "-1e-300",
        r#""abc""#,
        r#""3600abc""#,
        r#""""#,
        r#"" 3600""#,
        r#""3600.5""#,
        r#""-1""#,
        r#""+1""#,
        r#""12345678901""#,
        "true",
        "[]",
        "{}",
        "1e400",
        "NaN",
        "Infinity",
    ] {
        assert_eq!(expires_in(bad), Err(Code::TokenMalformed), "{bad}");
        refused(bad, json(200, good_tokens().set("expires_in", bad).json()), Code::TokenMalformed);
    }
}

#[test]
fn tk_09_enormous_lifetimes() {
    let last = UnixTime::from_seconds(253_402_300_799);
    for (text, latest) in [
        ("4e9", UnixTime::from_seconds(NOW + 4_000_000_000)),
        ("9007199254740992", last),
        ("18446744073709551615", last),
        ("1e300", last),
        ("9999999999", UnixTime::from_seconds(NOW + 9_999_999_999)),
    ] {
        let page = accepted(text, &good_tokens().without("refresh_token").set("expires_in", text));
        let end = page.account().and_then(|account| account.expires_at).expect("it is known");
        assert!(end.as_seconds() == latest.as_seconds(), "{text}: {end:?}");
        assert_eq!(page.wake, Some(end), "a time, not a delay: nothing can overflow and fire at once");
        // What was kept of it is read back as the same.
        let again = Page::opened(config(), page.storage.clone(), "https://rp.example/app");
        assert_eq!(again.account().and_then(|account| account.expires_at), Some(end), "{text}");
    }
}

#[test]
fn tk_10_the_granted_scope() {
    let granted = |scope: Option<&str>| {
        let answer = match scope {
            Some(scope) => good_tokens().set("scope", scope),
            None => good_tokens().without("scope"),
        };
        let account = accepted(scope.unwrap_or("absent"), &answer).account().expect("signed in");
        assert_eq!(account.scope_requested, ["openid", "profile", "email"]);
        account.scope_granted.join("|")
    };
    for (what, scope, expected) in [
        ("absent: as asked for", None, "openid|profile|email"),
        ("null: as asked for", Some("null"), "openid|profile|email"),
        ("narrower", Some(r#""openid""#), "openid"),
        ("broader", Some(r#""openid profile email admin""#), "openid|profile|email|admin"),
        ("more spaces", Some(r#""  openid  email ""#), "openid|email"),
        ("another case is another scope", Some(r#""OPENID""#), "OPENID"),
    ] {
        assert_eq!(granted(scope), expected, "{what}");
    }
    for bad in [r#"["openid"]"#, "5", "{}"] {
        refused(bad, json(200, good_tokens().set("scope", bad).json()), Code::TokenMalformed);
    }
    // What was granted without being asked for opens nothing: no list of organizations is fetched.
    let options = Options { scope: Some("openid".to_owned()), ..polar_options() };
    let asked_less = Config::new(&options, REDIRECT_URI).expect("a good configuration");
    let page = at_polar(asked_less, &good_tokens().text("scope", "openid organizations:read"));
    assert_eq!(page.open_requests(), ["https://api.polar.sh/v1/oauth2/userinfo"]);
    let page = at_polar(polar(), &good_tokens().text("scope", "openid organizations:read"));
    assert_eq!(page.open_requests().len(), 2, "where it was asked for, it is");
}

fn polar_options() -> Options {
    Options { client_id: Some("rp-1".to_owned()), ..Options::default() }
}

/// A sign-in at OP-P that ends with this answer.
fn at_polar(config: Config, answer: &Members) -> Page {
    let trip = Trip {
        metadata_url: config.provider().metadata_url().as_str().to_owned(),
        metadata: polar_metadata().json(),
        ..Trip::new(config)
    };
    let token = token::with_claims(&token::claims().text("iss", "https://polar.sh"));
    let mut page = trip.back();
    page.answer("https://api.polar.sh/.well-known/jwks.json", json(200, keys()));
    page.answer("https://api.polar.sh/v1/oauth2/token", json(200, answer.clone().text("id_token", &token).json()));
    assert_eq!(page.subject().as_deref(), Some("u1"), "{:?}", page.error());
    page
}

#[test]
fn tk_11_no_id_token() {
    refused("missing", json(200, good_tokens().without("id_token").json()), Code::IdTokenMissing);
    for bad in ["null", r#""""#, "{}", "5", "[]"] {
        refused(bad, json(200, good_tokens().set("id_token", bad).json()), Code::IdTokenMissing);
    }
}

#[test]
fn tk_12_no_refresh_token() {
    for none in ["null", r#""""#] {
        let page = accepted(none, &good_tokens().set("refresh_token", none));
        assert_eq!(page.account().map(|account| account.renewal), Some(RenewalStatus::NotOffered), "{none}");
    }
    let renewal = |name, tokens: &Members| accepted(name, tokens).account().expect("signed in").renewal;
    assert_eq!(renewal("absent", &good_tokens().without("refresh_token")), RenewalStatus::NotOffered);
    assert_eq!(renewal("there", &good_tokens()), RenewalStatus::Possible);
    for bad in ["5", "{}", r#"["RT-1"]"#, "true"] {
        refused(bad, json(200, good_tokens().set("refresh_token", bad).json()), Code::TokenMalformed);
    }
}

#[test]
fn tk_13_members_that_are_not_used() {
    accepted("error: \"\"", &good_tokens().set("error", r#""""#));
    accepted("error: null", &good_tokens().set("error", "null"));
    let thousand = (0..1000).fold(good_tokens(), |answer, n| answer.also(&format!("\"x{n}\""), r#""y""#));
    accepted("a thousand", &thousand);
    let odd = good_tokens().set("__proto__", r#"{"access_token":"EVIL"}"#).set("constructor", r#""EVIL""#);
    let page = accepted("__proto__, constructor", &odd);
    assert!(!page.storage.values().any(|record| record.contains("EVIL")));
}

#[test]
fn tk_14_a_member_twice() {
    for (raw, value) in [
        (r#""access_token""#, r#""AT-2""#),
        (r#""access_token""#, r#""AT-1""#),
        (r#""access\u005ftoken""#, r#""AT-2""#),
        (r#""id_token""#, r#""x""#),
        (r#""token_type""#, r#""Bearer""#),
        (r#""expires_in""#, "1"),
        (r#""unheard_of":1,"unheard_of""#, "2"),
    ] {
        refused(raw, json(200, good_tokens().also(raw, value).json()), Code::TokenMalformed);
    }
}

#[test]
fn tk_15_an_error_with_status_200() {
    refused("alone", json(200, r#"{"error":"invalid_grant"}"#), Code::GrantRefused);
    let error = refused("beside tokens", json(200, good_tokens().text("error", "x").json()), Code::TokenRefused);
    assert_eq!(error.provider().map(|said| said.error()), Some("x"));
}

#[test]
fn tk_16_invalid_grant_ends_the_attempt() {
    let answer = json(400, r#"{"error":"invalid_grant","error_description":"The code is used up."}"#);
    let error = refused("invalid_grant", answer.clone(), Code::GrantRefused);
    assert_eq!((error.phase(), error.code().retry()), (Phase::Token, Retry::SignIn));
    assert_eq!(error.provider().and_then(|said| said.description()), Some("The code is used up."));
    // The same address again finds no sign-in, and sends nothing.
    let trip = Trip::new(config());
    let page = trip.complete(answer, &keys());
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let again = Page::opened(config(), page.storage, &url);
    assert_eq!((again.code(), again.sent.len()), (Some(Code::CallbackUnknown), 0));
}

#[test]
fn tk_18_errors_that_are_no_oauth_errors() {
    for (what, outcome, status) in [
        ("400 HTML", html(400), 400),
        ("400 {}", json(400, "{}"), 400),
        ("400, the error no text", json(400, r#"{"error":5}"#), 400),
        ("400, no JSON by its type", answer(400, Some("text/plain"), r#"{"error":"invalid_grant"}"#), 400),
        (
            "400, 300 KiB",
            json(400, format!(r#"{{"error":"x","error_description":"{}"}}"#, "d".repeat(300 * 1024))),
            400,
        ),
        ("403 HTML", html(403), 403),
        ("418", answer(418, None, ""), 418),
    ] {
        let error = refused(what, outcome, Code::HttpStatus);
        assert!(*error.detail() == Detail::Status(status), "{what}: {error:?}");
    }
    let error = refused("odd characters", json(400, r#"{"error":"a\"b\u202e"}"#), Code::TokenRefused);
    assert_eq!(error.provider().map(|said| said.error()), Some("ab"), "what is shown of it is filtered");
    let long = format!(r#"{{"error":"x","error_description":"{}"}}"#, "long ".repeat(1000));
    let error = refused("5 KB", json(400, long), Code::TokenRefused);
    assert_eq!(error.provider().and_then(|said| said.description()).map(str::len), Some(256));
    assert!(!format!("{error:?} {error}").contains("long"), "a log shows the code alone");
}

#[test]
fn tk_20_the_content_type() {
    let typed = |content_type| answer(200, content_type, good_tokens().json());
    for bad in [None, Some(""), Some("text/html"), Some("application/jsonp"), Some("application/x+json"), Some("json")]
    {
        refused(&format!("{bad:?}"), typed(bad), Code::TokenMalformed);
    }
    for good in ["APPLICATION/JSON; Charset=UTF-8", "application/json", "application/json;"] {
        let page = Trip::new(config()).complete(typed(Some(good)), &keys());
        assert_eq!(page.subject().as_deref(), Some("u1"), "{good}: {:?}", page.error());
    }
}

#[test]
fn tk_21_only_status_200() {
    for status in [201, 202, 203, 204, 206, 304] {
        let error = refused(&status.to_string(), json(status, good_tokens().json()), Code::HttpStatus);
        assert!(*error.detail() == Detail::Status(status));
    }
}

#[test]
fn tk_23_bodies_that_are_no_strict_json() {
    let good = good_tokens().json();
    let nested = |depth: usize| good_tokens().set("x", format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut invalid = good.clone().into_bytes();
    invalid.splice(2..3, [0xff]);
    for (what, body) in [
        ("truncated", good.as_bytes()[..good.len() - 1].to_vec()),
        ("trailing x", format!("{good}x").into_bytes()),
        ("a second object", format!("{good}{good}").into_bytes()),
        ("BOM", format!("\u{feff}{good}").into_bytes()),
        ("UTF-16", utf16),
        ("invalid UTF-8", invalid),
        ("a lone surrogate", good_tokens().set("x", r#""\ud800""#).json().into_bytes()),
        ("128 deep", nested(127).json().into_bytes()),
        ("empty", Vec::new()),
        ("an array", format!("[{good}]").into_bytes()),
        ("null", b"null".to_vec()),
    ] {
        refused(what, json(200, body), Code::TokenMalformed);
    }
    accepted("127 deep", &nested(126));
    let padded = |length: usize| good_tokens().text("x", &"x".repeat(length - good.len() - r#","x":"""#.len()));
    assert_eq!(padded(256 * 1024).json().len(), 256 * 1024);
    accepted("256 KiB", &padded(256 * 1024));
    refused("256 KiB and a byte", json(200, padded(256 * 1024 + 1).json()), Code::TooLarge);
}
