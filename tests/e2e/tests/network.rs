//! The faults of section 10, at each endpoint that is only read: metadata, keys, userinfo. What
//! happens at the token endpoint is in `failures.rs` and `renewal*.rs`.

use polar_signin_e2e::{
    Result, Stage,
    flows::{Repeated, codes_were_sent, nothing_is_kept},
    pages::{ErrorPage, SignedInPage, StartPage},
    provider::{JWKS, METADATA, USERINFO},
    settings::Engine,
    suite,
};
use serde_json::{Value, json};

suite![
    nw_01_nw_02_nw_06_nw_07_nw_09_nw_10_metadata,
    nw_01_nw_02_nw_06_nw_07_nw_09_nw_10_keys,
    nw_01_nw_02_nw_06_nw_07_nw_09_nw_10_userinfo,
    nw_03_a_preflight_that_is_refused_is_a_network_error,
    nw_04_nw_05_userinfo_that_never_ends_is_given_up,
];

/// A fault, the code that a person gets to see, and whether a GET without side effects is tried again.
struct Case {
    fault: Value,
    code: &'static str,
    again: bool,
}

impl Case {
    /// How often the app asked, if the provider was asked so often: Firefox by itself sends a GET that
    /// got no answer ten times.
    fn asked_by_app(&self, asked: usize) -> Result<usize> {
        let repeats = self.fault.get("drop").is_some() && Engine::from_env()? == Engine::Firefox;
        Ok(if repeats { asked.div_ceil(10) } else { asked })
    }
}

fn cases(stage: &Stage) -> Vec<Case> {
    let case = |fault, code, again| Case { fault, code, again };
    let sink = format!("{}/sink", stage.gateway().origin());
    let html = json!({ "content-type": "text/html" });
    let redirect = |target: &str, status: u16| json!({ "redirect": target, "status": status });
    vec![
        case(json!({ "drop": "before" }), "network", true),
        case(json!({ "cors": false }), "network", true),
        case(json!({ "content_length": 100_000 }), "network", true),
        case(redirect(&sink, 301), "network", true),
        case(redirect(&sink, 308), "network", true),
        case(redirect("http://127.0.0.1:1/", 302), "network", true),
        case(redirect("data:application/json,{}", 303), "network", true),
        case(json!({ "status": 500, "body": "<h1>no</h1>", "headers": html }), "server_error", true),
        case(json!({ "status": 504, "body": "" }), "server_error", true),
        // A server's fault that the page may not even read.
        case(json!({ "status": 500, "body": "", "cors": false }), "network", true),
        case(json!({ "status": 204, "body": "" }), "http_status", false),
        case(json!({ "status": 205, "body": "" }), "http_status", false),
        case(json!({ "gzip_zeros": 200 << 20 }), "too_large", false),
        case(json!({ "body": " ".repeat(1 << 16), "repeat_body": 2000 }), "too_large", false),
    ]
}

/// The fault at this endpoint, for as long as it is not taken away.
async fn fault(stage: &Stage, endpoint: &str, case: &Case) -> Result {
    let mut fault = case.fault.clone();
    fault["endpoint"] = json!(endpoint);
    stage.provider().fault(fault).await
}

async fn asked(stage: &Stage, path: &str) -> Result<usize> {
    Ok(stage.provider().requests_to("GET", path).await?.len())
}

fn nothing_arrived(stage: &Stage) {
    assert!(stage.gateway().requests().iter().all(|seen| !seen.target.contains("sink")), "a redirect was followed");
}

async fn nw_01_nw_02_nw_06_nw_07_nw_09_nw_10_metadata(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    for case in cases(&stage) {
        stage.provider().reset().await?;
        fault(&stage, "discovery", &case).await?;
        StartPage::open(&stage, &tab).await?;
        // The page may have asked before, on its own; whoever presses the button starts afresh.
        tab.click("#sign-in").await?;
        let page = ErrorPage::wait(&tab).await?;
        assert_eq!(page.code().await?, case.code, "{}", case.fault);
        let tries = case.asked_by_app(asked(&stage, METADATA).await?)?;
        assert!(
            if case.again { (3..=6).contains(&tries) } else { (1..=2).contains(&tries) },
            "{}: {tries}",
            case.fault
        );
        nothing_is_kept(&tab).await?;
        assert_eq!(asked(&stage, "/oauth2/authorize").await?, 0);
    }
    nothing_arrived(&stage);
    // The way back from the last of them is the button.
    stage.provider().reset().await?;
    ErrorPage::wait(&tab).await?.try_again().await?;
    tab.wait_for("button[name=person]").await
}

