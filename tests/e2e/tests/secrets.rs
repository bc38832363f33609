//! No secret where none belongs, nothing that the policy of the page forbids, and a browser that
//! will not keep anything.

use hyper::header::{HeaderName, HeaderValue};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{codes_were_sent, kept, nothing_is_kept, only_a_session_is_kept, signed_in_as},
    gateway::Rule,
    hygiene::{self, Secrets},
    pages::{ErrorPage, StartPage},
    provider::TOKEN,
    stage::BASE,
    suite,
    tab::eventually,
};
use serde_json::{Value, json};

suite![
    st_02_st_15_no_secret_is_left_anywhere,
    st_02_the_search_for_secrets_finds_them,
    tk_01_the_code_goes_out_alone_and_without_a_preflight,
    cb_46_the_request_has_what_it_needs_and_no_secret,
    ui_03_the_token_goes_out_in_the_header_alone,
    st_07_a_whole_sign_in_violates_no_policy,
    st_04_blocked_storage_is_an_error_before_leaving,
    st_04_storage_that_is_null_is_an_error_before_leaving,
    st_05_full_storage_is_an_error_before_leaving,
    st_05_storage_that_is_full_after_the_sign_in_leaves_a_session_in_memory,
    st_08_a_policy_that_forbids_the_app_is_named_on_the_page,
    st_08_a_policy_that_forbids_the_provider_is_a_network_error,
    an_app_that_does_not_arrive_leaves_no_dead_button,
    st_13_a_page_with_odd_prototypes_sends_what_it_should,
    cb_47_no_randomness_is_an_error_before_leaving;
    chromium:
    st_10_nothing_is_loaded_from_anywhere_else,
];

async fn st_02_st_15_no_secret_is_left_anywhere(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    let mut secrets = Secrets::of_provider(&stage).await?;
    secrets.add_kept(page.tab()).await?;
    let kinds = secrets.kinds().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(kinds, ["access_token", "code", "code_verifier", "id_token", "nonce", "refresh_token", "state"]);
    hygiene::check(page.tab().browser(), &stage).await?;
    only_a_session_is_kept(page.tab()).await?;

    page.sign_out().await?;
    hygiene::check(page.tab().browser(), &stage).await?;
    for (key, record) in hygiene::session_records(page.tab()).await? {
        secrets.not_in(&record, &key)?;
    }
    // What only some browsers have.
    let databases = page.tab().eval("return indexedDB.databases ? indexedDB.databases() : []", &[]).await?;
    assert_eq!(databases, json!([]));
    let caches = page.tab().eval("return self.caches ? caches.keys() : []", &[]).await?;
    assert_eq!(caches, json!([]));
    Ok(())
}

async fn st_02_the_search_for_secrets_finds_them(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab();
    let token = session_token(tab).await?;
    let verifier = stage.provider().code_posts().await?[0].form()["code_verifier"].clone();
    // Plants each where it does not belong, looks, and takes it away again.
    for (plant, uproot, secret) in [
        ("document.body.dataset.x = arguments[0]", "delete document.body.dataset.x", &token),
        ("localStorage.x = arguments[0]", "localStorage.removeItem('x')", &token),
        ("sessionStorage.x = arguments[0]", "sessionStorage.removeItem('x')", &verifier),
        ("window.name = arguments[0]", "window.name = ''", &token),
        ("window.planted = arguments[0]", "delete window.planted", &token),
        ("document.cookie = 'x=' + arguments[0]", "document.cookie = 'x=; max-age=0'", &verifier),
        ("history.replaceState(arguments[0], '')", "history.replaceState(null, '')", &verifier),
        (
            "document.querySelector('main').append(Object.assign(document.createElement('input'), { id: 'x', value: arguments[0] }))",
            "document.querySelector('#x').remove()",
            &token,
        ),
    ] {
        hygiene::check(tab.browser(), &stage).await?;
        tab.eval(plant, &[secret]).await?;
        assert!(hygiene::check(tab.browser(), &stage).await.is_err(), "not found: {plant}");
        tab.eval(uproot, &[]).await?;
    }
    Ok(())
}

async fn session_token(tab: &Tab) -> Result<String> {
    let records = hygiene::session_records(tab).await?;
    let (_, record) = records.iter().find(|(key, _)| key.ends_with(":session")).context("no session is kept")?;
    let record: Value = serde_json::from_str(record)?;
    record["access_token"].as_str().map(str::to_owned).context("no token is kept")
}

