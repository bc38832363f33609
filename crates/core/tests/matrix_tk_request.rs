//! Section 3 of the matrix, to TK-03: the token request.

mod support;

use polar_signin_core::{
    authorization::SignIn,
    config::{Config, Options},
    pkce::{Entropy, NoEntropy, code_challenge},
    secret::CodeVerifier,
    session::{Effect, Input, Records, Session},
    time::UnixTime,
};
use support::{
    fixture::{NOW, REDIRECT_URI, TOKEN_ENDPOINT, VERIFIER, config, json, metadata, options},
    page::Trip,
};

/// A form's pairs, split but not decoded.
fn pairs(form: &str) -> Vec<(&str, &str)> {
    form.split('&').map(|part| part.split_once('=').expect("a pair")).collect()
}

#[test]
fn tk_01_the_code_request_byte_by_byte() {
    let page = Trip::new(config()).back();
    let posts: Vec<_> = page.sent.iter().filter(|sent| sent.form.is_some()).collect();
    let [post] = posts[..] else { panic!("one request with a body: {posts:?}") };
    assert_eq!(post.url, TOKEN_ENDPOINT, "no query");
    assert_eq!(post.bearer, None, "no Authorization, and so no preflight");
    assert_eq!(
        post.form.as_deref(),
        Some(
            format!(
                "grant_type=authorization_code&code=C-1&redirect_uri=https%3A%2F%2Frp.example%2Fcallback\
                 &client_id=rp-1&code_verifier={VERIFIER}"
            )
            .as_str()
        )
    );
}

#[test]
fn tk_02_the_redirect_uri_is_sent_as_it_was() {
    for redirect in [
        "https://rp.example/callback",
        "https://rp.example/Callback/",
        "https://rp.example/",
        "https://rp.example/a%2Fb/c?app=1&x=%20",
        "https://RP.example/callback",
    ] {
        let options = Options { redirect_uri: Some(redirect.to_owned()), ..options() };
        let config = Config::new(&options, REDIRECT_URI).expect("a good configuration");
        let trip = Trip { redirect: redirect.to_owned(), ..Trip::new(config) };
        let left = trip.leave().left.expect("left");
        let sent = |query: &str| {
            let value =
                pairs(query).into_iter().filter(|(name, _)| *name == "redirect_uri").map(|(_, value)| value.to_owned());
            let [value] = value.collect::<Vec<_>>().try_into().expect("once");
            value
        };
        let asked = sent(left.split_once('?').expect("a query").1);
        let page = trip.back();
        let redeemed = page.sent[0].form.as_deref().map(sent).expect("a form");
        assert_eq!(asked, redeemed, "{redirect}");
        let decoded = asked.replace("%3A", ":").replace("%2F", "/").replace("%3F", "?").replace("%3D", "=");
        assert_eq!(decoded.replace("%26", "&").replace("%25", "%"), redirect);
    }
}

#[test]
fn tk_03_verifier_and_challenge() {
    let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");

    // What a sign-in leaves with is the challenge of what it later redeems with.
    let trip = Trip::new(config());
    let left = trip.leave().left.expect("left");
    let challenge = code_challenge(&CodeVerifier::new(VERIFIER));
    assert!(left.contains(&format!("&code_challenge={challenge}&code_challenge_method=S256")), "{left}");
    assert!(!left.contains(VERIFIER));

    // A hundred thousand sign-ins: each value 43 characters of the alphabet, no two of them equal.
    let mut seen = std::collections::HashSet::new();
    let mut session = Session::new(config());
    let mut entropy = Counter(0);
    for _ in 0..100_000 / 3 + 1 {
        for value in three_values(&mut session, &mut entropy) {
            let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            assert!(value.len() == 43 && value.bytes().all(alphabet), "{value}");
            assert!(seen.insert(value), "twice the same");
        }
    }
    assert!(seen.len() >= 100_000);
}

/// Counts, so that a value that lost a byte of its entropy would come twice.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0 += 1;
        // The count stands in another place each time round.
        let at = (self.0 % 4) as usize * 8;
        bytes.fill(0);
        bytes[at..at + 8].copy_from_slice(&self.0.to_be_bytes());
        Ok(())
    }
}

/// State, nonce and verifier of one more sign-in.
fn three_values(session: &mut Session, entropy: &mut Counter) -> [String; 3] {
    let mut step = |input| session.step(UnixTime::from_seconds(NOW), entropy, input);
    let request = Box::new(SignIn::default());
    let mut effects = step(Input::SignIn { request, records: Records::new(Vec::new()) });
    if let Some(at) = effects.iter().position(|effect| matches!(effect, Effect::Send(..))) {
        let Effect::Send(ticket, _) = effects.swap_remove(at) else { unreachable!("found above") };
        effects = step(Input::Answered(ticket, json(200, metadata().json())));
    }
    let kept = effects.into_iter().find_map(|effect| match effect {
        Effect::Keep(ticket, _, record) => Some((ticket, record)),
        _ => None,
    });
    let (ticket, record) = kept.expect("a record to keep");
    let left = step(Input::Kept(ticket, Ok(()))).into_iter().find_map(|effect| match effect {
        Effect::Leave(url) => Some(url),
        _ => None,
    });
    let left = left.expect("left");
    let after = |text: &str, name: &str, end: char| {
        let at = text.find(name).expect("there") + name.len();
        text[at..].split(end).next().expect("a value").to_owned()
    };
    step(Input::Cancel);
    [
        after(left.expose(), "&state=", '&'),
        after(left.expose(), "&nonce=", '&'),
        after(record.expose(), "\"code_verifier\":\"", '"'),
    ]
}
