//! Section 1 of the matrix: what comes back in the address, and the sign-in that it belongs to.
// long: one table, read beside section 1

mod support;

use polar_signin_core::{
    config::{Config, Options},
    error::Code,
    session::Input,
    time::UnixTime,
};
use support::{
    case::SIGNED_IN,
    fixture::{
        JWKS_URI, METADATA_URL, NONCE, NOW, REDIRECT_URI, TOKEN_ENDPOINT, VERIFIER, config, good_tokens, json, keys,
        metadata, options, polar, polar_metadata, tokens,
    },
    page::{Page, Storage, Trip},
    token::{claims, with_claims},
};

/// S and S2.
fn first() -> Trip {
    Trip::new(config())
}

fn second() -> Trip {
    Trip { seed: 11, ..Trip::new(config()) }
}

/// Both under way, on top of what was kept before.
fn pending(before: &Storage) -> Storage {
    let storage = Trip { storage: before.clone(), ..first() }.leave().storage;
    Trip { storage, ..second() }.leave().storage
}

/// `S` in a query stands for the state of the first sign-in.
fn url(query: &str) -> String {
    [REDIRECT_URI, &query.replace("{S}", &first().state()).replace("{S2}", &second().state())].concat()
}

fn opened(before: &Storage, query: &str) -> Page {
    let page = Page::opened(config(), pending(before), &url(query));
    let scrubbed = page.scrubbed.as_deref().unwrap_or_else(|| panic!("{query}: scrubbed"));
    assert!(scrubbed.starts_with(REDIRECT_URI) && !scrubbed.contains('#'), "{query}: {scrubbed}");
    for name in ["code=", "state=", "iss=", "error", "response=", "id_token", "access_token"] {
        assert!(!scrubbed.contains(name), "{query}: {scrubbed}");
    }
    assert!(page.trace[0].starts_with("Scrub("), "{query}: the first effect: {:?}", page.trace);
    page
}

fn transactions(storage: &Storage) -> usize {
    storage.keys().filter(|key| key.contains(":transaction:")).count()
}

/// Both sign-ins can still be completed.
#[track_caller]
fn both_go_on(storage: &Storage, what: &str) {
    for trip in [first(), second()] {
        let back = format!("{REDIRECT_URI}?code=C-1&state={}", trip.state());
        let page = Page::opened(config(), storage.clone(), &back);
        assert_eq!(page.count(TOKEN_ENDPOINT), 1, "{what}: a sign-in was burned");
    }
}

/// R-FOREIGN: nobody's answer. Nothing is sent, nothing is consumed, a session stays.
#[track_caller]
fn foreign(query: &str) {
    for before in [&Storage::new(), &*SIGNED_IN] {
        let storage = pending(before);
        let page = opened(before, query);
        assert_eq!(page.count(TOKEN_ENDPOINT), 0, "{query}: nothing is sent");
        assert_eq!(page.storage, storage, "{query}: nothing is touched");
        assert_eq!(page.subject().is_some(), !before.is_empty(), "{query}");
        both_go_on(&page.storage, query);
    }
}

/// R-FAIL: the answer to S, refused. S is gone, S2 is not, a session of before stays.
#[track_caller]
fn refused(query: &str, code: Code) {
    for before in [&Storage::new(), &*SIGNED_IN] {
        let page = opened(before, query);
        assert_eq!(page.code(), Some(code), "{query}");
        assert_eq!(page.count(TOKEN_ENDPOINT), 0, "{query}: nothing is sent");
        assert_eq!(transactions(&page.storage), 1, "{query}: S is gone, S2 is not");
        assert_eq!(page.subject().is_some(), !before.is_empty(), "{query}: a session of before stays");
        let again = Page::opened(config(), page.storage.clone(), &url("?code=C-1&state={S}"));
        assert_eq!(again.count(TOKEN_ENDPOINT), 0, "{query}: not a second time");
    }
}

