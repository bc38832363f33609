//! Section 2 of the matrix, what a configuration decides: DS-01, DS-04, DS-05, DS-06.

mod support;

use polar_signin_core::{
    config::{Config, Options, Provider},
    discovery::{self, Metadata},
    error::{Code, Detail, Error},
    http::HttpOutcome,
};
use support::{
    fixture::{CLIENT_ID, METADATA_URL, REDIRECT_URI, json, keys, metadata, options, polar, polar_metadata, tokens},
    page::{Page, Trip},
    token::{claims, with_claims},
};

fn process(config: &Config, outcome: HttpOutcome) -> Result<Metadata, Error> {
    let (_, waiting) = discovery::request(config.provider().metadata_url());
    waiting.process(outcome, config)
}

#[test]
fn ds_01_where_the_metadata_is() {
    for (issuer, url) in [
        ("https://op.example", METADATA_URL),
        ("https://op.example/", METADATA_URL),
        ("https://op.example/t/1", "https://op.example/t/1/.well-known/openid-configuration"),
        ("https://op.example/t/1/", "https://op.example/t/1/.well-known/openid-configuration"),
    ] {
        let options = Options { issuer: Some(issuer.to_owned()), ..options() };
        let config = Config::new(&options, REDIRECT_URI).expect("a good configuration");
        assert_eq!(config.provider().metadata_url().as_str(), url);
        assert_eq!(config.provider().issuer(), issuer, "the issuer itself keeps its slash");
        // With the slash it is another issuer.
        let named = |issuer: &str| process(&config, json(200, metadata().text("issuer", issuer).json()));
        assert!(named(issuer).is_ok(), "{issuer}");
        let other = issuer.strip_suffix('/').map_or_else(|| format!("{issuer}/"), str::to_owned);
        assert_eq!(named(&other).map_err(|error| error.code()), Err(Code::MetadataIssuer), "{issuer} and {other}");
    }
}

#[test]
fn ds_04_metadata_on_another_host_with_a_pinned_issuer() {
    assert_eq!(polar().provider().issuer(), "https://polar.sh");
    assert!(process(&polar(), json(200, polar_metadata().json())).is_ok());
    // The same without the preset.
    let spelled_out = Options {
        issuer: Some("https://polar.sh".to_owned()),
        metadata_url: Some("https://api.polar.sh/.well-known/openid-configuration".to_owned()),
        ..options()
    };
    let config = Config::new(&spelled_out, REDIRECT_URI).expect("a good configuration");
    assert!(process(&config, json(200, polar_metadata().json())).is_ok());
    assert_eq!(
        process(&config, json(200, metadata().json())).map_err(|error| error.code()),
        Err(Code::MetadataIssuer),
        "what the document says of itself is never enough"
    );
    let error = Config::new(&Options { issuer: None, ..spelled_out }, REDIRECT_URI).expect_err("no issuer");
    assert_eq!(error.code(), Code::InvalidConfiguration);
    assert!(*error.detail() == Detail::Name("issuer"));
}