async fn tk_01_the_code_goes_out_alone_and_without_a_preflight(stage: Stage) -> Result {
    signed_in_as(&stage, "olive").await?.reach().await?;
    let posts = stage.provider().code_posts().await?;
    assert_eq!(posts.len(), 1);
    let mut names = posts[0].form_names();
    names.sort_unstable();
    assert_eq!(names, ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
    let form = posts[0].form();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["redirect_uri"], stage.site());
    assert_eq!(form["client_id"], polar_signin_e2e::stage::CLIENT_ID);
    assert_eq!(form["code_verifier"].len(), 43);
    assert!(posts[0].query.is_empty());
    for forbidden in ["authorization", "cookie", "referer"] {
        assert!(!posts[0].headers.contains_key(forbidden), "{forbidden} with the code");
    }
    let content_type = &posts[0].headers["content-type"];
    assert!(content_type.starts_with("application/x-www-form-urlencoded"), "{content_type}");
    assert!(stage.provider().requests_to("OPTIONS", TOKEN).await?.is_empty(), "a preflight for the code");
    Ok(())
}

async fn cb_46_the_request_has_what_it_needs_and_no_secret(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?;
    tab.back().await?;
    StartPage::wait(&tab).await?.sign_in().await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let [first, second] = asked.as_slice() else { panic!("{} requests", asked.len()) };
    for asked in [first, second] {
        let names: Vec<&str> = asked.query.keys().map(String::as_str).collect();
        let expected = [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
        ];
        assert_eq!(names, expected);
        assert_eq!(asked.query["response_type"], "code");
        assert_eq!(asked.query["code_challenge_method"], "S256");
        assert_eq!(asked.query["redirect_uri"], stage.site());
        assert_eq!(asked.query["scope"], "openid profile email organizations:read");
        for name in ["state", "nonce", "code_challenge"] {
            assert_eq!(asked.query[name].len(), 43, "{name}");
        }
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(first.query[name], second.query[name], "{name} was used twice");
    }
    Ok(())
}

async fn ui_03_the_token_goes_out_in_the_header_alone(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    let token = session_token(page.tab()).await?;
    let mut carried = 0;
    for seen in stage.provider().requests().await? {
        assert!(!seen.body.contains(&token), "{} has it in the body", seen.path);
        assert!(seen.query.values().all(|value| !value.contains(&token)), "{} has it in the query", seen.path);
        assert!(!seen.body.contains("client_secret") && !seen.query.contains_key("client_secret"), "{}", seen.path);
        if let Some(authorization) = seen.headers.get("authorization") {
            assert_eq!(authorization, &format!("Bearer {token}"));
            assert_eq!(seen.method, "GET");
            assert!(!seen.headers.contains_key("cookie"), "{} has a cookie too", seen.path);
            carried += 1;
        }
    }
    assert_eq!(carried, 2, "userinfo and organizations");
    Ok(())
}

async fn st_07_a_whole_sign_in_violates_no_policy(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    page.reach().await?;
    let tab = page.tab();
    tab.reload().await?;
    page.reach().await?;
    page.sign_out().await?;
    hygiene::check(tab.browser(), &stage).await?;
    // The policy is there, and the watch sees what breaks it.
    tab.eval(
        "const style = document.createElement('style'); style.textContent = 'p {}'; document.head.append(style)",
        &[],
    )
    .await?;
    let found = async || {
        let console = tab.browser().console().await?;
        let violation = console.iter().find(|line| line.message.contains("securitypolicyviolation: style-src"));
        violation.map(|_| ()).context("the watch saw no violation")
    };
    eventually("looking for the violation".to_owned(), found).await?;
    // This page has done what no page may; it is not looked at again.
    tab.goto("about:blank").await?;
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_10_nothing_is_loaded_from_anywhere_else(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    page.reach().await?;
    let ours = [stage.gateway().origin(), stage.provider().origin().to_owned()];
    let mut seen = 0;
    for event in page.tab().browser().network_events().await? {
        if event["method"] == "Network.requestWillBeSent" {
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            seen += 1;
            let inline = ["data:", "blob:", "about:"].iter().any(|scheme| url.starts_with(scheme));
            assert!(inline || ours.iter().any(|origin| url.starts_with(origin)), "{url} was asked for");
        }
    }
    assert!(seen > 8, "only {seen} requests were seen");
    for asked in stage.gateway().requests() {
        assert!(asked.target.starts_with(BASE), "outside of the sub-path: {}", asked.target);
    }
    Ok(())
}

/// That a click leads to this error and not to the provider.
async fn stays_here(stage: &Stage, script: &str, code: &str) -> Result {
    let tab = stage.tab().await?;
    tab.before_every_page(script).await?;
    tab.goto(&stage.site()).await?;
    tab.click("#sign-in").await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, code);
    assert_eq!(tab.url().await?, stage.site());
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty(), "the page was left");
    Ok(())
}

async fn st_04_blocked_storage_is_an_error_before_leaving(stage: Stage) -> Result {
    let script = "for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(window, name,
        { get() { throw new DOMException('Access is denied for this document.', 'SecurityError') } })";
    stays_here(&stage, script, "storage_unavailable").await
}

