//! A token endpoint, a key set and a provider's words in every wrong form of their rows.

use polar_signin_e2e::{
    Result, Stage,
    flows::{Repeated, codes_were_sent, nothing_is_kept},
    pages::{ErrorPage, StartPage},
    provider::{TOKEN, USERINFO},
    suite,
};
use serde_json::{Value, json};

suite![
    cb_20_every_error_of_the_provider_has_words_and_no_loop,
    ds_02_every_other_issuer_in_the_metadata_is_refused,
    tk_18_errors_that_are_no_oauth_errors,
    tk_22_no_redirect_of_the_token_endpoint_is_followed,
    id_07_signatures_in_every_wrong_form,
    ui_01_every_other_subject_ends_the_sign_in,
    ui_05_refused_twice_is_signed_out_and_forbidden_is_not,
];

fn token(fault: Value) -> Value {
    let mut fault = fault;
    fault["endpoint"] = json!("token");
    fault["times"] = json!(1);
    fault
}

async fn cb_20_every_error_of_the_provider_has_words_and_no_loop(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    for (number, (error, code)) in [
        ("login_required", "login_required"),
        ("interaction_required", "interaction_required"),
        ("consent_required", "consent_required"),
        ("account_selection_required", "account_selection_required"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("server_error", "server_error"),
        ("zzz", "authorization_failed"),
    ]
    .into_iter()
    .enumerate()
    {
        let query = format!("error={error}&state={{state}}");
        stage.provider().fault(json!({ "endpoint": "callback", "times": 1, "query": query })).await?;
        browser.begin().await?;
        let page = ErrorPage::wait(browser.tab()).await?;
        assert_eq!(page.code().await?, code);
        assert!(page.all_text().await?.contains(error), "{error}: its own word is nowhere");
        assert!(page.offers_a_way_on().await?, "{error}");
        assert_eq!(browser.tab().url().await?, stage.site());
        nothing_is_kept(browser.tab()).await?;
        // Nobody was sent to the provider again.
        assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), number + 1, "{error}");
    }
    codes_were_sent(&stage, 0).await
}

async fn ds_02_every_other_issuer_in_the_metadata_is_refused(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let good = "https://polar.example";
    for (issuer, code) in [
        (json!(format!("{good}INVALID")), "metadata_issuer"),
        (json!(format!("{good}/")), "metadata_issuer"),
        (json!("https://POLAR.example"), "metadata_issuer"),
        (json!([good]), "metadata_issuer"),
        // In a merge patch, the member's absence.
        (json!(null), "metadata_issuer"),
    ] {
        stage.provider().reset().await?;
        stage.provider().fault(json!({ "endpoint": "discovery", "json_merge": { "issuer": issuer } })).await?;
        StartPage::open(&stage, &tab).await?;
        tab.click("#sign-in").await?;
        assert_eq!(ErrorPage::wait(&tab).await?.code().await?, code, "{issuer}");
        assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty(), "{issuer}");
        nothing_is_kept(&tab).await?;
    }
    // None of it is remembered: as soon as the provider is itself again, the button works.
    stage.provider().reset().await?;
    ErrorPage::wait(&tab).await?.try_again().await?;
    tab.wait_for("button[name=person]").await
}

async fn tk_18_errors_that_are_no_oauth_errors(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let html = json!({ "content-type": "text/html" });
    let plain = json!({ "content-type": "application/json" });
    let long = json!({ "error": "x", "error_description": "d ".repeat(150 * 1024) }).to_string();
    let page = "<script>document.title = 'run'</script><h1>Sign in to the WiFi</h1>";
    for (fault, code) in [
        (json!({ "status": 400, "body": page, "headers": html }), "http_status"),
        (json!({ "status": 400, "body": "{}", "headers": plain }), "http_status"),
        (json!({ "status": 400, "body": "{\"error\":5}", "headers": plain }), "http_status"),
        (json!({ "status": 400, "body": "{\"error\":\"a\\\"b\\u202e\"}", "headers": plain }), "token_refused"),
        (json!({ "status": 400, "body": long, "headers": plain }), "http_status"),
        (json!({ "status": 403, "body": page, "headers": html }), "http_status"),
    ] {
        let fault = token(fault);
        let seen = browser.refused(fault.clone()).await?;
        let text = ErrorPage::wait(browser.tab()).await?.all_text().await?;
        // The whole of a large answer is not even read.
        assert!(seen == code || seen == "too_large" && code == "http_status", "{seen}, not {code}: {text}");
        assert!(!text.contains("WiFi") && !text.contains('\u{202e}') && !text.contains("d d d d d"), "{text}");
        assert!(!browser.tab().has("main script").await?);
    }
    Ok(())
}

