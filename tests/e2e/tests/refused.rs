//! A provider that breaks the rules: refused, and nothing of it is kept.

use polar_signin_e2e::{
    Result, Stage,
    flows::{codes_were_sent, nothing_is_kept, only_a_session_is_kept, pass_the_provider, refused_as},
    pages::{ErrorPage, StartPage},
    suite,
};
use serde_json::{Value, json};

suite![
    id_07_tk_24_a_flipped_signature_is_refused,
    id_07_an_empty_signature_is_refused,
    id_08_claims_changed_after_signing_are_refused,
    id_03_alg_none_is_refused,
    id_05_alg_hs256_is_refused,
    tk_24_another_nonce_is_refused,
    tk_24_a_missing_nonce_is_refused,
    tk_24_another_issuer_is_refused,
    tk_24_another_audience_is_refused,
    tk_24_a_further_audience_is_refused,
    tk_24_an_expired_id_token_is_refused,
    tk_24_an_id_token_of_the_future_is_refused,
    tk_24_another_access_token_hash_is_refused,
    tk_11_a_missing_id_token_is_refused,
    ui_01_userinfo_of_somebody_else_ends_the_sign_in,
    cb_04_an_answer_of_another_issuer_is_refused,
    cb_03_an_answer_without_the_announced_issuer_is_refused,
    ds_02_metadata_of_another_issuer_is_refused_before_leaving,
    a_sign_in_works_again_after_a_refusal,
];

/// Signs in with this fault in the way, and expects this refusal: on the screen, after one
/// request with the code, with nothing kept, and nobody signed in after a reload.
async fn refuse(stage: Stage, fault: Value, code: &str) -> Result {
    stage.provider().fault(fault).await?;
    let page = refused_as(&stage, "olive").await?;
    assert_eq!(page.code().await?, code);
    assert!(page.offers_a_way_on().await?);
    nothing_is_kept(page.tab()).await?;
    codes_were_sent(&stage, 1).await?;
    assert_eq!(page.tab().url().await?, stage.site());
    page.tab().reload().await?;
    StartPage::wait(page.tab()).await?;
    nothing_is_kept(page.tab()).await?;
    codes_were_sent(&stage, 1).await
}

fn claims(patch: &Value) -> Value {
    json!({ "endpoint": "id_token", "times": 1, "claims": patch })
}

fn signature(how: &str) -> Value {
    json!({ "endpoint": "id_token", "times": 1, "signature": how })
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

async fn id_07_tk_24_a_flipped_signature_is_refused(stage: Stage) -> Result {
    refuse(stage, signature("flip"), "id_token_signature").await
}

async fn id_07_an_empty_signature_is_refused(stage: Stage) -> Result {
    refuse(stage, signature("empty"), "id_token_signature").await
}

async fn id_08_claims_changed_after_signing_are_refused(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "id_token", "times": 1, "claims_after_signing": { "email": "other@example.com" } });
    refuse(stage, fault, "id_token_signature").await
}

async fn id_03_alg_none_is_refused(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "id_token", "times": 1, "header": { "alg": "none" }, "signature": "empty" });
    refuse(stage, fault, "id_token_algorithm").await
}

async fn id_05_alg_hs256_is_refused(stage: Stage) -> Result {
    let fault =
        json!({ "endpoint": "id_token", "times": 1, "header": { "alg": "HS256" }, "signature": "hs256:secret" });
    refuse(stage, fault, "id_token_algorithm").await
}

async fn tk_24_another_nonce_is_refused(stage: Stage) -> Result {
    refuse(stage, claims(&json!({ "nonce": "somebody-elses" })), "id_token_nonce").await
}

async fn tk_24_a_missing_nonce_is_refused(stage: Stage) -> Result {
    refuse(stage, claims(&json!({ "nonce": null })), "id_token_nonce").await
}

async fn tk_24_another_issuer_is_refused(stage: Stage) -> Result {
    refuse(stage, claims(&json!({ "iss": "https://evil.example" })), "id_token_issuer").await
}

