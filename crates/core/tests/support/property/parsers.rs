//! FZ-09: every parser is total, and what it accepts keeps its promises.

use polar_signin_core::{
    config::{Config, Options},
    discovery::Metadata,
    error::{Code, Error, Phase, ProviderError},
    http::{Dpop, HttpOutcome, HttpResponse},
    jwks::JwkSet,
    jws::Algorithm,
    organization,
    registration::{self, ClientForm},
    secret::AccessToken,
    snapshot::SubjectKind,
    token::TokenResponse,
    url::{EndpointUrl, Transport},
    userinfo,
};
use serde_json::Value;

use super::{
    super::{
        fixture::{ISSUER, good_tokens, metadata, now},
        keys::{Key, jwks},
        token::Members,
    },
    Choices,
};

const CONTENT_TYPES: [Option<&str>; 9] = [
    Some("application/json"),
    Some("Application/JSON; charset=utf-8"),
    Some("application/problem+json"),
    Some("application/jwk-set+json"),
    Some("text/html"),
    Some("application/jwt"),
    Some(""),
    Some(";application/json"),
    None,
];
const STATUSES: [u16; 12] = [200, 200, 200, 400, 401, 403, 404, 429, 201, 204, 304, 500];

fn is_plain_json(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|text| text.split(';').next());
    essence.is_some_and(|text| text.trim_matches([' ', '\t']).eq_ignore_ascii_case("application/json"))
}

/// A good document with perhaps some member replaced, doubled or taken out; or any bytes at all.
fn body(choices: &mut Choices<'_>, good: Members) -> Vec<u8> {
    if choices.one_in(4) {
        return choices.rest().to_vec();
    }
    let mut document = good;
    for _ in 0..choices.below(4) {
        let at = choices.below(document.pairs().len().max(1));
        let Some((name, _)) = document.pairs().get(at).cloned() else { break };
        let odd = [
            "null",
            "1",
            "-1",
            "1e400",
            "true",
            "[]",
            "{}",
            r#""""#,
            r#""x""#,
            r#""http://x""#,
            r#""https://x#""#,
            r#"["x"]"#,
            r#"[1]"#,
            r#""\u202e""#,
            r#""https://evil.example/a?state=x""#,
            r#""é""#,
        ];
        document = match choices.below(6) {
            0 => document.without(&name),
            1 => document.also(&format!("{name:?}"), choices.pick(&odd)),
            2 => {
                let text = choices.text();
                document.text(&name, &text)
            }
            _ => document.set(&name, choices.pick(&odd)),
        };
    }
    document.json().into_bytes()
}

/// The document as `serde_json` has it. A number that no double holds is all that it cannot read.
fn document(body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body) {
        Ok(document) => Some(document),
        Err(error) => {
            assert!(error.to_string().starts_with("number out of range"), "{error}");
            None
        }
    }
}

/// One of the table, or one put together.
fn content_type(choices: &mut Choices<'_>) -> Option<String> {
    if !choices.one_in(3) {
        return choices.pick(&CONTENT_TYPES).map(str::to_owned);
    }
    let pieces =
        ["application", "/", "json", "Application/JSON", ";", " ", "\t", "charset=x", "+json", ",", "\u{a0}", "é"];
    Some((0..choices.below(6)).map(|_| choices.pick(&pieces)).collect())
}

fn outcome(choices: &mut Choices<'_>, good: Members) -> HttpResponse {
    let (status, content_type) = (choices.pick(&STATUSES), content_type(choices));
    let retry_after = choices.one_in(4).then(|| choices.text());
    HttpResponse { status, content_type, retry_after, dpop: Dpop::default(), body: body(choices, good) }
}