/// R-OK: exactly one request with this code, and somebody is signed in.
#[track_caller]
fn accepted(query: &str, code: &str) {
    let mut page = opened(&Storage::new(), query);
    let sent: Vec<_> = page.sent.iter().filter(|sent| sent.url == TOKEN_ENDPOINT).collect();
    assert_eq!(sent.len(), 1, "{query}: {:?}", page.error());
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(sent[0].form.as_deref().expect("a form").as_bytes()).into_owned().collect();
    let value = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!(value("code"), Some(code), "{query}");
    assert_eq!(value("code_verifier"), Some(VERIFIER), "{query}");
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    assert_eq!(page.subject().as_deref(), Some("u1"), "{query}: {:?}", page.error());
    assert_eq!(page.returned.as_deref(), Some("/app"), "{query}");
    assert_eq!(transactions(&page.storage), 1, "{query}");
    for secret in [NONCE, VERIFIER, first().state().as_str()] {
        assert!(
            !page
                .storage
                .iter()
                .any(|(key, text)| key.contains(secret) || key.contains("session") && text.contains(VERIFIER)),
            "{query}"
        );
    }
}

#[test]
fn cb_01_the_good_answer() {
    accepted("?code=C-1&state={S}&iss=https%3A%2F%2Fop.example", "C-1");
}

#[test]
fn cb_02_no_issuer_where_none_is_announced() {
    accepted("?code=C-1&state={S}", "C-1");
}

/// A trip to a provider that announces `iss`.
fn announcing() -> Trip {
    Trip { metadata: metadata().set("authorization_response_iss_parameter_supported", "true").json(), ..first() }
}

#[test]
fn cb_03_no_issuer_where_it_is_announced() {
    let left = announcing().leave();
    let page = Page::opened(config(), left.storage, &url("?code=C-1&state={S}"));
    assert_eq!((page.code(), page.sent.len(), page.storage.len()), (Some(Code::IssuerParameterMissing), 0, 0));
}

#[test]
fn cb_04_another_issuer() {
    refused("?code=C-1&state={S}&iss=https%3A%2F%2Fevil.example", Code::IssuerParameterMismatch);
    let left = announcing().leave();
    let page = Page::opened(config(), left.storage, &url("?code=C-1&state={S}&iss=https%3A%2F%2Fevil.example"));
    assert_eq!((page.code(), page.sent.len()), (Some(Code::IssuerParameterMismatch), 0));
}

#[test]
fn cb_05_an_issuer_that_is_only_nearly_the_same() {
    for iss in [
        "https://op.example/",
        "HTTPS://op.example",
        "https://op.example:443",
        "https://op%252eexample",
        "%20https://op.example",
    ] {
        refused(&format!("?code=C-1&state={{S}}&iss={iss}"), Code::IssuerParameterMismatch);
    }
}

#[test]
fn cb_06_no_state() {
    foreign("?code=C-1");
    foreign("?code=C-1&state=");
}

#[test]
fn cb_07_a_state_that_is_nobodys() {
    let state = first().state();
    let changed = format!("B{}", &state[1..]);
    for other in [
        "UNKNOWN",
        &changed,
        &state.to_ascii_lowercase(),
        &state[..42],
        &format!("{state}A"),
        &format!("{state}%00"),
        "__proto__",
        "constructor",
    ] {
        foreign(&format!("?code=C-1&state={other}"));
    }
}

#[test]
fn cb_08_somebody_elses_answer() {
    let attacker = Trip { seed: 90, ..first() };
    foreign(&format!("?code=C-9&state={}&iss=https%3A%2F%2Fop.example", attacker.state()));
}

#[test]
fn cb_09_the_answer_once_more() {
    let mut page = Page::opened(config(), pending(&Storage::new()), &url("?code=C-1&state={S}"));
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    let again = Page::opened(config(), page.storage.clone(), &url("?code=C-1&state={S}"));
    assert_eq!((again.subject().as_deref(), again.code(), again.count(TOKEN_ENDPOINT)), (Some("u1"), None, 0));
    assert_eq!(again.storage, page.storage);
}

