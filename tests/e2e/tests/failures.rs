//! A provider that is ill, and a network that is worse: one request with the code, whatever comes.

use std::time::Duration;

use polar_signin_e2e::{
    Result, Stage,
    flows::{codes_were_sent, nothing_is_kept, only_a_session_is_kept, refused_as, signed_in_as},
    pages::{ErrorPage, StartPage},
    provider::{JWKS, METADATA, TOKEN, USERINFO},
    settings::Engine,
    suite,
};
use serde_json::{Value, json};

suite![
    nw_09_tk_18_a_server_error_at_the_token_endpoint,
    tk_19_html_at_the_token_endpoint,
    tk_16_a_refused_code,
    tk_17_a_refused_client_brings_no_password_dialog,
    nw_01_a_connection_that_drops_before_the_token_request_is_answered,
    nw_01_a_connection_that_drops_after_the_code_was_used,
    nw_07_an_answer_that_breaks_off,
    nw_02_an_answer_without_cors_headers,
    nw_04_a_token_endpoint_that_never_answers,
    nw_05_an_answer_that_drips_is_not_waited_for,
    nw_06_an_answer_without_end_is_cut_off,
    nw_08_too_many_requests_at_the_token_endpoint,
    nw_10_tk_22_a_redirect_at_the_token_endpoint_leads_nowhere,
    nw_01_unreachable_metadata_is_asked_for_again_and_then_given_up,
    metadata_that_fails_once_does_not_stop_a_sign_in,
    keys_that_fail_once_do_not_stop_a_sign_in,
    ds_24_keys_changed_just_now_are_fetched_again,
    nw_03_userinfo_that_fails_leaves_the_session_and_can_be_tried_again;
    chromium:
    a_browser_that_repeats_the_token_request_by_itself_does_no_harm,
];

/// Signs in while the token endpoint behaves so, and expects this error after exactly one POST:
/// also when the page is reloaded afterwards.
async fn one_post(stage: Stage, fault: Value, code: &str) -> Result {
    let mut fault = fault;
    fault["endpoint"] = json!("token");
    // Whoever tried again would get through.
    fault["times"] = json!(1);
    stage.provider().fault(fault).await?;
    let page = refused_as(&stage, "olive").await?;
    assert_eq!(page.code().await?, code);
    assert!(page.offers_a_way_on().await?);
    nothing_is_kept(page.tab()).await?;
    // Longer than any wait before another try.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    codes_were_sent(&stage, 1).await?;
    page.tab().reload().await?;
    StartPage::wait(page.tab()).await?;
    codes_were_sent(&stage, 1).await?;
    assert!(stage.provider().requests_to("OPTIONS", TOKEN).await?.is_empty(), "a preflight for the code");
    Ok(())
}

async fn nw_09_tk_18_a_server_error_at_the_token_endpoint(stage: Stage) -> Result {
    let body = "<html><script>document.title = 'run'</script>Internal Server Error</html>";
    one_post(stage, json!({ "status": 500, "body": body, "headers": { "content-type": "text/html" } }), "server_error")
        .await
}

async fn tk_19_html_at_the_token_endpoint(stage: Stage) -> Result {
    let fault = json!({ "status": 200, "body": "<html>Sign in to the WiFi</html>", "headers": { "content-type": "text/html" } });
    one_post(stage, fault, "token_malformed").await
}

async fn tk_16_a_refused_code(stage: Stage) -> Result {
    let body = json!({ "error": "invalid_grant", "error_description": "the code has expired" }).to_string();
    one_post(
        stage,
        json!({ "status": 400, "body": body, "headers": { "content-type": "application/json" } }),
        "grant_refused",
    )
    .await
}

async fn tk_17_a_refused_client_brings_no_password_dialog(stage: Stage) -> Result {
    let body = json!({ "error": "invalid_client" }).to_string();
    let headers = json!({ "content-type": "application/json", "www-authenticate": "Basic realm=\"polar\"" });
    // A dialog would block every further command, and the test with it.
    stage
        .provider()
        .fault(json!({ "endpoint": "token", "times": 1, "status": 401, "body": body, "headers": headers }))
        .await?;
    let page = refused_as(&stage, "olive").await?;
    assert_eq!(page.code().await?, "client_refused");
    nothing_is_kept(page.tab()).await?;
    codes_were_sent(&stage, 1).await
}

/// Every connection is used once: then the browser knows that a request that is not answered may
/// have arrived, and does not repeat it.
async fn fresh_connections(stage: &Stage) -> Result {
    let headers = json!({ "connection": "close" });
    for endpoint in ["discovery", "preflight:userinfo", "preflight:organizations", "jwks"] {
        stage.provider().fault(json!({ "endpoint": endpoint, "headers": headers })).await?;
    }
    Ok(())
}

async fn nw_01_a_connection_that_drops_before_the_token_request_is_answered(stage: Stage) -> Result {
    fresh_connections(&stage).await?;
    one_post(stage, json!({ "drop": "before" }), "network").await
}

async fn nw_01_a_connection_that_drops_after_the_code_was_used(stage: Stage) -> Result {
    fresh_connections(&stage).await?;
    one_post(stage, json!({ "drop": "after" }), "network").await
}

async fn nw_07_an_answer_that_breaks_off(stage: Stage) -> Result {
    one_post(stage, json!({ "content_length": 100_000 }), "network").await
}