/// What may be shown of an error: the characters of RFC 6749 5.2, and not many of them.
fn check_error(error: &Error) {
    let shown = |text: &str| {
        assert!(text.chars().count() <= 512, "{text}");
        // Cut-out secrets leave a mark that is not of that alphabet.
        let text = text.replace("[…]", "");
        assert!(text.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\'), "{text}");
    };
    if let Some(said) = error.provider() {
        shown(said.error());
        said.description().into_iter().for_each(shown);
    }
    let logged = format!("{error:?} {error}");
    assert!(logged.len() < 120, "{logged}");
}

fn is_endpoint(url: &EndpointUrl) -> bool {
    let text = url.as_str();
    text.starts_with("https://") && !text.contains(['#', '@', '\\', ' ']) && text.is_ascii() && text.len() <= 4096
}

/// One of the parsers, on one document.
pub fn any(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    match choices.below(9) {
        0 => metadata_document(&mut choices),
        1 => token_response(&mut choices),
        2 => userinfo_response(&mut choices),
        3 => organizations(&mut choices),
        4 => registration_response(&mut choices),
        5 => {
            let document = body(&mut choices, Members::new().set("keys", jwks(&[Key::K1.jwk()])));
            if let Ok(keys) = JwkSet::parse(&document) {
                assert!(keys.candidates(Algorithm::Rs256, None).len() <= 10);
            }
        }
        6 => options(&mut choices),
        7 => {
            let outcome = HttpOutcome::Answered(outcome(&mut choices, Members::new()));
            assert!(outcome.wait(now()).is_none_or(|wait| (1_000..=300_000).contains(&wait)));
        }
        _ => {
            let (error, description) = (choices.text(), choices.text());
            let said = ProviderError::new(&error, Some(&description));
            let error = Error::new(Code::TokenRefused, Phase::Token);
            check_error(&error.said(said));
        }
    }
}

fn metadata_document(choices: &mut Choices<'_>) {
    let good = metadata().set("authorization_response_iss_parameter_supported", "true");
    let document = body(choices, good);
    match Metadata::parse(&document, ISSUER, Transport::Https, &[Algorithm::Rs256]) {
        Err(error) => check_error(&error),
        Ok(metadata) => {
            let endpoints = &metadata.endpoints;
            let all = [&metadata.authorization_endpoint, &endpoints.token, &endpoints.jwks];
            let further = endpoints.userinfo.iter().chain(&metadata.registration_endpoint);
            assert!(all.into_iter().chain(further).all(is_endpoint), "{metadata:?}");
            assert!(self::document(&document).is_none_or(|document| document["issuer"] == ISSUER));
            assert!(metadata.connect_sources(&endpoints.token).iter().all(|origin| origin.starts_with("https://")));
        }
    }
}

fn token_response(choices: &mut Choices<'_>) {
    let good = good_tokens().set("error", "null").set("error_description", "null");
    let response = outcome(choices, good);
    let (status, content_type) = (response.status, response.content_type.clone());
    let body = response.body.clone();
    match TokenResponse::process(HttpOutcome::Answered(response), false) {
        Err(error) => check_error(&error),
        Ok(tokens) => {
            assert!(status == 200 && is_plain_json(content_type.as_deref()));
            let Some(document) = document(&body) else { return };
            assert!(document["error"].as_str().unwrap_or_default().is_empty(), "an error is never a success");
            let token = tokens.access_token.expose();
            assert!(!token.is_empty() && token.bytes().all(|b| matches!(b, 0x21..=0x7e)));
            assert_eq!(document["access_token"], token);
            assert!(document["token_type"].as_str().expect("a text").eq_ignore_ascii_case("bearer"));
            assert!(tokens.expires_in.is_none_or(|seconds| seconds >= 0));
            assert!(tokens.refresh_token.is_none_or(|token| !token.expose().is_empty()));
            assert!(tokens.id_token.is_none_or(|token| !token.expose().is_empty()));
            let scopes = tokens.scope.unwrap_or_default();
            assert!(scopes.iter().all(|scope| !scope.is_empty() && !scope.contains(' ')));
        }
    }
}

fn endpoint() -> EndpointUrl {
    EndpointUrl::parse("https://op.example/x", Transport::Https).expect("an address")
}

fn userinfo_response(choices: &mut Choices<'_>) {
    let good = Members::new().text("sub", "u1").text("name", "One").text("email", "a@b").set("email_verified", "true");
    let response = outcome(choices, good.text("picture", "https://op.example/p"));
    let (status, content_type) = (response.status, response.content_type.clone());
    let (_, waiting) = userinfo::request(&endpoint(), &AccessToken::new("AT-1"), None);
    match waiting.process(HttpOutcome::Answered(response), "u1") {
        Err(error) => check_error(&error),
        Ok(userinfo) => {
            assert!(status == 200 && is_plain_json(content_type.as_deref()) && userinfo.subject == "u1");
            let profile = userinfo.profile;
            assert!(profile.picture.is_none_or(|url| url.starts_with("https://")));
            assert!(profile.name.is_none_or(|name| (1..=256).contains(&name.chars().count())));
            assert!(userinfo.claims.iter().all(|(name, text)| name.chars().count().max(text.chars().count()) <= 1024));
        }
    }
}

fn organizations(choices: &mut Choices<'_>) {
    let items = r#"[{"id":"a","name":"A","slug":"a","avatar_url":"https://op.example/a"},{"id":"b"}]"#;
    let good = Members::new().set("items", items).set("pagination", r#"{"total_count":2,"max_page":1}"#);
    let response = outcome(choices, good);
    let status = response.status;
    let body = response.body.clone();
    let (request, waiting) = organization::request(&endpoint(), Transport::Https, &AccessToken::new("AT-1"), None);
    assert!(!request.url.contains("AT-1"));
    match waiting.process(HttpOutcome::Answered(response)) {
        Err(error) => check_error(&error),
        Ok(page) => {
            assert_eq!(status, 200);
            let Some(document) = document(&body) else { return };
            let alone = document["items"].as_array().is_some_and(|items| items.len() == 1)
                && document["pagination"]["total_count"].as_f64().is_some_and(|total| total.floor() == 1.0);
            let one = page.reach(SubjectKind::User, "u1", true).map_err(|error| check_error(&error));
            assert_eq!(one.is_ok(), alone, "several are never one");
        }
    }
}

fn registration_response(choices: &mut Choices<'_>) {
    let good = Members::new()
        .text("client_id", "polar_ci_1")
        .text("registration_access_token", "polar_crt_1")
        .text("registration_client_uri", "https://op.example/r/1");
    let response = outcome(choices, good);
    let status = response.status;
    let (_, waiting) = registration::request(&endpoint(), &ClientForm::default());
    match waiting.process(HttpOutcome::Answered(response)) {
        Err(error) => check_error(&error),
        Ok(client) => assert!(matches!(status, 200 | 201) && !client.client_id.is_empty()),
    }
}

fn options(choices: &mut Choices<'_>) {
    let good = Members::new().text("provider", "oidc").text("issuer", ISSUER).text("client_id", "rp-1");
    let good = good.set("allow_http_on_loopback", "false").text("metadata_url", ISSUER).text("scope", "openid");
    let document = body(choices, good);
    let Ok(options) = Options::from_json(&document) else { return };
    match Config::new(&options, "https://rp.example/callback") {
        Err(error) => check_error(&error),
        Ok(config) => {
            assert!(is_endpoint(config.provider().metadata_url()) && is_endpoint(config.redirect_uri()));
            assert!(config.provider().issuer().starts_with("https://"));
            assert!(config.scope().iter().any(|scope| scope == "openid") && !config.client_id().is_empty());
        }
    }
}
