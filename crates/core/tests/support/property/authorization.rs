//! FZ-03: the authorization request, and the encoding of forms.

use polar_signin_core::authorization::{Prompt, SignIn, Way};
use url::{Url, form_urlencoded};

use super::{
    super::{
        fixture::{REDIRECT_URI, config, metadata},
        page::{Page, Trip},
    },
    Choices, Decode, decode,
};

const ONCE: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

/// A request by choices: each parameter once, what the endpoint had stays, what went in comes out.
pub fn request(bytes: &[u8]) {
    request_by(bytes, decode);
}

/// The same, read by this decoder.
pub fn request_by(bytes: &[u8], decode: Decode) {
    let mut choices = Choices::new(bytes);
    let own = choices.pick(&["", "?", "?tenant=1", "?a=b&a=c", "?x=%20+y", "?=", "?tenant"]);
    let prompts = [None, Some(Prompt::Login), Some(Prompt::Consent), Some(Prompt::SelectAccount)];
    let sign_in = SignIn {
        organization: choices.one_in(2),
        prompt: choices.pick(&prompts),
        max_age: choices.one_in(2).then(|| u32::from(choices.byte())),
        login_hint: choices.one_in(2).then(|| choices.text()),
        further_scope: (0..choices.below(3)).map(|_| choices.text()).collect(),
        return_to: choices.one_in(2).then(|| choices.text()),
        way: Way::Page,
    };
    let endpoint = format!("https://op.example/authorize{own}");
    let metadata = metadata().text("authorization_endpoint", &endpoint).json();
    let trip = Trip { metadata, sign_in: sign_in.clone(), ..Trip::new(config()) };
    let left = trip.leave().left.expect("left");

    assert!(left.starts_with(&endpoint), "{left}");
    assert!(left.is_ascii() && !left.contains(['#', ' ', '"', '\\']), "{left}");
    // A byte becomes three at most.
    let said = sign_in.login_hint.iter().chain(&sign_in.further_scope).map(String::len).sum::<usize>();
    assert!(left.len() <= endpoint.len() + 600 + 3 * said, "{} bytes of {said}", left.len());
    let url = Url::parse(&left).expect("an address");
    assert_eq!((url.host_str(), url.path(), url.fragment()), (Some("op.example"), "/authorize", None));
    let pairs = decode(url.query().unwrap_or_default());
    let all = |name: &str| pairs.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    for name in ONCE {
        assert_eq!(all(name).len(), 1, "{name} in {left}");
    }
    for never in ["request", "request_uri", "response_mode", "client_secret", "id_token_hint"] {
        assert!(all(never).is_empty(), "{never} in {left}");
    }
    assert_eq!((all("redirect_uri"), all("client_id")), (vec![REDIRECT_URI], vec!["rp-1"]));
    assert!(all("scope")[0].split(' ').any(|scope| scope == "openid"));
    assert_eq!(all("login_hint"), sign_in.login_hint.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(all("max_age"), sign_in.max_age.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert!(!all("prompt").iter().any(|prompt| prompt.contains("none")));
    assert_eq!(!all("sub_type").is_empty(), sign_in.organization);
}

/// This text, whatever it holds, comes out of the request as it went in.
pub fn carries(text: &str, decode: Decode) {
    let sign_in = SignIn { login_hint: Some(text.to_owned()), ..SignIn::default() };
    let left = Trip { sign_in, ..Trip::new(config()) }.leave().left.expect("left");
    let (_, query) = left.split_once('?').expect("a query");
    let hint = decode(query).into_iter().find(|(name, _)| name == "login_hint").map(|(_, value)| value);
    assert_eq!(hint.as_deref(), Some(text));
}

/// Whatever code a provider gives is sent to the token endpoint as it was.
pub fn form(bytes: &[u8]) {
    form_by(bytes, decode);
}

/// The same, read by this decoder.
pub fn form_by(bytes: &[u8], decode: Decode) {
    let code: String = bytes.iter().map(|byte| char::from(0x20 + byte % 0x5f)).take(4096).collect();
    if code.is_empty() {
        return;
    }
    let trip = Trip::new(config());
    let page = trip.leave();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &code)
        .append_pair("state", &trip.state())
        .finish();
    let page = Page::opened(config(), page.storage, &format!("{REDIRECT_URI}?{query}"));
    let form = page.sent.first().and_then(|sent| sent.form.clone()).expect("a form");
    let pairs = decode(&form);
    assert_eq!(pairs.len(), 5, "{form}");
    assert_eq!(pairs[1], ("code".to_owned(), code), "{form}");
}
