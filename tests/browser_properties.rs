//! The properties of the core once in a browser: with numbers of 32 bits, a small stack, and no way on
//! after a panic. Where the browser itself has the answer, it is asked.
#![cfg(target_arch = "wasm32")]
#![allow(unexpected_cfgs, reason = "what the core's tests share asks for a feature of the core's own")]

#[path = "../crates/core/tests/support/mod.rs"]
mod support;

use js_sys::{Array, JSON, Object, Reflect};
use polar_signin_core::{
    json::{self, Value},
    jwks::JwkSet,
    token::TokenResponse,
    url::safe_return_to,
};
use support::{
    fixture, imitation,
    property::{
        Choices, authorization, callback, id_token, json as json_property, jws, keys, numbers, parsers, return_to,
        sign_ins, storage,
    },
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

/// Calls a function of the page's language.
fn call(function: &str, argument: &str) -> Result<JsValue, JsValue> {
    let function: js_sys::Function = eval(function).unchecked_into();
    function.call1(&JsValue::UNDEFINED, &JsValue::from_str(argument))
}

/// A property on so many inputs of up to so many bytes: always the same, so that a failure comes again.
fn holds(inputs: usize, most: usize, property: impl Fn(&[u8])) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    };
    for _ in 0..inputs {
        let length = next() as usize % most;
        let bytes: Vec<u8> = (0..length).map(|_| next() as u8).collect();
        property(&bytes);
    }
}

/// The browser's own reading of a query.
fn search_params(query: &str) -> Vec<(String, String)> {
    let pairs = call("text => Array.from(new URLSearchParams('?' + text))", query).expect("it reads anything");
    let text = |pair: &Array, at| pair.get(at).as_string().expect("a text");
    Array::from(&pairs).iter().map(|pair| pair.unchecked_into()).map(|pair| (text(&pair, 0), text(&pair, 1))).collect()
}

#[wasm_bindgen_test]
fn fz_01_a_response_is_what_the_browser_reads() {
    holds(800, 64, |bytes| callback::any_by(bytes, search_params));
}

#[wasm_bindgen_test]
fn fz_02_the_way_back_stays_on_this_site_in_this_browser() {
    // The address itself, and what is read when the page's path is taken for an address once more.
    let leads_to = "text => { const ours = url => {
            const left = new URL(url, location.href);
            if (left.origin !== location.origin || left.username || left.password) throw left.href;
            return left;
        };
        const once = ours(text);
        ours(once.pathname);
        return ours(once.pathname + once.search + once.hash).href; }";
    holds(3_000, 40, |bytes| {
        return_to::any(bytes);
        let text = return_to::text(bytes);
        let path = safe_return_to(&text);
        call(leads_to, path).unwrap_or_else(|url| panic!("{text:?} as {path:?} leads to {url:?}"));
    });
    // It would be seen.
    for evil in ["//evil.example", "/\\evil.example", "/\t/evil.example", "/..//evil.example"] {
        assert!(call(leads_to, evil).is_err(), "{evil:?}");
    }
}

#[wasm_bindgen_test]
fn fz_03_the_browser_reads_what_went_in() {
    imitation::set(true);
    holds(100, 80, |bytes| authorization::request_by(bytes, search_params));
    holds(60, 200, |bytes| authorization::form_by(bytes, search_params));
    let all: Vec<char> = ('\0'..=char::MAX).step_by(7).collect();
    for some in all.chunks(16_384) {
        authorization::carries(&some.iter().collect::<String>(), search_params);
    }
}

/// Whether the browser's `JSON.parse` made the same of a text.
fn same(ours: &Value<'_>, theirs: &JsValue) -> bool {
    match ours {
        Value::Null => theirs.is_null(),
        Value::Bool(bool) => theirs.as_bool() == Some(*bool),
        Value::Number(_) => theirs.as_f64() == ours.to_display().parse().ok(),
        Value::String(text) => theirs.as_string().as_deref() == Some(text.as_ref()),
        Value::Array(items) => {
            let theirs = Array::is_array(theirs).then(|| Array::from(theirs));
            theirs.is_some_and(|theirs| {
                theirs.length() as usize == items.len() && items.iter().zip(theirs.iter()).all(|(a, b)| same(a, &b))
            })
        }
        Value::Object(members) => {
            let names = theirs.dyn_ref::<Object>().filter(|_| !Array::is_array(theirs)).map(Object::keys);
            names.is_some_and(|names| names.length() as usize == members.iter().count())
                && members
                    .iter()
                    .all(|(name, a)| Reflect::get(theirs, &JsValue::from_str(name)).is_ok_and(|b| same(a, &b)))
        }
    }
}

#[wasm_bindgen_test]
fn fz_04_what_is_read_is_what_the_browser_reads() {
    let check = |text: &str| match (json::parse(text.as_bytes()), JSON::parse(text)) {
        (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{text}: {ours:?}"),
        (Ok(ours), Err(_)) => panic!("{text} is no JSON, and was read as {ours:?}"),
        // Ours is stricter: duplicates, depth, half characters.
        (Err(_), _) => {}
    };
    holds(1_500, 120, |bytes| {
        json_property::grammar(bytes);
        check(&json_property::document(bytes).0);
    });
    holds(1_500, 48, |bytes| {
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\u0061", "1", "-", "0", ".5", "e9", "true", "null", " ",
            "\u{1}",
        ];
        let text: String = bytes.iter().map(|byte| pieces[usize::from(*byte) % pieces.len()]).collect();
        json_property::text(text.as_bytes());
        check(&text);
    });
    for depth in [1, 126, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            json_property::text(format!("{}1{}", open.repeat(depth), close.repeat(depth)).as_bytes());
        }
    }
}