async fn st_04_storage_that_is_null_is_an_error_before_leaving(stage: Stage) -> Result {
    stays_here(&stage, "Object.defineProperty(window, 'sessionStorage', { get: () => null })", "storage_unavailable")
        .await
}

async fn st_05_full_storage_is_an_error_before_leaving(stage: Stage) -> Result {
    // Room for a probe, and for no more.
    let script = "const set = Storage.prototype.setItem;
        Storage.prototype.setItem = function (key, value) {
            if (String(value).length > 40) throw new DOMException('full', 'QuotaExceededError');
            set.call(this, key, value);
        }";
    stays_here(&stage, script, "storage_full").await
}

async fn st_05_storage_that_is_full_after_the_sign_in_leaves_a_session_in_memory(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    tab.before_every_page(
        "const set = Storage.prototype.setItem;
         Storage.prototype.setItem = function (key, value) {
             if (key.endsWith(':session')) throw new DOMException('full', 'QuotaExceededError');
             set.call(this, key, value);
         }",
    )
    .await?;
    let page = StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?;
    assert!(page.field("email").await?.starts_with("olive"));
    nothing_is_kept(&tab).await?;
    // In memory alone: it does not outlive the page, and says so by being gone.
    tab.reload().await?;
    StartPage::wait(&tab).await?;
    assert!(kept(&tab).await?.is_empty());
    codes_were_sent(&stage, 1).await
}

async fn cb_47_no_randomness_is_an_error_before_leaving(stage: Stage) -> Result {
    stays_here(&stage, "crypto.getRandomValues = array => array.fill(0)", "entropy_unavailable").await?;
    stays_here(&stage, "crypto.getRandomValues = () => { throw new Error('none') }", "entropy_unavailable").await
}

/// The site with this policy in place of its own.
fn with_policy(stage: &Stage, policy: &str) -> Result {
    let value = HeaderValue::from_str(policy)?;
    stage.gateway().rule(BASE, Rule::Header(HeaderName::from_static("content-security-policy"), value));
    Ok(())
}

async fn st_08_a_policy_that_forbids_the_app_is_named_on_the_page(stage: Stage) -> Result {
    with_policy(&stage, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'")?;
    says(&stage, "wasm-unsafe-eval").await
}

async fn an_app_that_does_not_arrive_leaves_no_dead_button(stage: Stage) -> Result {
    stage.gateway().rule(".wasm", Rule::Answer { status: 404, content_type: "text/plain", body: "gone".to_owned() });
    says(&stage, "reload").await
}

/// That the page says this in place of a button that could do nothing.
async fn says(stage: &Stage, words: &str) -> Result {
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    let there = "return document.querySelector('main')?.innerText.includes(arguments[0])";
    eventually(format!("waiting for {words}"), async || match tab.eval(there, &[words]).await? {
        Value::Bool(true) => Ok(()),
        _ => None.context(tab.describe().await),
    })
    .await?;
    assert!(!tab.has("#sign-in").await?, "a button that does nothing");
    // The browser complains of what this test has broken.
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_08_a_policy_that_forbids_the_provider_is_a_network_error(stage: Stage) -> Result {
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self'";
    with_policy(&stage, policy)?;
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    tab.click("#sign-in").await?;
    eventually("waiting for the error".to_owned(), async || {
        let code = tab.attribute("[data-error-code]", "data-error-code").await?;
        if code.as_deref() == Some("network") { Ok(()) } else { None.context(tab.describe().await) }
    })
    .await?;
    assert!(ErrorPage::wait(&tab).await?.all_text().await?.contains("Content-Security-Policy"));
    tab.browser().forget_console().await;
    Ok(())
}

async fn st_13_a_page_with_odd_prototypes_sends_what_it_should(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    // Members of every object, which a request would take over unless it has its own.
    tab.before_every_page(
        "for (const [name, value] of Object.entries({
            credentials: 'include', redirect: 'follow', referrerPolicy: 'unsafe-url', cache: 'force-cache',
            keepalive: true, integrity: 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', mode: 'no-cors',
        })) Object.defineProperty(Object.prototype, name, { value, writable: true, configurable: true });",
    )
    .await?;
    let page = StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    for seen in stage.provider().requests().await? {
        // Its own pages have their own referrers.
        let from_here = seen.path.starts_with("/v1/") || seen.path.starts_with("/.well-known/");
        assert!(!from_here || !seen.headers.contains_key("referer"), "{} {} has a referrer", seen.method, seen.path);
    }
    codes_were_sent(&stage, 1).await?;

    // A redirect is not followed either.
    let sink = format!("{}/sink", stage.provider().origin());
    stage.provider().fault(json!({ "endpoint": "token", "times": 1, "status": 307, "redirect": sink })).await?;
    page.sign_out().await?;
    tab.click("#sign-in").await?;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "network");
    assert!(
        stage.provider().requests_to("POST", "/sink").await?.is_empty(),
        "the code went on to where the redirect led"
    );
    Ok(())
}