async fn nw_01_nw_02_nw_06_nw_07_nw_09_nw_10_keys(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    for case in cases(&stage) {
        stage.provider().reset().await?;
        stage.provider().settings(json!({ "auto_sign_in": "olive", "auto_consent": true })).await?;
        fault(&stage, "jwks", &case).await?;
        browser.begin().await?;
        let page = ErrorPage::wait(browser.tab()).await?;
        assert_eq!(page.code().await?, case.code, "{}", case.fault);
        let tries = case.asked_by_app(asked(&stage, JWKS).await?)?;
        assert_eq!(tries, if case.again { 3 } else { 1 }, "{}", case.fault);
        codes_were_sent(&stage, 1).await?;
        nothing_is_kept(browser.tab()).await?;
        assert_eq!(asked(&stage, USERINFO).await?, 0, "{}: the ID token was not verified", case.fault);
    }
    nothing_arrived(&stage);
    stage.provider().reset().await?;
    stage.provider().settings(json!({ "auto_sign_in": "olive", "auto_consent": true })).await?;
    ErrorPage::wait(browser.tab()).await?.try_again().await?;
    SignedInPage::wait(browser.tab()).await.map(|_| ())
}

async fn nw_01_nw_02_nw_06_nw_07_nw_09_nw_10_userinfo(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let page = browser.accepted().await?;
    page.userinfo("sub").await?;
    for case in cases(&stage) {
        fault(&stage, "userinfo", &case).await?;
        let before = asked(&stage, USERINFO).await?;
        browser.tab().reload().await?;
        let page = SignedInPage::wait(browser.tab()).await?;
        assert_eq!(page.userinfo_failed_by().await?, case.code, "{}", case.fault);
        let tries = case.asked_by_app(asked(&stage, USERINFO).await? - before)?;
        assert_eq!(tries, 1, "{}", case.fault);
        stage.provider().clear_faults().await?;
        page.try_userinfo_again().await?;
        page.userinfo("sub").await?;
    }
    nothing_arrived(&stage);
    codes_were_sent(&stage, 1).await
}

async fn nw_03_a_preflight_that_is_refused_is_a_network_error(stage: Stage) -> Result {
    for refusal in [
        json!({ "status": 405 }),
        json!({ "status": 403 }),
        json!({ "headers": { "access-control-allow-headers": "X-Other" } }),
        json!({ "cors": false, "remove_headers": ["access-control-allow-headers", "access-control-allow-origin"] }),
    ] {
        let mut fault = refusal.clone();
        fault["endpoint"] = json!("preflight:userinfo");
        // A browser may keep the answer of the last one for as long as that says.
        let browser = Repeated::new(&stage).await?;
        stage.provider().fault(fault).await?;
        let before = asked(&stage, USERINFO).await?;
        let page = browser.accepted().await?;
        assert_eq!(page.userinfo_failed_by().await?, "network", "{refusal}");
        assert_eq!(asked(&stage, USERINFO).await?, before, "{refusal}: the token went out all the same");
        stage.provider().clear_faults().await?;
        page.try_userinfo_again().await?;
        page.userinfo("sub").await?;
    }
    // Nothing but what carries the access token in a header asks first.
    let preflights: Vec<_> = stage.provider().requests().await?.into_iter().filter(|s| s.method == "OPTIONS").collect();
    assert!(!preflights.is_empty());
    for seen in preflights {
        assert!(seen.path == USERINFO || seen.path.starts_with("/v1/organizations"), "a preflight for {}", seen.path);
    }
    Ok(())
}

async fn nw_04_nw_05_userinfo_that_never_ends_is_given_up(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let page = browser.accepted().await?;
    for fault in [json!({ "delay_ms": 40_000 }), json!({ "drip": { "bytes": 1, "every_ms": 1000 } })] {
        let mut fault = fault;
        fault["endpoint"] = json!("userinfo");
        fault["times"] = json!(1);
        page.userinfo("sub").await?;
        stage.provider().fault(fault.clone()).await?;
        browser.tab().reload().await?;
        let page = SignedInPage::wait(browser.tab()).await?;
        // Longer than a page is otherwise waited for.
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        assert_eq!(page.userinfo_failed_by().await?, "timeout", "{fault}");
        page.try_userinfo_again().await?;
    }
    page.userinfo("sub").await.map(|_| ())
}