#[test]
fn cb_10_a_reload_in_mid_exchange() {
    let page = Page::opened(config(), pending(&Storage::new()), &url("?code=C-1&state={S}"));
    assert_eq!(page.count(TOKEN_ENDPOINT), 1);
    for reloaded in [REDIRECT_URI.to_owned(), url("?code=C-1&state={S}")] {
        let again = Page::opened(config(), page.storage.clone(), &reloaded);
        assert_eq!((again.code(), again.count(TOKEN_ENDPOINT)), (Some(Code::CallbackInterrupted), 0));
        assert_eq!(transactions(&again.storage), 1, "S2 goes on");
    }
}

#[test]
fn cb_11_the_same_answer_twice_at_once() {
    let mut page = Page::opened(config(), pending(&Storage::new()), &url("?code=C-1&state={S}"));
    page.open(&url("?code=C-1&state={S}"));
    assert_eq!(page.count(TOKEN_ENDPOINT), 1);
    page.answer(JWKS_URI, json(200, keys()));
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    assert_eq!((page.subject().as_deref(), page.code()), (Some("u1"), None));
}

#[test]
fn cb_12_the_age_of_a_sign_in() {
    let storage = first().leave().storage;
    for (age, sent) in [(3599, 1), (3601, 0)] {
        let mut page = Page::new(config(), storage.clone());
        // It was begun 30 seconds before NOW.
        page.now = UnixTime::from_seconds(NOW - 30 + age);
        page.open(&url("?code=C-1&state={S}"));
        assert_eq!(page.count(TOKEN_ENDPOINT), sent, "{age}");
        assert_eq!(page.code(), (sent == 0).then_some(Code::TransactionExpired), "{age}");
        assert_eq!(page.storage.len(), sent, "{age}");
    }
}

/// Another provider on the same page's origin.
fn other_config() -> Config {
    let options = Options { issuer: Some("https://evil.example".to_owned()), ..options() };
    Config::new(&options, REDIRECT_URI).expect("a good configuration")
}

fn other_trip() -> Trip {
    let evil = metadata().json().replace("op.example", "evil.example");
    Trip {
        metadata: evil,
        metadata_url: METADATA_URL.replace("op.example", "evil.example"),
        seed: 11,
        ..Trip::new(other_config())
    }
}

#[test]
fn cb_13_each_sign_in_has_its_own_everything() {
    let storage = Trip { storage: first().leave().storage, ..other_trip() }.leave().storage;
    assert_eq!(transactions(&storage), 2);
    let page = Page::opened(config(), storage, &url("?code=C-1&state={S}"));
    assert_eq!(page.open_requests(), [TOKEN_ENDPOINT, JWKS_URI]);
    let form = page.sent[0].form.as_deref().expect("a form");
    assert!(form.contains(VERIFIER) && form.contains("client_id=rp-1"), "{form}");
    assert_eq!(transactions(&page.storage), 2, "the other one is untouched");
}

#[test]
fn cb_14_an_answer_at_another_redirect_uri() {
    let elsewhere = Options { redirect_uri: Some("https://rp.example/evil-callback".to_owned()), ..options() };
    let elsewhere = Config::new(&elsewhere, REDIRECT_URI).expect("good");
    let storage =
        Trip { redirect: "https://rp.example/evil-callback".to_owned(), ..Trip::new(elsewhere) }.leave().storage;
    let page = Page::opened(config(), storage, &url("?code=C-1&state={S}"));
    assert_eq!((page.code(), page.sent.len()), (Some(Code::RedirectMismatch), 0));
}

