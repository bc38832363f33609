//! The app at providers that others wrote: what a person does, and what becomes of it there.

use std::time::Duration;

use hyper::StatusCode;
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{nothing_is_kept, only_a_session_is_kept},
    foreign::{
        Foreign,
        Kind::{self, Authlib, OidcProviderEs256, OidcProviderRs256},
    },
    hygiene::session_records,
    pages::{Consent, ErrorPage, ProviderPage, SignedInPage, StartPage},
    sessions::{member, record, until_generation},
    stage::CLIENT_ID,
    suite,
    tab::eventually,
};
use serde_json::{Value, json};

/// Each test is a scenario at a provider.
macro_rules! table {
    ($($name:ident: $scenario:ident at $kind:ident,)*) => {
        $(async fn $name(stage: Stage) -> Result {
            $scenario(stage, $kind).await
        })*
        suite![$($name),*];
    };
}

table! {
    oidc_provider_rs256_signs_in: signs_in at OidcProviderRs256,
    oidc_provider_es256_signs_in: signs_in at OidcProviderEs256,
    authlib_signs_in: signs_in at Authlib,
    oidc_provider_rs256_a_refused_consent: a_refused_consent at OidcProviderRs256,
    oidc_provider_es256_a_refused_consent: a_refused_consent at OidcProviderEs256,
    authlib_a_refused_consent: a_refused_consent at Authlib,
    oidc_provider_rs256_renews_and_rotates: renews_and_rotates at OidcProviderRs256,
    oidc_provider_es256_renews_and_rotates: renews_and_rotates at OidcProviderEs256,
    authlib_renews_and_rotates: renews_and_rotates at Authlib,
    oidc_provider_rs256_a_wrong_verifier: a_wrong_verifier at OidcProviderRs256,
    oidc_provider_es256_a_wrong_verifier: a_wrong_verifier at OidcProviderEs256,
    authlib_a_wrong_verifier: a_wrong_verifier at Authlib,
    oidc_provider_rs256_a_reload: a_reload at OidcProviderRs256,
    oidc_provider_es256_a_reload: a_reload at OidcProviderEs256,
    authlib_a_reload: a_reload at Authlib,
    oidc_provider_rs256_signs_out_here: signs_out_here at OidcProviderRs256,
    oidc_provider_es256_signs_out_here: signs_out_here at OidcProviderEs256,
    authlib_signs_out_here: signs_out_here at Authlib,
    oidc_provider_rs256_signs_out_there: signs_out_there at OidcProviderRs256,
    oidc_provider_es256_signs_out_there: signs_out_there at OidcProviderEs256,
    oidc_provider_rs256_binds_tokens: binds_tokens at OidcProviderRs256,
}

const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// A provider, and a browser in which olive has just signed in with it.
async fn signed_in(stage: &Stage, kind: Kind, flags: &[&str], config: Value) -> Result<(Foreign, SignedInPage)> {
    let provider = Foreign::start(stage, kind, flags, config).await?;
    let (_, page) = provider.begin(stage).await?;
    let page = page.allow_as("olive").await?;
    Ok((provider, page))
}