async fn tk_24_another_audience_is_refused(stage: Stage) -> Result {
    refuse(stage, claims(&json!({ "aud": ["polar_ci_other"] })), "id_token_audience").await
}

async fn tk_24_a_further_audience_is_refused(stage: Stage) -> Result {
    let audience = json!([polar_signin_e2e::stage::CLIENT_ID, "polar_ci_other"]);
    refuse(stage, claims(&json!({ "aud": audience })), "id_token_audience").await
}

async fn tk_24_an_expired_id_token_is_refused(stage: Stage) -> Result {
    let claimed = json!({ "iat": now() - 7200, "exp": now() - 3600 });
    refuse(stage, claims(&claimed), "id_token_expired").await
}

async fn tk_24_an_id_token_of_the_future_is_refused(stage: Stage) -> Result {
    let claimed = json!({ "iat": now() + 3600, "exp": now() + 7200 });
    refuse(stage, claims(&claimed), "clock_skew").await
}

async fn tk_24_another_access_token_hash_is_refused(stage: Stage) -> Result {
    refuse(stage, claims(&json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" })), "id_token_at_hash").await
}

async fn tk_11_a_missing_id_token_is_refused(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "token", "times": 1, "json_merge": { "id_token": null } });
    refuse(stage, fault, "id_token_missing").await
}

async fn ui_01_userinfo_of_somebody_else_ends_the_sign_in(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "userinfo", "times": 1, "json_merge": { "sub": "somebody-else" } });
    stage.provider().fault(fault).await?;
    let tab = stage.tab().await?;
    // Its words come after the sign-in itself: the signed-in page may be there for a moment.
    StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?.decide("allow").await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "userinfo_subject");
    assert!(!page.text().await?.contains("somebody-else"));
    nothing_is_kept(&tab).await?;
    tab.reload().await?;
    StartPage::wait(&tab).await?;
    codes_were_sent(&stage, 1).await
}

/// Signs in with this answer in place of the provider's own: refused before the code goes anywhere.
async fn refuse_answer(stage: Stage, query: &str, code: &str) -> Result {
    stage.provider().fault(json!({ "endpoint": "callback", "times": 1, "query": query })).await?;
    let page = refused_as(&stage, "olive").await?;
    assert_eq!(page.code().await?, code);
    assert_eq!(page.tab().url().await?, stage.site());
    nothing_is_kept(page.tab()).await?;
    codes_were_sent(&stage, 0).await
}

async fn cb_04_an_answer_of_another_issuer_is_refused(stage: Stage) -> Result {
    let query = "code={code}&state={state}&iss=https%3A%2F%2Fevil.example";
    refuse_answer(stage, query, "issuer_parameter_mismatch").await
}

async fn cb_03_an_answer_without_the_announced_issuer_is_refused(stage: Stage) -> Result {
    stage.provider().settings(json!({ "iss_parameter": true })).await?;
    refuse_answer(stage, "code={code}&state={state}", "issuer_parameter_missing").await
}

async fn ds_02_metadata_of_another_issuer_is_refused_before_leaving(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "discovery", "times": 100, "json_merge": { "issuer": "https://evil.example" } });
    stage.provider().fault(fault).await?;
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    tab.click("#sign-in").await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "metadata_issuer");
    assert_eq!(tab.url().await?, stage.site());
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty(), "the page was left");
    nothing_is_kept(&tab).await
}

async fn a_sign_in_works_again_after_a_refusal(stage: Stage) -> Result {
    stage.provider().fault(signature("flip")).await?;
    let page = refused_as(&stage, "olive").await?;
    page.try_again().await?;
    let again = pass_the_provider(page.tab(), "olive").await?;
    assert!(again.field("email").await?.starts_with("olive"));
    codes_were_sent(&stage, 2).await?;
    only_a_session_is_kept(page.tab()).await
}
