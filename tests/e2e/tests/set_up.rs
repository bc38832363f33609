//! An app that has no client yet, or a configuration that is wrong.

use std::fs;

use polar_signin_e2e::{
    Result, Stage, Tab,
    flows::{codes_were_sent, nothing_is_kept, only_a_session_is_kept},
    gateway::Rule,
    pages::{ErrorPage, SetUpPage, StartPage},
    settings::Settings,
    suite,
};
use serde_json::{Value, json};

suite![
    one_click_creates_a_client_that_signs_in,
    the_registration_token_is_shown_once_and_kept_nowhere,
    an_existing_client_is_used_and_remembered,
    the_redirect_uri_is_checked_by_polars_rules,
    a_refused_registration_says_why,
    polars_presets_are_offered,
    a_setting_that_is_not_known_is_refused,
    a_setting_of_the_wrong_kind_is_refused,
    a_configuration_that_is_no_json_is_refused,
    a_redirect_uri_of_another_origin_is_refused,
    http_endpoints_need_their_own_permission,
    a_client_that_the_provider_does_not_know_leaves_a_usable_page,
    settings_in_the_page_are_not_waited_for,
];

/// The app without a client.
async fn without_a_client(stage: &Stage) -> Result<(Tab, SetUpPage)> {
    let mut config = stage.config();
    config.as_object_mut().expect("the configuration is an object").remove("client_id");
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    let page = SetUpPage::wait(&tab).await?;
    Ok((tab, page))
}

async fn one_click_creates_a_client_that_signs_in(stage: Stage) -> Result {
    let (tab, page) = without_a_client(&stage).await?;
    assert_eq!(page.field("redirect-uri").await?, stage.site());
    page.create_client().await?;
    let token = page.field("registration-token").await?;
    assert!(token.starts_with("polar_crt_"), "{token}");

    // What was asked for: a public client, for this very address.
    let registrations = stage.provider().requests_to("POST", "/v1/oauth2/register").await?;
    assert_eq!(registrations.len(), 1);
    assert!(!registrations[0].headers.contains_key("authorization"));
    let asked: Value = serde_json::from_str(&registrations[0].body)?;
    assert_eq!(asked["token_endpoint_auth_method"], "none");
    assert_eq!(asked["redirect_uris"], json!([stage.site()]));
    assert!(asked["client_name"].as_str().is_some_and(|name| !name.is_empty()));

    let page = page.use_created().await?.sign_in().await?.allow_as("olive").await?;
    assert!(page.field("email").await?.starts_with("olive"));
    only_a_session_is_kept(&tab).await?;
    let sent = stage.provider().code_posts().await?.remove(0).form();
    assert!(sent["client_id"].starts_with("polar_ci_"));
    assert_ne!(sent["client_id"], polar_signin_e2e::stage::CLIENT_ID);
    Ok(())
}

async fn the_registration_token_is_shown_once_and_kept_nowhere(stage: Stage) -> Result {
    let (tab, page) = without_a_client(&stage).await?;
    page.create_client().await?;
    let token = page.field("registration-token").await?;
    for storage in ["localStorage", "sessionStorage"] {
        let kept = tab.eval_text(&format!("return JSON.stringify({{ ...{storage} }})"), &[]).await?;
        assert!(!kept.contains(&token), "it is in {storage}");
    }
    page.use_created().await?;
    let page = tab.eval_text("return document.documentElement.outerHTML", &[]).await?;
    assert!(!page.contains(&token), "it is shown again");
    Ok(())
}

async fn an_existing_client_is_used_and_remembered(stage: Stage) -> Result {
    let (tab, page) = without_a_client(&stage).await?;
    page.use_client(polar_signin_e2e::stage::CLIENT_ID).await?;
    let start = StartPage::wait(&tab).await?;
    let page = start.sign_in().await?.allow_as("olive").await?;
    assert!(page.field("email").await?.starts_with("olive"));
    let sent = stage.provider().code_posts().await?.remove(0).form();
    assert_eq!(sent["client_id"], polar_signin_e2e::stage::CLIENT_ID);
    // It is for this browser, not for this tab alone.
    let other = stage.another_tab(&tab).await?;
    StartPage::open(&stage, &other).await?;
    nothing_is_kept(&other).await
}

async fn the_redirect_uri_is_checked_by_polars_rules(stage: Stage) -> Result {
    let (_, page) = without_a_client(&stage).await?;
    let good = page.field("redirect-check").await?;
    assert!(!good.is_empty());
    // An address that Polar would not take: http, and neither localhost nor private.
    let mut config = stage.config();
    let object = config.as_object_mut().expect("the configuration is an object");
    object.remove("client_id");
    object.insert("redirect_uri".to_owned(), json!("http://app.example/"));
    stage.gateway().reset();
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    let page = SetUpPage::wait(&tab).await?;
    assert_eq!(page.field("redirect-uri").await?, "http://app.example/");
    assert_ne!(page.field("redirect-check").await?, good, "the check says the same of both");
    Ok(())
}