#[test]
fn cb_15_the_configuration_changes_on_the_way() {
    let storage = first().leave().storage;
    let page = Page::opened(other_config(), storage, &url("?code=C-1&state={S}"));
    assert_eq!((page.code(), page.sent.len(), page.storage.len()), (Some(Code::ProviderChanged), 0, 0));
    // Polar's sandbox and production have the same issuer.
    let production = Trip {
        metadata_url: "https://api.polar.sh/.well-known/openid-configuration".to_owned(),
        metadata: polar_metadata().json(),
        ..Trip::new(polar())
    };
    let sandbox = Options {
        provider: Some("polar-sandbox".to_owned()),
        client_id: Some("rp-1".to_owned()),
        ..Options::default()
    };
    let sandbox = Config::new(&sandbox, REDIRECT_URI).expect("good");
    let page = Page::opened(sandbox, production.leave().storage, &url("?code=C-1&state={S}"));
    assert_eq!((page.code(), page.sent.len()), (Some(Code::ProviderChanged), 0));
}

#[test]
fn cb_16_denied() {
    refused("?error=access_denied&error_description=x&state={S}", Code::AccessDenied);
}

#[test]
fn cb_17_words_without_a_sign_in_are_not_shown() {
    foreign("?error=access_denied&error_description=Call+0900+123");
    foreign("?error=access_denied&error_description=Call+0900+123&state=UNKNOWN");
    let page = opened(&Storage::new(), "?error=access_denied&error_description=Call+0900+123&state=UNKNOWN");
    assert!(!page.holds("Call") && page.error().is_none_or(|error| error.provider().is_none()));
}

#[test]
fn cb_18_a_code_and_an_error() {
    refused("?code=C-1&error=access_denied&state={S}", Code::CallbackMalformed);
}

#[test]
fn cb_19_a_providers_words_are_filtered() {
    let words = |text: &str| {
        let page = opened(&Storage::new(), &format!("?error=zzz&error_description={text}&state={{S}}"));
        let error = page.error().expect("refused");
        error.provider().expect("words").description().map(str::to_owned)
    };
    assert_eq!(words("a%0d%0ab%E2%80%AEc%E2%80%8Bd%22e%5Cf").as_deref(), Some("abcdef"));
    assert!(words(&"x".repeat(4000)).is_some_and(|text| text.len() <= 256));
    foreign(&format!("?error=zzz&error_description={}&state={{S}}", "x".repeat(16 * 1024)));
    refused("?error=zzz&error_uri=javascript:alert(1)&state={S}", Code::AuthorizationFailed);
}

#[test]
fn cb_20_every_error() {
    for (error, code) in [
        ("login_required", Code::LoginRequired),
        ("interaction_required", Code::InteractionRequired),
        ("consent_required", Code::ConsentRequired),
        ("account_selection_required", Code::AccountSelectionRequired),
        ("temporarily_unavailable", Code::TemporarilyUnavailable),
        ("server_error", Code::ServerError),
        ("zzz", Code::AuthorizationFailed),
    ] {
        refused(&format!("?error={error}&state={{S}}"), code);
        let page = opened(&Storage::new(), &format!("?error={error}&state={{S}}"));
        assert!(page.left.is_none() && page.sent.is_empty(), "{error}: nobody is sent back by itself");
    }
}

#[test]
fn cb_21_parameters_that_stand_twice() {
    refused("?code=A&code=B&state={S}", Code::CallbackMalformed);
    refused("?code=A&code=A&state={S}", Code::CallbackMalformed);
    refused("?code=A&state={S}&iss=https://op.example&iss=https://op.example", Code::CallbackMalformed);
    refused("?error=a&error=b&state={S}", Code::CallbackMalformed);
    foreign("?code=A&state={S}&state={S}");
    foreign("?code=A&state={S}&state={S2}");
}

#[test]
fn cb_22_twice_in_disguise() {
    refused("?code=A&%63ode=B&state={S}", Code::CallbackMalformed);
    refused("?code=A&c%6Fde=B&state={S}", Code::CallbackMalformed);
    foreign("?code=A&state={S}&st%61te={S2}");
}