async fn tk_22_no_redirect_of_the_token_endpoint_is_followed(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    // On the page's own origin nothing keeps the browser from following, but the page.
    let (own, others) = (format!("{}/sink", stage.gateway().origin()), format!("{}/sink", stage.provider().origin()));
    for status in [301, 302, 303, 307, 308] {
        for target in [&own, &others] {
            let fault = token(json!({ "redirect": target, "status": status }));
            assert_eq!(browser.refused(fault).await?, "network", "{status} to {target}");
        }
    }
    assert!(stage.gateway().requests().iter().all(|seen| !seen.target.contains("sink")), "the code went astray");
    let astray = stage.provider().requests().await?.into_iter().any(|seen| seen.path == "/sink");
    assert!(!astray, "the code went astray");
    assert!(stage.provider().requests_to("OPTIONS", TOKEN).await?.is_empty());
    Ok(())
}

async fn id_07_signatures_in_every_wrong_form(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    for alg in ["RS256", "ES256"] {
        stage.provider().settings(json!({ "id_token_alg": alg })).await?;
        let der: &[&str] = if alg == "ES256" { &["der"] } else { &[] };
        for how in ["xor5a", "flip", "empty", "zero", "random", "other_key", "short"].iter().chain(der) {
            let fault = json!({ "endpoint": "id_token", "times": 1, "signature": how });
            assert_eq!(browser.refused(fault).await?, "id_token_signature", "{alg}: {how}");
        }
        let page = browser.accepted().await?;
        page.userinfo("sub").await?;
        page.sign_out().await?;
    }
    Ok(())
}

async fn ui_01_every_other_subject_ends_the_sign_in(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let page = browser.accepted().await?;
    let subject = page.userinfo("sub").await?;
    page.sign_out().await?;
    for other in [
        format!("{subject}invalid"),
        subject.to_uppercase(),
        format!("{subject} "),
        format!("{subject}\u{200b}"),
        subject[1..].to_owned(),
    ] {
        let patch = json!({ "sub": other, "name": "Mallory" });
        stage.provider().fault(json!({ "endpoint": "userinfo", "times": 1, "json_merge": patch })).await?;
        browser.begin().await?;
        let page = ErrorPage::wait(browser.tab()).await?;
        assert_eq!(page.code().await?, "userinfo_subject", "{other:?}");
        assert!(!page.all_text().await?.contains("Mallory"), "{other:?}");
        nothing_is_kept(browser.tab()).await?;
    }
    Ok(())
}

async fn ui_05_refused_twice_is_signed_out_and_forbidden_is_not(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let insufficient = json!({ "error": "insufficient_scope", "detail": "x" }).to_string();
    let forbidden = json!({ "endpoint": "userinfo", "times": 1, "status": 403, "body": insufficient });
    stage.provider().fault(forbidden).await?;
    let page = browser.accepted().await?;
    assert_eq!(page.userinfo_failed_by().await?, "insufficient_scope");
    assert_eq!(stage.provider().requests_to("POST", TOKEN).await?.len(), 1, "a 403 is no reason to renew");
    page.sign_out().await?;
    // A 401, and another with the renewed token: that was the session.
    let before = stage.provider().requests_to("GET", USERINFO).await?.len();
    let invalid = json!({ "error": "invalid_token" }).to_string();
    stage.provider().fault(json!({ "endpoint": "userinfo", "times": 2, "status": 401, "body": invalid })).await?;
    browser.begin().await?;
    let page = ErrorPage::wait(browser.tab()).await?;
    assert_eq!(page.code().await?, "userinfo_unauthorized");
    nothing_is_kept(browser.tab()).await?;
    assert_eq!(stage.provider().requests_to("GET", USERINFO).await?.len(), before + 2);
    assert_eq!(stage.provider().requests_to("POST", TOKEN).await?.len(), 3, "two codes, one renewal");
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 2, "nobody was sent away");
    Ok(())
}