async fn a_refused_registration_says_why(stage: Stage) -> Result {
    let detail =
        json!([{ "loc": ["body", "redirect_uris"], "msg": "These words are the provider's.", "type": "value_error" }]);
    let body = json!({ "error": "RequestValidationError", "detail": detail }).to_string();
    let headers = json!({ "content-type": "application/json" });
    let fault = json!({ "endpoint": "register", "times": 1, "status": 422, "body": body, "headers": headers });
    stage.provider().fault(fault).await?;
    let (tab, page) = without_a_client(&stage).await?;
    page.create_client().await?;
    tab.wait_for("[data-error-code=registration_refused]").await?;
    assert!(tab.text("main").await?.contains("These words are the provider's."));
    // And once more, now that nothing is in the way.
    page.create_client().await?;
    page.field("registration-token").await?;
    Ok(())
}

async fn polars_presets_are_offered(stage: Stage) -> Result {
    stage.gateway().configure(&json!({}));
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    SetUpPage::wait(&tab).await?;
    tab.click("#preset-polar-sandbox").await?;
    let links = "return Array.from(document.links, link => link.href).filter(href => href.includes('polar.sh'))";
    let sandbox = tab.eval(links, &[]).await?.to_string();
    assert!(sandbox.contains("https://sandbox.polar.sh/"), "{sandbox}");
    tab.click("#preset-polar").await?;
    tab.until(
        "the links lead to production",
        "return Array.from(document.links).some(link => link.href.startsWith('https://polar.sh/'))",
        &[],
    )
    .await
}

/// That the app shows this problem with its configuration, and nothing to click that cannot work.
async fn refused(stage: &Stage, words: &str) -> Result {
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "invalid_configuration");
    assert!(page.text().await?.split_whitespace().count() > 8);
    let text = page.all_text().await?;
    assert!(text.contains(words), "{words} is not in: {text}");
    assert!(!tab.has("#sign-in").await?, "a button that leads nowhere");
    Ok(())
}

async fn a_setting_that_is_not_known_is_refused(stage: Stage) -> Result {
    let mut config = stage.config();
    config["clientid"] = json!("x");
    stage.gateway().configure(&config);
    refused(&stage, "config.json").await
}

async fn a_setting_of_the_wrong_kind_is_refused(stage: Stage) -> Result {
    let mut config = stage.config();
    config["allow_http_on_loopback"] = json!("yes");
    stage.gateway().configure(&config);
    refused(&stage, "allow_http_on_loopback").await
}

async fn a_configuration_that_is_no_json_is_refused(stage: Stage) -> Result {
    stage.gateway().configure(&json!("no object"));
    refused(&stage, "config.json").await
}

async fn http_endpoints_need_their_own_permission(stage: Stage) -> Result {
    let mut config = stage.config();
    config["allow_http_on_loopback"] = json!(false);
    stage.gateway().configure(&config);
    refused(&stage, "metadata_url").await
}

async fn a_redirect_uri_of_another_origin_is_refused(stage: Stage) -> Result {
    let mut config = stage.config();
    config["redirect_uri"] = json!("https://elsewhere.example/");
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "redirect_mismatch");
    Ok(())
}

async fn a_client_that_the_provider_does_not_know_leaves_a_usable_page(stage: Stage) -> Result {
    let mut config = stage.config();
    config["client_id"] = json!("polar_ci_nobody");
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    tab.click("#sign-in").await?;
    // The provider keeps the person on a page of its own: there is no way back but the button.
    tab.until_url("the provider's", |url| url.starts_with(stage.provider().origin())).await?;
    tab.back().await?;
    StartPage::wait(&tab).await?;
    codes_were_sent(&stage, 0).await
}

async fn settings_in_the_page_are_not_waited_for(stage: Stage) -> Result {
    let page = fs::read_to_string(Settings::from_env()?.dist.join("index.html"))?;
    let settings = format!("<meta name=polar-signin-settings content='{}'>", stage.config());
    let body = page.replacen("<title>", &format!("{settings}<title>"), 1);
    assert_ne!(body, page);
    stage.gateway().rule("/", Rule::Answer { status: 200, content_type: "text/html; charset=utf-8", body });
    // Nobody who asks for the file gets an answer.
    let _hold = stage.gateway().hold("/config.json");
    let tab = stage.tab().await?;
    let page = StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?;
    assert!(page.field("email").await?.starts_with("olive"));
    only_a_session_is_kept(&tab).await
}