async fn signs_in(stage: Stage, kind: Kind) -> Result {
    let (provider, page) = signed_in(&stage, kind, &[], json!({})).await?;
    let tab = page.tab();
    assert_eq!(tab.url().await?, stage.site());
    // Neither puts her address into the ID token: it comes from userinfo.
    assert_eq!(page.userinfo("email").await?, "olive@example.com");
    assert_eq!(page.userinfo("sub").await?, "olive");
    assert_eq!(page.field("email").await?, "olive@example.com");
    assert_eq!(page.field("name").await?, "Olive Oyl");
    assert_eq!(page.claim("sub").await?, "olive");
    assert_eq!(page.claim("iss").await?, provider.issuer);
    assert!(page.claim("aud").await?.contains(CLIENT_ID));
    assert_eq!(page.scopes("granted").await?, SCOPES);
    only_a_session_is_kept(tab).await?;

    let exchanges = provider.grants("authorization_code").await?;
    assert_eq!(exchanges.len(), 1);
    assert_eq!(exchanges[0].form_names(), ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"]);
    assert_eq!(exchanges[0].status, Some(200));
    let came = stage.gateway().callback().await?;
    assert!(came.contains("iss="), "both name themselves in the answer, though one does not announce it");
    let asked = provider.requests_to("GET", "userinfo_endpoint").await?;
    assert_eq!(asked.len(), 1);
    assert!(asked[0].headers["authorization"].starts_with("Bearer "));
    assert_eq!(provider.requests_to("GET", "jwks_uri").await?.len(), 1);
    provider.check(&stage).await
}

async fn a_refused_consent(stage: Stage, kind: Kind) -> Result {
    let provider = Foreign::start(&stage, kind, &[], json!({})).await?;
    let (tab, page) = provider.begin(&stage).await?;
    let error = page.person("olive").await?.deny().await?;
    assert_eq!(error.code().await?, "access_denied");
    let words = error.text().await?;
    assert!(words.contains("You said no"), "{words}");
    nothing_is_kept(&tab).await?;
    assert_eq!(tab.url().await?, stage.site());
    assert_eq!(provider.requests_to("POST", "token_endpoint").await?.len(), 0);
    // Who she is, the provider remembers; what she said, it asks again.
    error.try_again().await?;
    Consent::wait(&tab).await?.allow().await?;
    only_a_session_is_kept(&tab).await?;
    provider.check(&stage).await
}

/// The session that the tab keeps once its access token was renewed so often.
async fn renewed(provider: &Foreign, tab: &Tab, times: u64) -> Result<Value> {
    let kept = until_generation(tab, times).await?;
    assert_eq!(kept["generation"], times);
    let seen = provider.grants("refresh_token").await?;
    assert_eq!(seen.len() as u64, times);
    assert!(seen.iter().all(|seen| seen.status == Some(200)), "{seen:?}");
    Ok(kept)
}

async fn renews_and_rotates(stage: Stage, kind: Kind) -> Result {
    // Renewed two seconds before its end. What was there before has to be looked at until then.
    const LIFETIME: u64 = 10;
    let flags = ["--access-token-lifetime", &LIFETIME.to_string()];
    let (provider, page) = signed_in(&stage, kind, &flags, json!({})).await?;
    let tab = page.tab();
    let mut kept = vec![record(tab).await?];
    kept.push(renewed(&provider, tab, 1).await?);
    // A page waits half a minute before it renews again; another page does not.
    tokio::time::sleep(Duration::from_secs(LIFETIME)).await;
    tab.reload().await?;
    kept.push(renewed(&provider, tab, 2).await?);
    SignedInPage::wait(tab).await?;
    assert_eq!(page.userinfo("sub").await?, "olive");

    let of = |record: &Value| member(record, "refresh_token");
    assert!(of(&kept[0]) != of(&kept[1]) && of(&kept[1]) != of(&kept[2]), "it was not rotated");
    let sent: Vec<String> =
        provider.grants("refresh_token").await?.iter().map(|seen| seen.form()["refresh_token"].clone()).collect();
    assert_eq!(sent, [of(&kept[0]), of(&kept[1])], "each was used once, in its turn");
    let id_tokens: Vec<String> = kept.iter().map(|record| member(record, "id_token")).collect();
    assert!(!id_tokens[0].is_empty());
    assert_eq!(id_tokens[0] != id_tokens[2], kind.renews_id_tokens());
    only_a_session_is_kept(tab).await?;

    // Somebody uses one that has had its turn.
    let refused = (StatusCode::BAD_REQUEST, Some("invalid_grant".to_owned()));
    assert_eq!(provider.refresh(&of(&kept[0])).await?, refused);
    tokio::time::sleep(Duration::from_secs(LIFETIME)).await;
    tab.reload().await?;
    if kind.ends_families() {
        let error = ErrorPage::wait(tab).await?;
        assert_eq!(error.code().await?, "session_expired");
        nothing_is_kept(tab).await?;
    } else {
        until_generation(tab, 3).await?;
    }
    provider.check(&stage).await
}

async fn a_wrong_verifier(stage: Stage, kind: Kind) -> Result {
    let provider = Foreign::start(&stage, kind, &[], json!({})).await?;
    let (tab, page) = provider.begin(&stage).await?;
    let consent = page.person("olive").await?;
    // The page that she comes back to stands still, and another verifier is put in its storage.
    let hold = stage.gateway().hold("/config.json");
    consent.decide("allow").await?;
    stage.gateway().callback().await?;
    let verifiers = eventually("waiting for the page".to_owned(), async || {
        let records = session_records(&tab).await?;
        let (key, text) = records.iter().find(|(key, _)| key.contains(":transaction:")).context("no transaction")?;
        let mut record: Value = serde_json::from_str(text)?;
        let right = member(&record, "code_verifier");
        // Of the same form: the last character of 32 bytes in base64url cannot be any.
        let (rest, last) = right.split_at(right.len() - 1);
        let wrong = rest.chars().rev().collect::<String>() + last;
        record["code_verifier"] = wrong.clone().into();
        let edited = record.to_string();
        tab.eval("sessionStorage.setItem(arguments[0], arguments[1])", &[key, &edited]).await?;
        Ok((right, wrong))
    });
    let (right, wrong) = verifiers.await?;
    assert_ne!(right, wrong);
    hold.release();
    let error = ErrorPage::wait(&tab).await?;
    assert_eq!(error.code().await?, "grant_refused");
    let exchanges = provider.grants("authorization_code").await?;
    assert_eq!(exchanges.len(), 1, "one code, one request");
    assert_eq!(exchanges[0].form()["code_verifier"], wrong);
    assert_eq!(exchanges[0].status, Some(400));
    assert_eq!(provider.requests_to("GET", "userinfo_endpoint").await?.len(), 0);
    nothing_is_kept(&tab).await?;
    assert!(error.offers_a_way_on().await?);
    provider.check(&stage).await
}

async fn a_reload(stage: Stage, kind: Kind) -> Result {
    let (provider, page) = signed_in(&stage, kind, &[], json!({})).await?;
    page.userinfo("sub").await?;
    let tab = page.tab();
    let before = record(tab).await?;
    tab.reload().await?;
    let page = SignedInPage::wait(tab).await?;
    assert_eq!(page.userinfo("email").await?, "olive@example.com");
    assert_eq!(page.claim("iss").await?, provider.issuer);
    let after = record(tab).await?;
    for name in ["access_token", "refresh_token", "id_token"] {
        assert_eq!(member(&after, name), member(&before, name), "{name}");
    }
    only_a_session_is_kept(tab).await?;
    assert_eq!(provider.requests_to("POST", "token_endpoint").await?.len(), 1);
    assert_eq!(provider.requests_to("GET", "authorization_endpoint").await?.len(), 1);
    provider.check(&stage).await
}

async fn shows(tab: &Tab, words: &str) -> Result {
    let script = "return document.querySelector('main:not(#shell)')?.innerText.includes(arguments[0])";
    tab.until(&format!("it says {words:?}"), script, &[words]).await
}

async fn signs_out_here(stage: Stage, kind: Kind) -> Result {
    let (provider, page) = signed_in(&stage, kind, &[], json!({ "rp_initiated_logout": false })).await?;
    let tab = page.tab();
    let session = record(tab).await?;
    page.sign_out().await?;
    shows(tab, "has ended this app's access").await?;
    nothing_is_kept(tab).await?;
    assert!(!tab.eval_text("return document.body.innerText", &[]).await?.contains("olive@"));
    let revocations = provider.requests_to("POST", "revocation_endpoint").await?;
    let asked: Vec<String> = revocations.iter().map(|seen| seen.form()["token"].clone()).collect();
    let tokens = ["refresh_token", "access_token"].map(|name| member(&session, name));
    assert_eq!(asked, tokens);
    assert!(revocations.iter().all(|seen| seen.status == Some(200)), "{revocations:?}");
    // What came of it there.
    let (status, error) = provider.refresh(&tokens[0]).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{error:?}");
    tab.reload().await?;
    StartPage::wait(tab).await?;
    provider.check(&stage).await
}

async fn signs_out_there(stage: Stage, kind: Kind) -> Result {
    let (provider, page) = signed_in(&stage, kind, &[], json!({})).await?;
    let tab = page.tab();
    let session = record(tab).await?;
    tab.click("#sign-out").await?;
    tab.wait_for("button[name=logout]").await?;
    let asked = provider.requests_to("GET", "end_session_endpoint").await?.remove(0);
    let names: Vec<&str> = asked.query.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "id_token_hint", "post_logout_redirect_uri", "state"]);
    assert_eq!(asked.query["id_token_hint"], member(&session, "id_token"));
    tab.click("button[name=logout]").await?;
    shows(tab, "has signed you out as well").await?;
    assert_eq!(tab.url().await?, stage.site());
    nothing_is_kept(tab).await?;
    // It has: nobody's tokens are good any more, and the next sign-in asks who it is.
    let (status, _) = provider.refresh(&member(&session, "refresh_token")).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    StartPage::wait(tab).await?.sign_in().await?;
    tab.wait_for("button[name=person]").await?;
    ProviderPage::wait(tab).await?.allow_as("olive").await?;
    provider.check(&stage).await
}

