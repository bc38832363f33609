//! Section 2 of the matrix, to DS-19: the provider's metadata.

mod support;

use polar_signin_core::{
    authorization::SignIn,
    config::Config,
    discovery::{self, Metadata},
    error::{Code, Detail, Error},
    http::HttpOutcome,
};
use support::{
    fixture::{METADATA_URL, REDIRECT_URI, TOKEN_ENDPOINT, answer, config, html, json, keys, metadata, tokens},
    page::{Page, Storage, Trip},
    token::{self, claims},
};

/// What this document is taken for, by the configuration of OP-A.
fn read(document: &str) -> Result<Metadata, Error> {
    process(&config(), json(200, document))
}

fn process(config: &Config, outcome: HttpOutcome) -> Result<Metadata, Error> {
    let (_, waiting) = discovery::request(config.provider().metadata_url());
    waiting.process(outcome, config)
}

#[track_caller]
fn refused(what: &str, document: &str, code: Code) {
    let seen = read(document).map_err(|error| error.code());
    assert_eq!(seen.err(), Some(code), "{what}");
    // A sign-in that meets it never leaves, keeps nothing, and asks anew the next time.
    let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
    for round in 1..=2 {
        page.sign_in(SignIn::default());
        page.answer(METADATA_URL, json(200, document));
        assert_eq!((page.code(), page.left.as_ref()), (Some(code), None), "{what}");
        assert!(page.storage.is_empty(), "{what}");
        assert_eq!(page.count(METADATA_URL), round, "{what}: nothing was cached, nothing tried again");
    }
}

#[track_caller]
fn accepted(what: &str, document: &str) -> Metadata {
    let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
    page.sign_in(SignIn::default());
    page.answer(METADATA_URL, json(200, document));
    assert!(page.left.is_some(), "{what}: {:?}", page.error());
    read(document).unwrap_or_else(|error| panic!("{what}: {error:?}"))
}

#[test]
fn ds_02_another_issuer_in_the_metadata() {
    refused("INVALID", &metadata().text("issuer", "https://op.exampleINVALID").json(), Code::MetadataIssuer);
    refused("missing", &metadata().without("issuer").json(), Code::MetadataIssuer);
    for issuer in ["null", r#"["https://op.example"]"#, r#""""#, "1", "{}"] {
        refused(issuer, &metadata().set("issuer", issuer).json(), Code::MetadataIssuer);
    }
}

#[test]
fn ds_03_an_issuer_that_is_equal_only_after_normalising() {
    for issuer in [
        "https://op.example/",
        "https://OP.example",
        "HTTPS://op.example",
        "https://op.example:443",
        "https://op.example%2F",
        "https://op%2eexample",
        " https://op.example",
        "https://op.example.",
    ] {
        refused(issuer, &metadata().text("issuer", issuer).json(), Code::MetadataIssuer);
    }
}

#[test]
fn ds_07_endpoints_that_are_no_plain_https_addresses() {
    let bad = [
        r#""http://op.example/x""#,
        r#""http://localhost/x""#,
        r#""javascript:alert(1)""#,
        r#""data:text/html,x""#,
        r#""//x""#,
        r#""/token""#,
        r#""token""#,
        r#""https://op.example/x#f""#,
        r#""https://u:p@op.example/x""#,
        r#""https://op.example\\@evil.example/""#,
        r#"" https://op.example/x""#,
        r#""https://op.example/ x""#,
        "1",
        "null",
        r#""""#,
        r#"["https://op.example/x"]"#,
    ];
    for value in bad {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            refused(&format!("{name}: {value}"), &metadata().set(name, value).json(), Code::MetadataEndpoint);
        }
        let optional = metadata()
            .set("userinfo_endpoint", value)
            .set("registration_endpoint", value)
            .set("end_session_endpoint", value);
        let seen = accepted(value, &optional.json());
        assert_eq!((seen.endpoints.userinfo, seen.registration_endpoint), (None, None), "{value}");
    }
    // What is absent is not fetched: the sign-in goes on without it.
    let trip =
        Trip { metadata: metadata().text("userinfo_endpoint", "javascript:alert(1)").json(), ..Trip::new(config()) };
    let page = trip.complete(json(200, tokens(&token::good()).json()), &keys());
    assert_eq!(page.subject().as_deref(), Some("u1"));
    assert!(page.open_requests().is_empty(), "{:?}", page.open_requests());
}

