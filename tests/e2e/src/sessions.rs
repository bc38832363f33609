//! What the tests of renewal and of several tabs have in common.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    Context, Result, Stage, Tab,
    flows::signed_in_as,
    hygiene::{self, session_records},
    pages::SignedInPage,
    provider::Seen,
    tab::eventually,
};

/// olive, with an access token of so many seconds.
///
/// # Errors
/// If she cannot sign in.
pub async fn signed_in_for(stage: &Stage, seconds: i64) -> Result<SignedInPage> {
    first_token_lasts(stage, seconds).await?;
    signed_in_as(stage, "olive").await
}

/// The next sign-in brings an access token of so many seconds.
///
/// # Errors
/// If the provider does not answer.
pub async fn first_token_lasts(stage: &Stage, seconds: i64) -> Result {
    let grant = "authorization_code";
    let fault = json!({ "endpoint": "token", "grant": grant, "times": 1, "json_merge": { "expires_in": seconds } });
    stage.provider().fault(fault).await
}

/// The renewals that the provider has seen.
///
/// # Errors
/// If it does not answer.
pub async fn renewals(stage: &Stage) -> Result<Vec<Seen>> {
    let posts = stage.provider().code_posts().await?.into_iter();
    Ok(posts.filter(|seen| seen.form().get("grant_type").is_some_and(|kind| kind == "refresh_token")).collect())
}

/// Waits until the provider has seen so many renewals; then a little more, for those that are too many.
///
/// # Errors
/// If there are not exactly so many.
pub async fn renewed(stage: &Stage, times: usize) -> Result<Vec<Seen>> {
    eventually(format!("waiting for {times} renewals"), async || {
        let seen = renewals(stage).await?.len();
        if seen >= times { Ok(()) } else { None.context(format!("{seen} so far")) }
    })
    .await?;
    sleep(Duration::from_millis(1500)).await;
    let seen = renewals(stage).await?;
    if seen.len() == times { Ok(seen) } else { None.context(format!("{} renewals, not {times}", seen.len())) }
}

/// The provider refuses the next access token that userinfo is asked with: the page needs another.
///
/// # Errors
/// If the provider does not answer.
pub async fn refuse_the_token(stage: &Stage) -> Result {
    let body = json!({ "error": "invalid_token" }).to_string();
    let headers = json!({ "content-type": "application/json" });
    stage
        .provider()
        .fault(json!({ "endpoint": "userinfo", "times": 1, "status": 401, "body": body, "headers": headers }))
        .await
}

/// The provider refuses the next refresh token, for good or until it is told otherwise.
///
/// # Errors
/// If the provider does not answer.
pub async fn refuse_the_grant(stage: &Stage) -> Result {
    let body = json!({ "error": "invalid_grant" }).to_string();
    let headers = json!({ "content-type": "application/json" });
    let grant = "refresh_token";
    stage
        .provider()
        .fault(json!({ "endpoint": "token", "grant": grant, "status": 400, "body": body, "headers": headers }))
        .await
}

/// The session that this tab keeps.
///
/// # Errors
/// If it keeps none.
pub async fn record(tab: &Tab) -> Result<Value> {
    let records = session_records(tab).await?;
    let (_, text) = records.iter().find(|(key, _)| key.ends_with(":session")).context("no session is kept")?;
    Ok(serde_json::from_str(text)?)
}

/// A text of a record; empty if it has none of this name.
#[must_use]
pub fn member(record: &Value, name: &str) -> String {
    record[name].as_str().unwrap_or_default().to_owned()
}

/// A new tab that is a copy of this one, its session storage included; nothing is loaded in it yet.
///
/// # Errors
/// If the browser opens none.
pub async fn copy_of(tab: &Tab, stage: &Stage) -> Result<Tab> {
    let before = tab.browser().windows().await?;
    tab.eval("window.open('about:blank')", &[]).await?;
    let copy = tab.browser().opened_since(&before).await?;
    hygiene::watch(&copy, &stage.gateway().origin()).await?;
    Ok(copy)
}

/// A tab that the browser made as a copy of this one, with the app in it.
///
/// # Errors
/// If nobody is signed in in it.
pub async fn duplicate(tab: &Tab, stage: &Stage) -> Result<Tab> {
    let copy = copy_of(tab, stage).await?;
    copy.goto(&stage.site()).await?;
    SignedInPage::wait(&copy).await?;
    Ok(copy)
}

/// The words beside “Can be renewed” as they are now.
///
/// # Errors
/// If nobody is signed in.
pub async fn renewal_words(tab: &Tab) -> Result<String> {
    tab.text("[data-field=renewal]").await
}

/// Waits until a tab keeps a session of at least this generation.
///
/// # Errors
/// If it does not in time.
pub async fn until_generation(tab: &Tab, generation: u64) -> Result<Value> {
    eventually(format!("waiting for generation {generation}"), async || {
        let record = record(tab).await?;
        match record["generation"].as_u64() {
            Some(there) if there >= generation => Ok(record),
            other => None.context(format!("it is {other:?}")),
        }
    })
    .await
}