#[test]
fn cb_23_empty_is_absent() {
    for query in ["?code=&state={S}", "?code&state={S}", "?error=&state={S}", "?state={S}"] {
        refused(query, Code::CallbackMalformed);
    }
}

#[test]
fn cb_24_an_answer_in_the_fragment() {
    foreign("#code=C-1&state={S}");
    foreign("#/?code=C-1&state={S}");
}

#[test]
fn cb_25_a_fragment_beside_the_answer() {
    for fragment in ["#x?code=EVIL&state={S}", "#code=EVIL", "#error=zzz", "#code=EVIL&state={S}"] {
        accepted(&format!("?code=C-1&state={{S}}{fragment}"), "C-1");
    }
}

#[test]
fn cb_26_tokens_in_the_address() {
    foreign("#access_token=X&token_type=Bearer&state={S}");
    foreign("#id_token=eyJ");
    foreign("?access_token=X&state={S}");
    foreign("?code=C-1&id_token=X&state={S}");
}

#[test]
fn cb_27_a_signed_response_that_nobody_asked_for() {
    foreign("?response=eyJhbGciOiJub25lIn0.e30.&state={S}");
    foreign("?response=eyJhbGciOiJub25lIn0.e30.");
}

#[test]
fn cb_28_codes_of_other_characters() {
    for code in ["%00", "%0A", "%7F", "%C3%A9", "%FF", "%F0%9F%98%80"] {
        refused(&format!("?code={code}&state={{S}}"), Code::CallbackMalformed);
    }
}

#[test]
fn cb_29_broken_escapes() {
    for state in ["%25", "%", "%E0%A4%A"] {
        foreign(&format!("?code=C-1&state={state}"));
    }
    // What is no escape stands for itself.
    accepted("?code=%zz&state={S}", "%zz");
}

#[test]
fn cb_30_a_code_is_decoded_once_and_encoded_again() {
    accepted("?code=a%2Bb%26c%3D%25d~&state={S}", "a+b&c=%d~");
    accepted("?code=a+b&state={S}", "a b");
    accepted("?code=YQ==&state={S}", "YQ==");
}

#[test]
fn cb_31_sizes() {
    for length in [1, 2048, 4096] {
        let code = "c".repeat(length);
        accepted(&format!("?code={code}&state={{S}}"), &code);
    }
    foreign(&format!("?code={}&state={{S}}", "c".repeat(4097)));
    foreign(&format!("?code=C-1&state={{S}}&x={}", "x".repeat(32 * 1024)));
}

#[test]
fn cb_32_other_separators_and_names() {
    foreign("?code=C-1;state={S}");
    let storage = pending(&Storage::new());
    // `amp;state` is a name of its own; without any name of a response, the address is none.
    for (query, scrubbed) in [("?code=C-1&amp;state={S}", true), ("?CODE=C-1&STATE={S}", false)] {
        let page = Page::opened(config(), storage.clone(), &url(query));
        assert_eq!((page.sent.len(), &page.storage, page.scrubbed.is_some()), (0, &storage, scrubbed), "{query}");
        both_go_on(&page.storage, query);
    }
    refused("?code[]=C-1&state={S}", Code::CallbackMalformed);
}

#[test]
fn cb_33_unknown_parameters() {
    let query = "?utm_source=1&code=C-1&session_state=x&authuser=0&state={S}&hd=x&scope=admin&prompt=none&utm_source=2";
    accepted(query, "C-1");
    let page = opened(&Storage::new(), query);
    let kept = format!("{REDIRECT_URI}?utm_source=1&authuser=0&hd=x&prompt=none&utm_source=2");
    assert_eq!(page.scrubbed.as_deref(), Some(kept.as_str()));
}

#[test]
fn cb_34_no_way_back_from_the_address() {
    for name in ["returnTo", "return_to", "next", "redirect"] {
        accepted(&format!("?code=C-1&state={{S}}&{name}=//evil.example"), "C-1");
    }
}