#[test]
fn ds_08_an_authorization_endpoint_with_a_query_of_its_own() {
    let at = |url: &str| metadata().text("authorization_endpoint", url).json();
    let leave = |url: &str| {
        let left = Trip { metadata: at(url), ..Trip::new(config()) }.leave().left;
        left.unwrap_or_else(|| panic!("{url}"))
    };
    let left = leave("https://op.example/a?tenant=1");
    assert!(left.starts_with("https://op.example/a?tenant=1&response_type=code&client_id=rp-1&"), "{left}");
    assert!(leave("https://op.example/a?").starts_with("https://op.example/a?response_type=code&"));
    for query in [
        "client_id=evil&state=x",
        "state",
        "%73tate=x",
        "tenant=1&redirect_uri=https%3A%2F%2Fevil.example",
        "response_mode=fragment",
        "request=x",
        "request_uri=x",
        "scope=x",
        "nonce=",
        "response_type=token",
        "code_challenge=x",
        "code_challenge_method=plain",
        "prompt=none",
        "max_age=1",
        "sub_type=user",
    ] {
        refused(query, &at(&format!("https://op.example/a?{query}")), Code::MetadataEndpoint);
    }
}

#[test]
fn ds_09_endpoints_on_other_origins() {
    let spread = metadata()
        .text("authorization_endpoint", "https://login.example/authorize")
        .text("token_endpoint", "https://token.example/token")
        .text("jwks_uri", "https://keys.example/jwks")
        .text("userinfo_endpoint", "https://op.example/userinfo");
    let seen = accepted("four origins", &spread.json());
    assert_eq!(
        seen.connect_sources(config().provider().metadata_url()),
        ["https://op.example", "https://token.example", "https://keys.example"],
        "for connect-src; the page that is navigated to needs no entry"
    );
    // What was kept of other origins is confirmed by the metadata before the code goes there.
    let mut page = Trip { metadata: spread.json(), ..Trip::new(config()) }.back();
    assert_eq!(page.open_requests(), [METADATA_URL]);
    page.answer(METADATA_URL, json(200, spread.json()));
    assert_eq!(page.open_requests(), ["https://token.example/token", "https://keys.example/jwks"]);
}

#[test]
fn ds_10_members_that_are_required_and_those_that_are_not() {
    for (name, code) in [
        ("issuer", Code::MetadataIssuer),
        ("authorization_endpoint", Code::MetadataEndpoint),
        ("token_endpoint", Code::MetadataEndpoint),
        ("jwks_uri", Code::MetadataEndpoint),
    ] {
        refused(name, &metadata().without(name).json(), code);
        if code == Code::MetadataEndpoint {
            let error = read(&metadata().without(name).json()).expect_err("refused");
            assert!(*error.detail() == Detail::Name(name), "the error names {name}");
        }
    }
    let required = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"];
    for (name, _) in metadata().pairs().iter().filter(|(name, _)| !required.contains(&name.as_str())) {
        accepted(name, &metadata().without(name).json());
    }
}

