//! Section 3 of the matrix, the cases that are about a whole sign-in: TK-24 to TK-27.

mod support;

use polar_signin_core::{
    authorization::SignIn,
    config::{Config, Options},
    error::Code,
    http::HttpOutcome,
    session::StorageFailure,
    snapshot::{Loadable, Reach, SubjectKind},
};
use support::{
    case::{SIGNED_IN, left_over},
    fixture::{
        JWKS_URI, NOW, REDIRECT_URI, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, good_tokens, json, keys, metadata,
        polar_metadata, tokens,
    },
    keys::Key,
    page::{Page, Storage, Trip},
    token::{self, claims, header, sign, with_claims, with_header},
};

#[test]
fn tk_24_nothing_is_kept_of_a_refused_sign_in() {
    // One of each kind; every other refusal of section 4 is held to the same in its own table.
    let good = token::good();
    let flipped = {
        let mut bytes = good.clone().into_bytes();
        let last = bytes.len() - 3;
        bytes[last] = if bytes[last] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    let table = [
        ("no token", "x".to_owned(), Code::IdTokenMalformed),
        ("alg", with_header(&header().text("alg", "none")), Code::IdTokenAlgorithm),
        ("crit", with_header(&header().set("crit", "[]")), Code::IdTokenUnsupported),
        ("kid", with_header(&header().text("kid", "x")), Code::KeyUnknown),
        ("signature", flipped, Code::IdTokenSignature),
        ("stranger", sign(&header(), &claims(), Key::Stranger), Code::IdTokenSignature),
        ("iss", with_claims(&claims().text("iss", "https://evil.example")), Code::IdTokenIssuer),
        ("aud", with_claims(&claims().text("aud", "rp-2")), Code::IdTokenAudience),
        ("azp", with_claims(&claims().text("azp", "rp-2")), Code::IdTokenAuthorizedParty),
        ("sub", with_claims(&claims().without("sub")), Code::IdTokenSubject),
        ("exp", with_claims(&claims().number("exp", NOW - 60)), Code::IdTokenExpired),
        ("iat", with_claims(&claims().without("iat")), Code::IdTokenIssuedAt),
        ("clock", with_claims(&claims().number("iat", NOW + 301)), Code::ClockSkew),
        ("nbf", with_claims(&claims().number("nbf", NOW + 61)), Code::IdTokenNotYetValid),
        ("nonce", with_claims(&claims().text("nonce", "x")), Code::IdTokenNonce),
        ("at_hash", with_claims(&claims().text("at_hash", "x")), Code::IdTokenAccessTokenHash),
    ];
    for (what, token, code) in table {
        for before in [&Storage::new(), &*SIGNED_IN] {
            let mut page = Trip { storage: before.clone(), ..Trip::new(config()) }
                .complete(json(200, tokens(&token).json()), &keys());
            if page.open_requests().contains(&JWKS_URI) {
                page.answer(JWKS_URI, json(200, keys()));
            }
            assert_eq!(page.code(), Some(code), "{what}");
            assert_eq!(left_over(&page, before, &token), None, "{what}");
            assert!(page.sent.iter().all(|sent| sent.bearer.as_deref() != Some("AT-1")), "{what}: AT-1 was never used");
        }
    }
}

/// A page on which u0 is signed in, userinfo and all, and where u1 now returns.
fn second_person(refuse_to_keep: Option<StorageFailure>) -> Page {
    let trip = Trip { storage: SIGNED_IN.clone(), ..Trip::new(config()) };
    let mut page = trip.back();
    assert_eq!(page.subject().as_deref(), Some("u0"));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u0","name":"Zero"}"#));
    assert!(matches!(page.account().expect("u0").userinfo, Loadable::Ready(_)));
    page.answer(JWKS_URI, json(200, keys()));
    page.refuse_to_keep = refuse_to_keep;
    page.answer(TOKEN_ENDPOINT, json(200, good_tokens().json()));
    page
}

#[test]
fn tk_25_another_person_signs_in() {
    let mut page = second_person(None);
    let account = page.account().expect("signed in");
    assert_eq!(account.subject, "u1");
    assert_eq!((account.userinfo, account.organizations != Loadable::Waiting), (Loadable::Waiting, true));
    for secret in ["AT-0", "RT-0", "\"u0\"", "Zero"] {
        assert!(!page.holds(secret), "{secret}");
    }
    assert_eq!(page.storage.len(), 1);
    // The new one's own userinfo, with the new token.
    let last = page.sent.last().expect("a request");
    assert_eq!((last.url.as_str(), last.bearer.as_deref()), (USERINFO_ENDPOINT, Some("AT-1")));
    page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1","name":"One"}"#));
    assert_eq!(page.account().expect("signed in").display_name(), "One");

    // Where the new one cannot be kept, the old one is not left in its place.
    let page = second_person(Some(StorageFailure::Full));
    assert_eq!(page.subject().as_deref(), Some("u1"));
    assert!(page.snapshot().memory_only);
    assert!(page.storage.is_empty(), "{:?}", page.storage.keys());
}

const ORGANIZATIONS: &str = "https://api.polar.sh/v1/organizations/?page=1&limit=100";

/// A sign-in at OP-P, for an organization, whose token reaches these.
fn for_organization(access_token: &str, list: HttpOutcome) -> Page {
    let options = Options { client_id: Some("rp-1".to_owned()), ..Options::default() };
    let config = Config::new(&options, REDIRECT_URI).expect("a good configuration");
    let trip = Trip {
        metadata_url: config.provider().metadata_url().as_str().to_owned(),
        metadata: polar_metadata().json(),
        sign_in: SignIn { organization: true, ..SignIn::default() },
        ..Trip::new(config)
    };
    let mut page = trip.back();
    let token = with_claims(&claims().text("iss", "https://polar.sh").without("at_hash"));
    let scope = "openid profile email organizations:read";
    let answer = tokens(&token).text("access_token", access_token).text("scope", scope);
    page.answer("https://api.polar.sh/.well-known/jwks.json", json(200, keys()));
    page.answer("https://api.polar.sh/v1/oauth2/token", json(200, answer.json()));
    let account = page.account().unwrap_or_else(|| panic!("{:?}", page.error()));
    assert_eq!((account.subject.as_str(), account.organizations), ("u1", Loadable::Waiting), "nothing is guessed");
    page.answer(ORGANIZATIONS, list);
    page
}

fn list(names: &[&str], total: u64) -> HttpOutcome {
    let items: Vec<_> =
        names.iter().map(|name| format!(r#"{{"id":"id-{name}","name":"{name}","slug":"{name}"}}"#)).collect();
    let items = items.join(",");
    json(200, format!(r#"{{"items":[{items}],"pagination":{{"total_count":{total},"max_page":1}}}}"#))
}

#[test]
fn tk_26_the_chosen_organization_is_never_guessed() {
    let reach = |outcome| {
        let account = for_organization("polar_at_u_1", outcome).account().expect("signed in");
        assert_eq!((account.subject.as_str(), account.kind), ("u1", SubjectKind::User));
        account.organizations
    };
    match reach(list(&["acme"], 1)) {
        Loadable::Ready(Reach::Selected(one)) => assert_eq!((one.id.as_str(), one.name.as_str()), ("id-acme", "acme")),
        other => panic!("{other:?}"),
    }
    for (what, outcome, code) in [
        ("none", list(&[], 0), Code::OrganizationNone),
        ("two", list(&["acme", "bolt"], 2), Code::OrganizationSeveral),
        ("two, of which one is listed", list(&["acme"], 2), Code::OrganizationSeveral),
        ("one that is not listed", list(&[], 1), Code::OrganizationsMalformed),
        ("more listed than there are", list(&["acme", "bolt"], 1), Code::OrganizationsMalformed),
        ("no count", json(200, r#"{"items":[{"id":"a"}]}"#), Code::OrganizationsMalformed),
        (
            "no id",
            json(200, r#"{"items":[{"name":"a"}],"pagination":{"total_count":1}}"#),
            Code::OrganizationsMalformed,
        ),
        ("an array", json(200, "[]"), Code::OrganizationsMalformed),
        ("the scope is missing", json(403, r#"{"error":"insufficient_scope"}"#), Code::InsufficientScope),
        ("no answer in JSON", support::fixture::html(200), Code::OrganizationsMalformed),
    ] {
        match reach(outcome) {
            Loadable::Failed(error) => assert_eq!(error.code(), code, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    // A claim or member that names an organization is no proof of a choice.
    let hinted = json(200, r#"{"items":[],"pagination":{"total_count":0},"organization_id":"id-acme"}"#);
    assert!(matches!(reach(hinted), Loadable::Failed(error) if error.code() == Code::OrganizationNone));
}

#[test]
fn tk_27_dpop_and_par_are_not_spoken() {
    // Neither is offered, so what asks for them ends the attempt, with one request.
    let asks = json(400, r#"{"error":"use_dpop_nonce"}"#);
    let page = Trip::new(config()).complete(asks, &keys());
    assert_eq!((page.code(), page.count(TOKEN_ENDPOINT)), (Some(Code::TokenRefused), 1));
    assert_eq!(
        page.error().and_then(|error| error.provider().map(|said| said.error().to_owned())).as_deref(),
        Some("use_dpop_nonce")
    );
    let bound = json(200, good_tokens().text("token_type", "DPoP").json());
    assert_eq!(Trip::new(config()).complete(bound, &keys()).code(), Some(Code::TokenType));

    let offers = metadata()
        .text("pushed_authorization_request_endpoint", "https://op.example/par")
        .set("dpop_signing_alg_values_supported", r#"["ES256"]"#);
    let page = Trip { metadata: offers.json(), ..Trip::new(config()) }.leave();
    let left = page.left.expect("left");
    assert!(!left.contains("request_uri=") && !left.contains("dpop"), "{left}");
    assert!(page.sent.iter().all(|sent| sent.form.is_none()), "nothing was pushed");
}