#[test]
fn cb_41_no_verifier() {
    for (from, to) in [("\"code_verifier\":", "\"x\":"), (VERIFIER, "short"), (VERIFIER, "")] {
        let mut storage = first().leave().storage;
        for text in storage.values_mut() {
            assert!(text.contains(from));
            *text = text.replace(from, to);
        }
        let page = Page::opened(config(), storage, &url("?code=C-1&state={S}"));
        assert_eq!(
            (page.code(), page.sent.len(), page.storage.len()),
            (Some(Code::TransactionCorrupt), 0, 0),
            "{from}"
        );
    }
}

#[test]
fn cb_42_a_code_of_somebody_elses_sign_in() {
    let mut page = opened(&Storage::new(), "?code=C-9&state={S}");
    page.answer(JWKS_URI, json(200, keys()));
    let theirs = with_claims(&claims().text("nonce", "of-the-attacker"));
    page.answer(TOKEN_ENDPOINT, json(200, tokens(&theirs).json()));
    assert_eq!((page.subject(), page.code()), (None, Some(Code::IdTokenNonce)));
    assert!(!page.holds("AT-1"));
}

#[test]
fn cb_43_the_apps_own_parameters() {
    for page_url in ["https://rp.example/other?code=SPRING26", "https://rp.example/?state=NY&error=1"] {
        let storage = pending(&Storage::new());
        let page = Page::opened(config(), storage.clone(), page_url);
        assert_eq!((page.scrubbed.as_ref(), page.sent.len(), page.code()), (None, 0, None), "{page_url}");
        assert_eq!(page.storage, storage, "{page_url}");
    }
}

#[test]
fn cb_44_another_place_than_the_registered_one() {
    for place in [
        "https://www.rp.example/callback",
        "http://rp.example/callback",
        "https://rp.example:8443/callback",
        "https://rp.example/callback2",
    ] {
        let storage = pending(&Storage::new());
        let page = Page::opened(config(), storage.clone(), &format!("{place}?code=C-1&state={}", first().state()));
        assert_eq!((page.sent.len(), &page.storage, page.left.as_ref()), (0, &storage, None), "{place}");
    }
}

#[test]
fn cb_45_a_response_in_a_frame() {
    let storage = pending(&Storage::new());
    let mut page = Page::new(config(), storage.clone());
    let (url, records) = (url("?code=C-1&state={S}"), page.records());
    page.step(Input::Opened { url, records, framed: true, memory_only: false });
    assert_eq!((page.scrubbed.as_deref(), page.sent.len(), &page.storage), (Some(REDIRECT_URI), 0, &storage));
    assert!(page.snapshot().inert);
    // Nothing that happens in the frame changes that.
    let (request, records) = (Box::default(), page.records());
    page.step(Input::SignIn { request, records });
    page.step(Input::Woke);
    assert_eq!((page.left.as_ref(), page.sent.len(), &page.storage), (None, 0, &storage));
    assert!(page.snapshot().inert && page.subject().is_none() && page.code().is_none());
}

#[test]
fn cb_48_asking_for_an_organization() {
    let mut trip = first();
    trip.sign_in.organization = true;
    let mut page = trip.leave();
    let left = url::Url::parse(page.left.as_deref().expect("left")).expect("an address");
    let values =
        |name: &str| left.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned()).collect::<Vec<_>>();
    assert_eq!(
        (values("sub_type"), values("sub"), values("prompt")),
        (vec!["organization".to_owned()], vec![], vec!["consent".to_owned()])
    );
    assert!(page.storage.values().any(|text| text.contains("\"organization\":true")));
    // Nobody comes back: the page can be used again, and what was kept ends by its age.
    page.step(Input::Cancel);
    assert!(page.snapshot().working.is_none());
    let mut later = Page::new(config(), page.storage);
    later.now = UnixTime::from_seconds(NOW + 3601);
    later.open("https://rp.example/app");
    assert!(later.storage.is_empty() && later.code().is_none());
}