#[test]
fn ds_11_members_that_are_not_used() {
    let extended = metadata()
        .set("mtls_endpoint_aliases", r#"{"token_endpoint":"https://evil.example/token"}"#)
        .set("__proto__", r#"{"token_endpoint":"https://evil.example/token"}"#)
        .set("constructor", "{}")
        .set("unheard_of", "[1,{}]")
        .set("scopes_supported", "5")
        .set("claims_supported", r#""sub""#)
        .set("subject_types_supported", "{}")
        .set("token_endpoint_auth_methods_supported", "7")
        .set("service_documentation", "[]");
    let seen = accepted("odd members", &extended.json());
    assert_eq!(seen.endpoints, accepted("plain", &metadata().json()).endpoints);
}

#[test]
fn ds_12_a_member_twice() {
    for (raw, value) in [
        (r#""token_endpoint""#, r#""https://evil.example/token""#),
        (r#""token_endpoint""#, r#""https://op.example/token""#),
        (r#""token\u005fendpoint""#, r#""https://evil.example/token""#),
        (r#""issuer""#, r#""https://op.example""#),
        (r#""unheard_of":1,"unheard_of""#, "1"),
        (r#""x""#, r#"{"a":1,"a":1}"#),
    ] {
        refused(raw, &metadata().also(raw, value).json(), Code::MetadataMalformed);
    }
}

#[test]
fn ds_13_s256_or_nothing() {
    let methods = |json: &str| metadata().set("code_challenge_methods_supported", json).json();
    for bad in [r#"["plain"]"#, "[]", r#"["s256"]"#, r#"["S256 "]"#] {
        refused(bad, &methods(bad), Code::MetadataUnsupported);
    }
    for good in [r#"["plain","S256"]"#, r#"["S256"]"#, "null"] {
        let trip = Trip { metadata: methods(good), ..Trip::new(config()) };
        let left = trip.leave().left.expect("left");
        assert!(left.contains("&code_challenge_method=S256"), "{left}");
    }
    accepted("absent", &metadata().without("code_challenge_methods_supported").json());
    for malformed in [r#""S256""#, "[1]", "{}"] {
        refused(malformed, &methods(malformed), Code::MetadataMalformed);
    }
}

#[test]
fn ds_14_a_signature_algorithm_in_common() {
    let algorithms = |json: &str| metadata().set("id_token_signing_alg_values_supported", json).json();
    for bad in [r#"["none","HS256"]"#, r#"["none"]"#, "[]", r#"["PS256"]"#, r#"["rs256"]"#] {
        refused(bad, &algorithms(bad), Code::MetadataUnsupported);
    }
    for good in [r#"["none","RS256","HS256"]"#, r#"["RS256"]"#, r#"["none","ES256"]"#] {
        accepted(good, &algorithms(good));
    }
    accepted("absent", &metadata().without("id_token_signing_alg_values_supported").json());
    // An announced `none` is still none: see ID-03 for the token.
    let unsigned = token::signing_input(br#"{"alg":"none"}"#, claims().json().as_bytes()) + ".";
    let trip = Trip { metadata: algorithms(r#"["none","RS256"]"#), ..Trip::new(config()) };
    let page = trip.complete(json(200, tokens(&unsigned).json()), &keys());
    assert_eq!(page.code(), Some(Code::IdTokenAlgorithm));
}

#[test]
fn ds_15_authentication_methods_and_response_types() {
    let methods = |json: &str| metadata().set("token_endpoint_auth_methods_supported", json).json();
    for (json, named) in [(r#"["none"]"#, true), (r#"["client_secret_basic"]"#, false), ("[]", false)] {
        assert_eq!(accepted(json, &methods(json)).names_public_clients, named, "{json}");
    }
    let absent = metadata().without("token_endpoint_auth_methods_supported").json();
    assert!(!accepted("absent", &absent).names_public_clients, "worth a warning, no reason to stop");
    let types = |json: &str| metadata().set("response_types_supported", json).json();
    for bad in [r#"["id_token"]"#, r#"["code id_token"]"#, "[]"] {
        refused(bad, &types(bad), Code::MetadataUnsupported);
    }
    accepted("among others", &types(r#"["id_token","code"]"#));
}

#[test]
fn ds_16_the_iss_announcement_is_a_boolean() {
    let announced = |json: &str| metadata().set("authorization_response_iss_parameter_supported", json).json();
    assert!(accepted("true", &announced("true")).iss_parameter);
    assert!(!accepted("false", &announced("false")).iss_parameter);
    assert!(!accepted("absent", &metadata().json()).iss_parameter);
    for bad in [r#""true""#, "1", "[]", "{}"] {
        refused(bad, &announced(bad), Code::MetadataMalformed);
    }
    // Required where it was announced.
    let trip = Trip { metadata: announced("true"), ..Trip::new(config()) };
    let page = trip.back();
    assert_eq!(page.code(), Some(Code::IssuerParameterMissing));
    assert!(page.sent.is_empty());
}

#[test]
fn ds_18_metadata_by_status_and_content_type() {
    let document = || metadata().json();
    let status = |outcome| process(&config(), outcome).map(|_| ()).map_err(|error| error.code());
    for (what, outcome, code) in [
        ("200 text/html", html(200), Code::MetadataMalformed),
        ("200 text/html with good JSON", answer(200, Some("text/html"), document()), Code::MetadataMalformed),
        ("200 empty", json(200, ""), Code::MetadataMalformed),
        ("204", answer(204, None, ""), Code::HttpStatus),
        ("204 with good JSON", json(204, document()), Code::HttpStatus),
        ("404 with good JSON", json(404, document()), Code::HttpStatus),
        ("200 text/plain", answer(200, Some("text/plain"), document()), Code::MetadataMalformed),
        ("200 without a type", answer(200, None, document()), Code::MetadataMalformed),
        ("a prefix of a type", answer(200, Some("application/jsonp"), document()), Code::MetadataMalformed),
    ] {
        assert_eq!(status(outcome.clone()), Err(code), "{what}");
        let mut page = Page::opened(config(), Storage::new(), "https://rp.example/app");
        page.sign_in(SignIn::default());
        page.answer(METADATA_URL, outcome);
        assert_eq!((page.code(), page.wake), (Some(code), None), "{what}: not tried again");
    }
    for content_type in [
        "application/json",
        "Application/JSON;charset=utf-8",
        "application/json ; charset=utf-8",
        "application/provider+json",
    ] {
        assert_eq!(status(answer(200, Some(content_type), document())), Ok(()), "{content_type}");
    }
}

#[test]
fn ds_19_metadata_is_never_read_from_a_storage() {
    let evil = metadata().text("token_endpoint", "https://evil.example/token").json();
    let namespace = config().namespace();
    let planted: Storage = ["metadata", "discovery", "jwks", "openid-configuration"]
        .into_iter()
        .map(|name| (format!("{namespace}{name}"), evil.clone()))
        .collect();
    let mut page = Page::opened(config(), planted.clone(), "https://rp.example/app");
    page.sign_in(SignIn::default());
    assert_eq!(page.open_requests(), [METADATA_URL], "the network is asked, whatever the storage says");
    page.answer(METADATA_URL, json(200, metadata().json()));
    let added: Vec<_> = page.storage.iter().filter(|(key, _)| !planted.contains_key(*key)).collect();
    assert!(matches!(added[..], [(key, _)] if key.contains("transaction")), "the metadata itself is not kept");

    // The endpoints of a sign-in are kept; what was edited is believed only if the metadata says it too.
    let trip = Trip::new(config());
    let mut storage = trip.leave().storage;
    for record in storage.values_mut() {
        assert!(record.contains(TOKEN_ENDPOINT));
        *record = record.replace(TOKEN_ENDPOINT, "https://evil.example/token");
    }
    let url = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
    let mut page = Page::opened(config(), storage, &url);
    assert_eq!(page.open_requests(), [METADATA_URL]);
    page.answer(METADATA_URL, json(200, metadata().json()));
    assert_eq!(page.code(), Some(Code::TransactionCorrupt));
    assert!(page.sent.iter().all(|sent| !sent.url.contains("evil")), "{:?}", page.sent);
}