#[test]
fn ds_05_production_and_sandbox_share_an_issuer_and_nothing_else() {
    let preset = |name: &str| {
        let options =
            Options { provider: Some(name.to_owned()), client_id: Some(CLIENT_ID.to_owned()), ..Options::default() };
        Config::new(&options, REDIRECT_URI).expect("a good configuration")
    };
    let (production, sandbox) = (preset("polar"), preset("polar-sandbox"));
    assert_eq!(production.provider().issuer(), sandbox.provider().issuer());
    assert_ne!(production.namespace(), sandbox.namespace());
    let other_client = Options { client_id: Some("rp-2".to_owned()), ..Options::default() };
    let other_client = Config::new(&other_client, REDIRECT_URI).expect("a good configuration");
    assert_ne!(production.namespace(), other_client.namespace());

    // Somebody signs in at production…
    let api = |config: &Config| config.provider().metadata_url().origin();
    let trip = Trip {
        metadata_url: production.provider().metadata_url().as_str().to_owned(),
        metadata: polar_metadata().json(),
        ..Trip::new(production.clone())
    };
    let mut page = trip.back();
    let token = with_claims(&claims().text("iss", "https://polar.sh"));
    page.answer(&format!("{}/.well-known/jwks.json", api(&production)), json(200, keys()));
    page.answer(&format!("{}/v1/oauth2/token", api(&production)), json(200, tokens(&token).json()));
    assert_eq!(page.subject().as_deref(), Some("u1"), "{:?}", page.error());
    // …and is nobody at the sandbox of the same tab, and for another client.
    for other in [sandbox.clone(), other_client] {
        let mut elsewhere = Page::opened(other, page.storage.clone(), "https://rp.example/app");
        assert_eq!(elsewhere.subject(), None);
        elsewhere.sign_out();
        assert_eq!(elsewhere.storage, page.storage, "and signing out there is not signing out here");
    }
    // A sign-in under way at production is not completed at the sandbox.
    let under_way = Trip { seed: 11, ..trip };
    let left = under_way.leave();
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", under_way.state());
    let back = Page::opened(sandbox, left.storage, &url);
    assert_eq!(back.code(), Some(Code::ProviderChanged));
    assert!(back.sent.is_empty(), "{:?}", back.open_requests());
}

#[test]
fn ds_06_issuers_and_addresses_that_are_refused_as_configuration() {
    let bad = [
        "http://op.example",
        "https://u:p@op.example",
        "https://u@op.example",
        "https://op.example/?x=1",
        "https://op.example/?",
        "https://op.example/#f",
        "https://op.example#",
        "op.example",
        "https://",
        "javascript:alert(1)",
        "//op.example",
        "http://localhost:8400",
        "http://127.0.0.1",
        "http://[::1]:8400",
    ];
    let code = |options: &Options, page: &str| Config::new(options, page).map_err(|error| error.code()).err();
    for text in bad {
        let issuer = Options { issuer: Some(text.to_owned()), ..options() };
        assert_eq!(code(&issuer, REDIRECT_URI), Some(Code::InvalidConfiguration), "issuer {text}");
        let metadata_url = Options { metadata_url: Some(text.to_owned()), ..options() };
        assert_eq!(code(&metadata_url, REDIRECT_URI), Some(Code::InvalidConfiguration), "metadata_url {text}");
    }
    // Plain http is for one machine, where the page is there too and the option is set.
    for issuer in ["http://localhost:8400", "http://127.0.0.1", "http://[::1]:8400"] {
        let local = Options { issuer: Some(issuer.to_owned()), allow_http_on_loopback: true, ..options() };
        assert_eq!(code(&local, "http://localhost:8080/"), None, "{issuer}");
        assert_eq!(code(&local, REDIRECT_URI), Some(Code::InvalidConfiguration), "a page elsewhere, {issuer}");
    }
    for issuer in ["http://localhost.evil.example", "http://127.0.0.2", "http://10.0.0.1", "http://op.example"] {
        let local = Options { issuer: Some(issuer.to_owned()), allow_http_on_loopback: true, ..options() };
        assert_eq!(code(&local, "http://localhost:8080/"), Some(Code::InvalidConfiguration), "{issuer}");
    }
    assert!(Provider::new(&options(), REDIRECT_URI).is_ok());
}

#[test]
fn st_16_the_demos_provider_has_no_address_of_its_own() {
    let local = Options { provider: Some("local".to_owned()), allow_http_on_loopback: true, ..Options::default() };
    let error = Provider::new(&local, "http://localhost:8401/").expect_err("where would it be?");
    assert_eq!(error.code(), Code::InvalidConfiguration);
    let issuer = Some("https://op.example".to_owned());
    let local = Provider::new(&Options { issuer, ..local }, "http://localhost:8401/").expect("it is complete");
    assert_eq!(local.metadata_url().as_str(), "https://op.example/.well-known/openid-configuration");
}
