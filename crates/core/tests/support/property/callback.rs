//! FZ-01: reading an authorization response, and taking it out of the address.

use polar_signin_core::callback::{Callback, parse, scrub};

use super::{
    super::fixture::{REDIRECT_URI, config},
    Choices, Decode, decode,
};

const RESERVED: [&str; 14] = [
    "code",
    "state",
    "iss",
    "session_state",
    "error",
    "error_description",
    "error_uri",
    "response",
    "id_token",
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "scope",
];

/// A query of parts that matter, now and then mixed with any text.
fn query(choices: &mut Choices<'_>) -> String {
    let parts = [
        "code=C",
        "state=S",
        "iss=https%3A%2F%2Fop.example",
        "error=access_denied",
        "code=",
        "state=",
        "error=",
        "code",
        "c%6Fde=B",
        "%73tate=T",
        "st%61te",
        "code=%00",
        "code=%C3%A9",
        "code=a+b",
        "code=YQ==",
        "state=%zz",
        "utm=1",
        "utm=2",
        "a=b=c",
        "",
        "=",
        "=x",
        "&",
        "Code=C",
        "code[]=C",
        "response=x",
        "id_token=x",
        "access_token=",
        "error_description=%3Cb%3E",
        "session_state=1",
        "scope=x",
        "code;state=S",
        "state=__proto__",
        "%",
        "x=%F0%9F",
    ];
    let mut all = Vec::new();
    for _ in 0..choices.below(7) {
        all.push(if choices.one_in(12) { choices.text() } else { choices.pick(&parts).to_owned() });
    }
    all.join("&")
}

/// What the response is, by the decoder of the URL standard: code or error, and state.
fn oracle(query: &str, decode: Decode) -> Option<(String, bool, String)> {
    let pairs = decode(query);
    let all = |name: &str| pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    let once = RESERVED.iter().all(|name| all(name).len() <= 1);
    let one = |name: &str| all(name).first().copied().filter(|value| !value.is_empty());
    let short = pairs.iter().all(|(name, value)| !RESERVED.contains(&name.as_str()) || value.len() <= 4096);
    let foreign = ["response", "id_token", "access_token"].into_iter().any(|name| one(name).is_some());
    if !once || !short || foreign || query.len() > 32 * 1024 {
        return None;
    }
    let state = one("state")?.to_owned();
    match (one("code"), one("error")) {
        (Some(code), None) if code.bytes().all(|b| matches!(b, 0x20..=0x7e)) => Some((code.to_owned(), true, state)),
        (None, Some(error)) => Some((error.to_owned(), false, state)),
        _ => None,
    }
}

/// The same in what the core made of it; an error's text is filtered there, so it is left out.
fn seen(callback: &Callback) -> Option<(String, bool, String)> {
    let Callback::Response(response) = callback else { return None };
    let state = response.state.expose().to_owned();
    Some(match &response.result {
        Ok(code) => (code.expose().to_owned(), true, state),
        Err(_) => (String::new(), false, state),
    })
}

/// `iss` of a response in good form.
fn issuer(callback: &Callback) -> Option<Option<String>> {
    let Callback::Response(response) = callback else { return None };
    Some(response.iss.clone())
}

/// Any response, held against what the `url` crate reads.
pub fn any(bytes: &[u8]) {
    any_by(bytes, decode);
}

/// Any response, held against what this decoder reads.
pub fn any_by(bytes: &[u8], decode: Decode) {
    let mut choices = Choices::new(bytes);
    let query = query(&mut choices).replace('#', "");
    let fragment = self::query(&mut choices);
    let redirect = config().redirect_uri().clone();
    let plain = format!("{REDIRECT_URI}?{query}");
    let url = if choices.one_in(2) { plain.clone() } else { format!("{plain}#{fragment}") };
    let callback = parse(&url, &redirect);

    // Good exactly if the standard's decoder says so.
    let expected = oracle(&query, decode)
        .map(|(text, is_code, state)| (if is_code { text } else { String::new() }, is_code, state));
    assert_eq!(seen(&callback), expected, "{url}");
    // The fragment adds nothing; without a response in the query it makes the page foreign at most.
    match (&callback, parse(&plain, &redirect)) {
        (Callback::Foreign, Callback::None) => {}
        (a, b) => assert_eq!(format!("{a:?}"), format!("{b:?}"), "{url}"),
    }
    // Nor does the order, whichever.
    let parts: Vec<&str> = query.split('&').collect();
    let turned: Vec<&str> = parts.iter().rev().copied().collect();
    for other in [turned, choices.shuffled(&parts)] {
        let other = format!("{REDIRECT_URI}?{}", other.join("&"));
        let again = parse(&other, &redirect);
        assert_eq!((seen(&again), issuer(&again)), (expected.clone(), issuer(&callback)), "{other}");
    }
    // The issuer is the one that was named, if any was.
    if let Some(named) = issuer(&callback) {
        let first = decode(&query).into_iter().find(|(name, _)| name == "iss");
        let first = first.map(|(_, value)| value).filter(|value| !value.is_empty());
        assert_eq!(named, first, "{url}");
    }

    // What is left of the address.
    let clean = scrub(&url);
    assert_eq!(scrub(&clean), clean);
    let name = |part: &str| decode(part).into_iter().next().map(|(name, _)| name);
    let kept = |part: &&str| name(part).is_some_and(|name| !RESERVED.contains(&name.as_str()));
    let kept: Vec<&str> = query.split('&').filter(kept).collect();
    let expected = if kept.is_empty() { REDIRECT_URI.to_owned() } else { format!("{REDIRECT_URI}?{}", kept.join("&")) };
    assert_eq!(clean, expected, "{url}");
    assert!(matches!(parse(&clean, &redirect), Callback::None), "{clean}");
    // Elsewhere nothing is touched.
    let elsewhere = url.replacen("/callback", "/other", 1);
    assert!(matches!(parse(&elsewhere, &redirect), Callback::None), "{elsewhere}");
}