/// RFC 9449, with a nonce in each proof, as somebody else has read it.
async fn binds_tokens(stage: Stage, kind: Kind) -> Result {
    const LIFETIME: u64 = 10;
    let flags = ["--dpop", "--access-token-lifetime", &LIFETIME.to_string()];
    let (provider, page) = signed_in(&stage, kind, &flags, json!({ "dpop": true })).await?;
    assert_eq!(page.userinfo("sub").await?, "olive");
    let exchanges = provider.grants("authorization_code").await?;
    assert_eq!(exchanges.iter().map(|seen| seen.status).collect::<Vec<_>>(), [Some(400), Some(200)]);
    let asked = provider.requests_to("GET", "userinfo_endpoint").await?;
    assert!(asked.iter().all(|seen| seen.headers["authorization"].starts_with("DPoP ")), "{asked:?}");
    assert_eq!(asked.last().and_then(|seen| seen.status), Some(200));
    let kept = until_generation(page.tab(), 1).await?;
    let renewals = provider.grants("refresh_token").await?;
    assert_eq!(renewals.last().and_then(|seen| seen.status), Some(200), "{renewals:?}");
    // A new page, with the new token and the same key.
    page.tab().reload().await?;
    assert_eq!(SignedInPage::wait(page.tab()).await?.userinfo("sub").await?, "olive");
    // Whoever has the refresh token alone has nothing.
    let (status, error) = provider.refresh(&member(&kept, "refresh_token")).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{error:?}");
    only_a_session_is_kept(page.tab()).await?;
    provider.check(&stage).await
}