/// How much memory this module has taken from the browser; it never gives any back.
fn memory() -> u32 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length()
}

#[wasm_bindgen_test]
fn fz_05_tokens_are_taken_apart_without_much_memory() {
    imitation::set(true);
    holds(600, 80, jws::segment);
    holds(600, 80, jws::any);
    // As many dots as a token may have bytes, and many more.
    let texts = [".".repeat(64 * 1024), ".".repeat(4 << 20), "a.".repeat(32 * 1024)];
    let before = memory();
    for text in &texts {
        (0..20).for_each(|_| jws::any(&text.as_bytes()[..64 * 1024]));
        jws::any(text.as_bytes());
    }
    // The property's own copy of four megabytes, and its list of segments, at most.
    assert!(memory() - before < 160 << 20, "{} bytes", memory() - before);
}

#[wasm_bindgen_test]
fn fz_06_only_what_the_honest_signer_signed() {
    imitation::set(true);
    holds(600, 96, id_token::mutations);
    holds(100, 24, id_token::interval);
    assert!(id_token::every_bit(support::keys::Key::E1) > 2_500);
}

#[wasm_bindgen_test]
fn fz_07_the_keys_that_are_tried() {
    holds(400, 200, keys::select);
}

#[wasm_bindgen_test]
fn fz_08_numbers_are_what_the_browser_makes_of_them() {
    imitation::set(true);
    holds(600, 64, numbers::number);
    holds(600, 32, numbers::sum);
    holds(100, 32, numbers::text);
    holds(300, 9, numbers::http_date);
    holds(20, 64, numbers::alarm);
    holds(2_000, 64, |bytes| {
        let text = numbers::number_text(&mut Choices::new(bytes));
        let theirs = call("Number", &text).ok().and_then(|number| number.as_f64()).expect("a number");
        let Ok(Value::Number(ours)) = json::parse(text.as_bytes()) else { panic!("{text} is a number") };
        match ours.to_fixed(0) {
            // As near as a double can be: it may have been rounded up to the next.
            Some(ours) => {
                let theirs = theirs.floor().clamp(-9.3e18, 9.3e18);
                let limit = (ours as f64).abs().max(theirs.abs()) * 1e-15 + 1.0;
                let saturated = ours.unsigned_abs() >= i64::MAX as u64 && theirs.abs() > 9.2e18;
                assert!(saturated || (ours as f64 - theirs).abs() <= limit, "{text}: {ours} is not {theirs}");
            }
            None => assert!(theirs.abs() >= 1e308, "{text}: {theirs}"),
        }
    });
}

#[wasm_bindgen_test]
fn fz_09_every_parser_is_total() {
    imitation::set(true);
    holds(1_500, 160, parsers::any);
}

#[wasm_bindgen_test]
fn fz_10_sign_ins_in_any_order() {
    imitation::set(true);
    holds(60, 60, sign_ins::any);
}

#[wasm_bindgen_test]
fn fz_12_records_and_what_is_shown_of_secrets() {
    imitation::set(true);
    holds(100, 64, storage::edited);
    holds(30, 80, storage::kept);
    holds(30, 80, storage::redacted);
}

#[wasm_bindgen_test]
fn id_18_no_depth_and_no_size_ends_the_module() {
    use polar_signin_core::{
        error::Code,
        secret::{AccessToken, Nonce},
    };
    use support::{
        case::{expected, verify_id_token},
        fixture::{NONCE, config, good_tokens, now},
        keys::encode,
        token::{claims, with_claims},
    };
    imitation::set(true);
    let (nonce, access_token, config) = (Nonce::new(NONCE), AccessToken::new("AT-1"), config());
    let verdict = |token: &str| {
        verify_id_token(token, &fixture::keys(), &config, &expected(&config, &nonce, &access_token), now()).err()
    };
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many = |count: usize| (0..count).fold(claims(), |claims, n| claims.also(&format!("\"c{n}\""), "0"));
    let padded = |length: usize| with_claims(&claims().text("x", &"p".repeat(length)));
    let deep = with_claims(&claims().set("x", nested(20_000)));
    let unsigned = format!("{}.{}", deep.rsplit_once('.').expect("segments").0, encode(&[0x5a; 256]));
    let too_long = padded(48_700);
    assert!((65_537..66_000).contains(&too_long.len()), "{}", too_long.len());
    for (what, token, code) in [
        ("126 deep", with_claims(&claims().set("x", nested(126))), None),
        ("128 deep", with_claims(&claims().set("x", nested(128))), Some(Code::IdTokenMalformed)),
        ("20,000 deep", deep, Some(Code::IdTokenMalformed)),
        ("100,000 deep", with_claims(&claims().set("x", nested(100_000))), Some(Code::IdTokenMalformed)),
        ("nearly 64 KiB", padded(48_000), None),
        ("more than 64 KiB", too_long, Some(Code::IdTokenMalformed)),
        ("50,000 claims", with_claims(&many(50_000)), Some(Code::IdTokenMalformed)),
        ("deep with a bad signature: no claim is looked at", unsigned, Some(Code::IdTokenSignature)),
    ] {
        assert_eq!(verdict(&token), code, "{what}");
    }
    // The same depth where there is no signature to stop it.
    for text in [nested(100_000), "[".repeat(100_000), "{\"a\":".repeat(50_000)] {
        assert!(json::parse(text.as_bytes()).is_err());
        assert!(JwkSet::parse(format!("{{\"keys\":[{{\"kty\":{text}}}]}}").as_bytes()).is_err());
        let answer = fixture::json(200, good_tokens().set("x", text).json());
        assert!(TokenResponse::process(answer, false).is_err());
    }
    // The module still works.
    assert_eq!(verdict(&with_claims(&claims())), None);
}