/// On a connection that has served before, browsers repeat a request that nobody answered, a POST
/// too. The page sends its code once all the same, and whatever the provider makes of the second
/// one is the outcome.
async fn a_browser_that_repeats_the_token_request_by_itself_does_no_harm(stage: Stage) -> Result {
    let token = format!("{}{TOKEN}", stage.provider().origin());
    for (drop, outcome) in [("before", "signed-in"), ("after", "error")] {
        stage.provider().fault(json!({ "endpoint": "token", "times": 1, "drop": drop })).await?;
        let tab = stage.tab().await?;
        StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?.decide("allow").await?;
        tab.wait_for("main[data-view=signed-in]:not(#shell), main[data-view=error]:not(#shell)").await?;
        let events = tab.browser().network_events().await?;
        let sent = |event: &&Value| {
            event["method"] == "Network.requestWillBeSent" && event["params"]["request"]["url"] == token.as_str()
        };
        assert_eq!(events.iter().filter(sent).count(), 1, "the page sent the code again");
        let view = tab.attribute("main", "data-view").await?;
        if codes_were_sent(&stage, 1).await.is_ok() {
            assert_eq!(view.as_deref(), Some("error"), "dropped {drop} and not repeated");
        } else {
            assert_eq!(view.as_deref(), Some(outcome), "dropped {drop} and repeated by the browser");
        }
        if view.as_deref() == Some("error") {
            nothing_is_kept(&tab).await?;
        }
        stage.provider().reset().await?;
    }
    Ok(())
}

async fn nw_02_an_answer_without_cors_headers(stage: Stage) -> Result {
    one_post(stage, json!({ "cors": false }), "network").await
}

async fn nw_04_a_token_endpoint_that_never_answers(stage: Stage) -> Result {
    one_post(stage, json!({ "delay_ms": 40_000 }), "timeout").await
}

async fn nw_05_an_answer_that_drips_is_not_waited_for(stage: Stage) -> Result {
    one_post(stage, json!({ "drip": { "bytes": 1, "every_ms": 1000 } }), "timeout").await
}

async fn nw_06_an_answer_without_end_is_cut_off(stage: Stage) -> Result {
    one_post(stage, json!({ "body": " ".repeat(1 << 16), "repeat_body": 2000 }), "too_large").await
}

async fn nw_08_too_many_requests_at_the_token_endpoint(stage: Stage) -> Result {
    let headers = json!({ "content-type": "application/json", "retry-after": "1" });
    one_post(stage, json!({ "status": 429, "body": "{}", "headers": headers }), "rate_limited").await
}

async fn nw_10_tk_22_a_redirect_at_the_token_endpoint_leads_nowhere(stage: Stage) -> Result {
    // 307 repeats a POST with its body, to wherever it is told.
    let sink = format!("{}/sink", stage.provider().origin());
    let fault = json!({ "endpoint": "token", "times": 1, "status": 307, "redirect": sink });
    stage.provider().fault(fault).await?;
    let page = refused_as(&stage, "olive").await?;
    assert_eq!(page.code().await?, "network");
    codes_were_sent(&stage, 1).await?;
    assert!(
        stage.provider().requests_to("POST", "/sink").await?.is_empty(),
        "the code went on to where the redirect led"
    );
    Ok(())
}

async fn nw_01_unreachable_metadata_is_asked_for_again_and_then_given_up(stage: Stage) -> Result {
    stage.provider().fault(json!({ "endpoint": "discovery", "times": 100, "drop": "before" })).await?;
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    let before = stage.provider().requests_to("GET", METADATA).await?.len();
    tab.click("#sign-in").await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "network");
    nothing_is_kept(&tab).await?;
    let asked = stage.provider().requests_to("GET", METADATA).await?.len() - before;
    // Firefox by itself sends a GET that got no answer up to ten times; the app asks three times.
    let by_browser = if tab.browser().engine() == Engine::Firefox { 10 } else { 1 };
    assert!((1..=3 * by_browser).contains(&asked), "asked {asked} times after the click");
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    Ok(())
}

async fn metadata_that_fails_once_does_not_stop_a_sign_in(stage: Stage) -> Result {
    stage.provider().fault(json!({ "endpoint": "discovery", "times": 1, "status": 503, "body": "" })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    only_a_session_is_kept(page.tab()).await
}

async fn keys_that_fail_once_do_not_stop_a_sign_in(stage: Stage) -> Result {
    stage.provider().fault(json!({ "endpoint": "jwks", "times": 1, "status": 503, "body": "" })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(stage.provider().requests_to("GET", JWKS).await?.len(), 2);
    codes_were_sent(&stage, 1).await?;
    only_a_session_is_kept(page.tab()).await
}

async fn ds_24_keys_changed_just_now_are_fetched_again(stage: Stage) -> Result {
    // The first answer has no key at all; the next one has the one that signed.
    let headers = json!({ "content-type": "application/json" });
    let fault = json!({ "endpoint": "jwks", "times": 1, "status": 200, "body": "{\"keys\":[]}", "headers": headers });
    stage.provider().fault(fault).await?;
    signed_in_as(&stage, "olive").await?;
    assert_eq!(stage.provider().requests_to("GET", JWKS).await?.len(), 2);
    codes_were_sent(&stage, 1).await
}

async fn nw_03_userinfo_that_fails_leaves_the_session_and_can_be_tried_again(stage: Stage) -> Result {
    stage
        .provider()
        .fault(json!({ "endpoint": "userinfo", "times": 1, "status": 500, "cors": false, "body": "" }))
        .await?;
    let page = signed_in_as(&stage, "olive").await?;
    let subject = page.subject().await?;
    // Organizations are another matter, and arrive.
    assert_eq!(page.reach().await?.kind, "organizations");
    assert_eq!(page.userinfo_failed_by().await?, "network");
    assert!(!page.tab().has("[data-userinfo]").await?);
    page.try_userinfo_again().await?;
    assert_eq!(page.userinfo("sub").await?, subject);
    assert_eq!(stage.provider().requests_to("GET", USERINFO).await?.len(), 2);
    only_a_session_is_kept(page.tab()).await
}
