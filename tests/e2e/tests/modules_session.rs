//! Modules of the conformance suite about what comes after a sign-in: refresh tokens, and the
//! sign-out at the provider.

use std::time::Duration;

use polar_signin_e2e::{
    Context, Failure, Result, Stage,
    conformance::{END_SESSION, Module},
    flows::nothing_is_kept,
    pages::{ProviderPage, SignedInPage, StartPage},
    provider::USERINFO,
    suite,
    tab::eventually,
};
use serde_json::{Value, json};

suite![
    oidcc_client_test_refresh_token,
    oidcc_client_test_refresh_token_invalid_issuer,
    oidcc_client_test_refresh_token_invalid_sub,
    oidcc_client_test_rp_init_logout,
    oidcc_client_test_rp_init_logout_other_state,
    oidcc_client_test_rp_init_logout_no_state,
];

/// Refresh tokens, with an ID token in every answer, and access tokens of so many seconds.
fn refreshing(settings: &mut Value, seconds: u32) {
    settings["access_token_lifetime"] = json!(seconds);
    settings["refresh_id_token"] = json!(true);
    settings["shape"]["token"] = json!({ "expires_in": null, "scope": null });
    settings["shape"]["discovery"]["grant_types_supported"] =
        json!(["authorization_code", "implicit", "refresh_token"]);
}

async fn oidcc_client_test_refresh_token(stage: Stage) -> Result {
    let module = Module::begin_with(&stage, |settings| refreshing(settings, 3)).await?;
    let page = module.accepted().await?;
    let subject = page.subject().await?;
    // Nobody was told that the access token ends. The next who needs it finds out.
    tokio::time::sleep(Duration::from_secs(4)).await;
    module.tab().reload().await?;
    let page = SignedInPage::wait(module.tab()).await?;
    assert_eq!(page.userinfo("sub").await?, subject);
    let posts = stage.provider().code_posts().await?;
    let [code, refresh] = &posts[..] else { return Err(Failure::new(format!("{} token requests", posts.len()))) };
    assert_eq!(code.form()["grant_type"], "authorization_code");
    assert_eq!(refresh.form_names(), ["grant_type", "refresh_token", "client_id"]);
    assert_eq!(refresh.form()["grant_type"], "refresh_token");
    let asked = stage.provider().requests_to("GET", USERINFO).await?;
    let tokens: Vec<&String> = asked.iter().map(|seen| &seen.headers["authorization"]).collect();
    let status: Vec<_> = asked.iter().map(|seen| seen.status).collect();
    assert_eq!(status, [Some(200), Some(401), Some(200)]);
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[1], tokens[2], "userinfo was asked with the old token");
    Ok(())
}

/// Renews a session by itself, with this in the ID token that comes along.
async fn refused_refresh(stage: &Stage, claims: Value, code: &str) -> Result {
    let module = Module::begin_with(stage, |settings| {
        refreshing(settings, 8);
        // This time the provider says when.
        settings["shape"]["token"] = json!({ "scope": null });
    })
    .await?;
    let fault = json!({ "endpoint": "id_token", "grant": "refresh_token", "claims": claims });
    stage.provider().fault(fault).await?;
    module.accepted().await?;
    module.ended(code, 1).await?;
    let posts = stage.provider().code_posts().await?;
    assert_eq!(posts.len(), 2);
    assert_eq!((posts[1].form()["grant_type"].as_str(), posts[1].status), ("refresh_token", Some(200)));
    Ok(())
}

async fn oidcc_client_test_refresh_token_invalid_issuer(stage: Stage) -> Result {
    let other = format!("{}/1", stage.provider().origin());
    refused_refresh(&stage, json!({ "iss": other }), "id_token_issuer").await
}

async fn oidcc_client_test_refresh_token_invalid_sub(stage: Stage) -> Result {
    refused_refresh(&stage, json!({ "sub": "somebody-else" }), "id_token_subject").await
}

/// Signs in and out, with the way back from the provider as this fault has it. Says what the page says.
async fn signed_out(stage: &Stage, fault: Option<&str>) -> Result<String> {
    let module = Module::begin_with(stage, |settings| {
        settings["end_session"] = json!(true);
        // The provider has a session of its own, and asks.
        settings["auto_sign_in"] = Value::Null;
        settings["auto_consent"] = json!(false);
    })
    .await?;
    if let Some(query) = fault {
        stage.provider().fault(json!({ "endpoint": "signed_out", "times": 1, "query": query })).await?;
    }
    let tab = module.tab();
    module.sign_in().await?;
    let page = ProviderPage::wait(tab).await?.allow_as("olive").await?;
    page.userinfo("sub").await?;
    tab.click("#sign-out").await?;
    tab.click("button[name=sign-out]").await?;
    let asked = stage.provider().requests_to("GET", END_SESSION).await?;
    let query = &asked.first().context("it was not asked")?.query;
    assert_eq!(query.keys().collect::<Vec<_>>(), ["client_id", "id_token_hint", "post_logout_redirect_uri", "state"]);
    assert_eq!(query["post_logout_redirect_uri"], stage.site());
    assert_eq!(query["id_token_hint"].split('.').count(), 3);
    assert_eq!(query["state"].len(), 43);
    tab.until_url("the page again", |url| url == stage.site()).await?;
    StartPage::wait(tab).await?;
    nothing_is_kept(tab).await?;
    let said = tab.text("main").await?;
    let before = module.log().await?.len();
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(module.log().await?.len(), before, "something was asked for after the sign-out");
    // The provider's own session is gone too, and the next sign-in is none the worse for it.
    module.sign_in().await?;
    eventually("waiting for the question who it is".to_owned(), async || {
        if tab.has("button[name=person]").await? { Ok(()) } else { Err(Failure::new("not asked")) }
    })
    .await?;
    ProviderPage::wait(tab).await?;
    tab.click("button[name=person][value=olive]").await?;
    SignedInPage::wait(tab).await?;
    Ok(said)
}

async fn oidcc_client_test_rp_init_logout(stage: Stage) -> Result {
    let said = signed_out(&stage, None).await?;
    assert!(said.contains("has signed you out as well"), "{said}");
    Ok(())
}

async fn oidcc_client_test_rp_init_logout_other_state(stage: Stage) -> Result {
    let said = signed_out(&stage, Some("state=another")).await?;
    assert!(said.contains("signed out") && !said.contains("has signed you out as well"), "{said}");
    Ok(())
}

async fn oidcc_client_test_rp_init_logout_no_state(stage: Stage) -> Result {
    let said = signed_out(&stage, Some("")).await?;
    assert!(said.contains("signed out") && !said.contains("has signed you out as well"), "{said}");
    Ok(())
}
