//! Signing out: here first and always, then at the provider where it lets a public client, and
//! never because a page somewhere wants it.

use std::time::Duration;

use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue},
};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{kept, nothing_is_kept, only_a_session_is_kept, pass_the_provider, signed_in_as},
    gateway::Rule,
    http::Http,
    hygiene::session_records,
    pages::{SignedInPage, StartPage},
    provider::{Seen, TOKEN, USERINFO},
    sessions::{first_token_lasts, member, record},
    settings::Engine,
    stage::{BASE, CLIENT_ID},
    suite,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

suite![
    lo_01_at_polar_the_sign_out_is_this_apps_alone_and_says_so,
    lo_02_a_revocation_that_fails_holds_nothing_up,
    lo_03_both_tokens_are_revoked_where_a_public_client_may,
    lo_03_odd_answers_to_a_revocation_do_no_harm,
    lo_04_lo_05_the_providers_own_sign_out_and_back,
    lo_05_a_way_back_with_another_state_does_nothing,
    lo_08_reload_and_restored_tab_show_nobody,
    lo_06_no_address_of_the_app_signs_out;
    // Pages that Firefox does not keep in memory.
    chromium:
    lo_05_a_way_back_with_the_state_of_a_sign_in_leaves_that_alone,
    lo_08_a_page_out_of_the_browsers_memory_shows_nobody,
];

const REVOKE: &str = "/v1/oauth2/revoke";
const END_SESSION: &str = "/oauth2/end-session";
/// What is on the screen of somebody who is signed in.
const OLIVE: &str = "olive@";

async fn shows(tab: &Tab, words: &str) -> Result {
    let script = "return document.querySelector('main:not(#shell)')?.innerText.includes(arguments[0])";
    tab.until(&format!("it says {words:?}"), script, &[words]).await
}

/// Nobody is signed in, and nothing of whoever was is left: on the page, in the storage, in locks.
async fn nobody_is_here(tab: &Tab) -> Result {
    StartPage::wait(tab).await?;
    nothing_is_kept(tab).await?;
    let page = tab.eval_text("return document.documentElement.outerHTML", &[]).await?;
    assert!(!page.contains(OLIVE), "she is still on the page");
    let locks =
        tab.eval("return navigator.locks?.query().then(all => all.held.length + all.pending.length)", &[]).await?;
    assert!(matches!(locks.as_u64(), None | Some(0)), "{locks} locks");
    Ok(())
}

async fn lo_01_at_polar_the_sign_out_is_this_apps_alone_and_says_so(stage: Stage) -> Result {
    first_token_lasts(&stage, 8).await?;
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab().clone();
    // A second sign-in is under way as well.
    tab.click("#sign-in-again").await?;
    tab.wait_for("button[name=person]").await?;
    tab.back().await?;
    let page = SignedInPage::wait(&tab).await?;
    page.sign_out().await?;
    nobody_is_here(&tab).await?;
    shows(&tab, "signed out of this app").await?;
    shows(&tab, "may still remember you").await?;
    // Its access token ends: no timer is left that would care.
    let before = stage.provider().requests().await?.len();
    sleep(Duration::from_secs(9)).await;
    nobody_is_here(&tab).await?;
    assert_eq!(stage.provider().requests().await?.len(), before, "something was asked for");
    for path in [REVOKE, END_SESSION] {
        assert!(stage.provider().requests().await?.iter().all(|seen| seen.path != path), "{path}");
    }
    // The provider does remember: the next sign-in may be silent, and there is a button for another.
    assert!(tab.has("#sign-in-again:enabled").await?);
    tab.click("#sign-in").await?;
    SignedInPage::wait(&tab).await?.sign_out().await?;
    tab.click("#sign-in-again").await?;
    tab.wait_for("button[name=person]").await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    assert_eq!(asked.last().and_then(|seen| seen.query.get("prompt")).map(String::as_str), Some("login"));
    Ok(())
}

/// olive, at a provider that has what Polar lacks.
async fn elsewhere(stage: &Stage, settings: Value) -> Result<Tab> {
    stage.provider().settings(settings).await?;
    Ok(signed_in_as(stage, "olive").await?.tab().clone())
}

async fn revocations(stage: &Stage) -> Result<Vec<Seen>> {
    stage.provider().requests_to("POST", REVOKE).await
}

async fn lo_02_a_revocation_that_fails_holds_nothing_up(stage: Stage) -> Result {
    let tab = elsewhere(&stage, json!({ "public_revocation": true })).await?;
    let refused = json!({ "error": "invalid_client" }).to_string();
    for (what, fault) in [
        ("401", json!({ "status": 401, "body": refused })),
        ("500", json!({ "status": 500, "body": "<h1>no</h1>", "headers": { "content-type": "text/html" } })),
        ("cut off", json!({ "drop": "before" })),
        ("without CORS", json!({ "cors": false })),
        ("no answer", json!({ "delay_ms": 9000 })),
    ] {
        let mut whole = json!({ "endpoint": "revoke" });
        whole.as_object_mut().context("an object")?.extend(fault.as_object().cloned().unwrap_or_default());
        stage.provider().fault(whole).await?;
        let since = Instant::now();
        tab.click("#sign-out").await?;
        // At once, whatever becomes of the rest.
        nobody_is_here(&tab).await?;
        let here = since.elapsed();
        shows(&tab, "did not confirm that it ended this app's access").await?;
        let all = since.elapsed();
        assert!(here < Duration::from_millis(1500) && all < Duration::from_millis(4000), "{what}: {here:?}, {all:?}");
        assert!(!revocations(&stage).await?.is_empty(), "{what}: it was not tried");
        stage.provider().clear_faults().await?;
        tab.click("#sign-in").await?;
        pass_the_provider(&tab, "olive").await?;
    }
    Ok(())
}

async fn lo_03_both_tokens_are_revoked_where_a_public_client_may(stage: Stage) -> Result {
    let tab = elsewhere(&stage, json!({ "public_revocation": true })).await?;
    let session = record(&tab).await?;
    tab.click("#sign-out").await?;
    shows(&tab, "has ended this app's access").await?;
    let sent = revocations(&stage).await?;
    let expected = [("refresh_token", "refresh_token"), ("access_token", "access_token")];
    assert_eq!(sent.len(), expected.len());
    for (seen, (name, hint)) in sent.iter().zip(expected) {
        assert_eq!(seen.form_names(), ["token", "token_type_hint", "client_id"]);
        let form = seen.form();
        assert_eq!((&form["token"], form["token_type_hint"].as_str()), (&member(&session, name), hint));
        assert_eq!((form["client_id"].as_str(), seen.status), (CLIENT_ID, Some(200)));
        assert!(seen.query.is_empty());
        for header in ["authorization", "cookie", "referer"] {
            assert!(!seen.headers.contains_key(header), "{header}");
        }
    }
    // They truly are: whoever has a copy of them has nothing.
    let userinfo = Request::get(format!("{}{USERINFO}", stage.provider().origin()))
        .header(AUTHORIZATION, format!("Bearer {}", member(&session, "access_token")))
        .body(Full::<Bytes>::default())?;
    assert_eq!(Http::default().send(userinfo).await?.status(), 401);
    Ok(())
}

async fn lo_03_odd_answers_to_a_revocation_do_no_harm(stage: Stage) -> Result {
    let tab = elsewhere(&stage, json!({ "public_revocation": true })).await?;
    let unsupported = json!({ "error": "unsupported_token_type" }).to_string();
    for (fault, words) in [
        // 200 means gone, whatever the body is and whatever was known of the token.
        (json!({ "status": 200, "body": "<p>gone</p>", "headers": { "content-type": "text/html" } }), "has ended"),
        (json!({ "status": 400, "body": unsupported }), "did not confirm"),
        (json!({ "status": 503, "body": "", "headers": { "retry-after": "120" } }), "did not confirm"),
    ] {
        let mut whole = json!({ "endpoint": "revoke" });
        whole.as_object_mut().context("an object")?.extend(fault.as_object().cloned().unwrap_or_default());
        stage.provider().fault(whole).await?;
        let before = revocations(&stage).await?.len();
        tab.click("#sign-out").await?;
        shows(&tab, words).await?;
        nobody_is_here(&tab).await?;
        assert_eq!(revocations(&stage).await?.len() - before, 2, "{fault}: each token once");
        stage.provider().clear_faults().await?;
        tab.click("#sign-in").await?;
        pass_the_provider(&tab, "olive").await?;
    }
    Ok(())
}

/// Signs out here, and stands before the provider's own question.
async fn at_the_providers_sign_out(tab: &Tab) -> Result {
    tab.click("#sign-out").await?;
    tab.wait_for("button[name=sign-out]").await
}

async fn lo_04_lo_05_the_providers_own_sign_out_and_back(stage: Stage) -> Result {
    let tab = elsewhere(&stage, json!({ "end_session": true })).await?;
    let session = record(&tab).await?;
    at_the_providers_sign_out(&tab).await?;
    let asked = stage.provider().requests_to("GET", END_SESSION).await?.remove(0);
    let names: Vec<&str> = asked.query.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "id_token_hint", "post_logout_redirect_uri", "state"]);
    assert_eq!(
        (asked.query["client_id"].as_str(), &asked.query["id_token_hint"]),
        (CLIENT_ID, &member(&session, "id_token"))
    );
    assert_eq!(asked.query["post_logout_redirect_uri"], stage.site());
    tab.click("button[name=sign-out]").await?;
    shows(&tab, "has signed you out as well").await?;
    nobody_is_here(&tab).await?;
    assert_eq!(tab.url().await?, stage.site());
    // It has: the next sign-in is not silent.
    StartPage::wait(&tab).await?.sign_in().await?;
    pass_the_provider(&tab, "olive").await?;
    // Whoever turns back at the provider is signed out here all the same.
    at_the_providers_sign_out(&tab).await?;
    tab.back().await?;
    if tab.browser().engine() == Engine::WebKit {
        // It has kept the page, and the way to the provider's sign-out with it; a start ends that.
        StartPage::wait(&tab).await?;
        tab.reload().await?;
    }
    nobody_is_here(&tab).await
}

async fn lo_05_a_way_back_with_another_state_does_nothing(stage: Stage) -> Result {
    let tab = elsewhere(&stage, json!({ "end_session": true })).await?;
    for query in ["state=of-somebody-else", ""] {
        stage.provider().fault(json!({ "endpoint": "signed_out", "times": 1, "query": query })).await?;
        at_the_providers_sign_out(&tab).await?;
        tab.click("button[name=sign-out]").await?;
        shows(&tab, "may still remember you").await?;
        nobody_is_here(&tab).await?;
        assert!(!tab.has("[data-error-code]").await?, "{query}");
        assert_eq!(tab.url().await?, stage.site(), "{query}");
        tab.click("#sign-in").await?;
        pass_the_provider(&tab, "olive").await?;
    }
    // To somebody who is signed in, and was never away, such an address means nothing.
    tab.goto(&format!("{}?state=of-somebody-else", stage.site())).await?;
    SignedInPage::wait(&tab).await?;
    only_a_session_is_kept(&tab).await
}

async fn lo_05_a_way_back_with_the_state_of_a_sign_in_leaves_that_alone(stage: Stage) -> Result {
    keep_pages(&stage);
    let tab = elsewhere(&stage, json!({ "end_session": true })).await?;
    at_the_providers_sign_out(&tab).await?;
    // Back to the page as it was left: the way to the provider's sign-out is still open.
    tab.back().await?;
    StartPage::wait(&tab).await?;
    assert_eq!(kept(&tab).await?, ["sign-out"]);
    tab.click("#sign-in-again").await?;
    tab.wait_for("button[name=person]").await?;
    let state = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let state = state.last().context("nobody asked")?.query["state"].clone();
    tab.goto(&format!("{}?state={state}", stage.site())).await?;
    StartPage::wait(&tab).await?;
    assert!(!tab.has("[data-error-code]").await?);
    tab.back().await?;
    tab.wait_for("button[name=person]").await?;
    let page = pass_the_provider(&tab, "olive").await?;
    assert!(page.field("email").await?.starts_with(OLIVE));
    only_a_session_is_kept(&tab).await
}

async fn lo_06_no_address_of_the_app_signs_out(stage: Stage) -> Result {
    let tab = elsewhere(&stage, json!({ "end_session": true, "public_revocation": true })).await?;
    let before = session_records(&tab).await?;
    let site = stage.site();
    let addresses: Vec<String> = [
        "",
        "#sign-out",
        "#/logout",
        "?logout",
        "?sign-out=1",
        "?action=logout",
        "?post_logout_redirect_uri=x",
        "logout",
    ]
    .map(|rest| format!("{site}{rest}"))
    .to_vec();
    // A page of another site: everything that a page can do with an address without the person.
    let embedded: String = addresses
        .iter()
        .map(|url| {
            format!("<iframe src='{url}'></iframe><img src='{url}'><link rel='prefetch' href='{url}'><link rel='prerender' href='{url}'>")
        })
        .collect();
    let rules = json!({ "prefetch": [{ "urls": addresses }], "prerender": [{ "urls": addresses }] });
    tab.goto(&format!(
        "data:text/html,<title>evil</title>{}<script type='speculationrules'>{rules}</script>",
        embedded.replace('#', "%23")
    ))
    .await?;
    sleep(Duration::from_secs(3)).await;
    // A link, and a form.
    for url in &addresses {
        tab.goto(&format!("data:text/html,<a href='{}'>win</a>", url.replace('#', "%23"))).await?;
        tab.eval("document.querySelector('a').click()", &[]).await?;
        tab.until_url("the app's", |now| now.starts_with(&site)).await?;
        if !url.ends_with("/logout") || url.contains('#') {
            SignedInPage::wait(&tab).await?;
            assert!(!tab.has("[data-error-code]").await?, "{url}");
        }
        tab.goto(&format!("data:text/html,<form method='post' action='{}'></form>", url.replace('#', "%23"))).await?;
        tab.eval("document.forms[0].submit()", &[]).await?;
        tab.until_url("the app's", |now| now.starts_with(&site)).await?;
    }
    // The app's own pages, prepared ahead by another of them.
    tab.goto(&site).await?;
    SignedInPage::wait(&tab).await?;
    tab.eval("for (const word of ['sign-out', 'signed_out', { type: 'signed_out' }]) postMessage(word, '*')", &[])
        .await?;
    sleep(Duration::from_millis(500)).await;
    SignedInPage::wait(&tab).await?;
    assert_eq!(session_records(&tab).await?, before, "the session has changed");
    for seen in stage.provider().requests().await? {
        assert!(seen.path != REVOKE && seen.path != END_SESSION, "{} {}", seen.method, seen.path);
    }
    // One click of the person does it.
    at_the_providers_sign_out(&tab).await
}

/// The site is served so that the browser may keep its pages in memory.
fn keep_pages(stage: &Stage) {
    stage.gateway().rule(BASE, Rule::Header(CACHE_CONTROL, HeaderValue::from_static("max-age=0")));
}

async fn lo_08_a_page_out_of_the_browsers_memory_shows_nobody(stage: Stage) -> Result {
    keep_pages(&stage);
    let tab = stage.tab().await?;
    // A message on a channel would make this browser throw the kept page away: here nobody hears any.
    let watch = "addEventListener('pageshow', event => { window.persisted = event.persisted });
        if (location.protocol === 'http:') delete window.BroadcastChannel;";
    tab.before_every_page(watch).await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?;
    tab.eval("window.mark = 'the same page'", &[]).await?;
    // The same app in the next entry of the history, where she signs out.
    tab.goto(&format!("{}?second", stage.site())).await?;
    SignedInPage::wait(&tab).await?.sign_out().await?;
    nobody_is_here(&tab).await?;
    tab.back().await?;
    tab.until_url("the first", |url| url == stage.site()).await?;
    nobody_is_here(&tab).await?;
    let from_memory = tab.eval("return [window.mark, window.persisted]", &[]).await?;
    assert_eq!(from_memory, json!(["the same page", true]), "the browser did not keep it: nothing is shown by this");
    // Nor later.
    sleep(Duration::from_secs(1)).await;
    nobody_is_here(&tab).await?;
    tab.forward().await?;
    nobody_is_here(&tab).await?;
    let asked = stage.provider().requests_to("POST", TOKEN).await?.len();
    assert_eq!(asked, 1);
    Ok(())
}

async fn lo_08_reload_and_restored_tab_show_nobody(stage: Stage) -> Result {
    first_token_lasts(&stage, 8).await?;
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab();
    page.sign_out().await?;
    nobody_is_here(tab).await?;
    tab.reload().await?;
    nobody_is_here(tab).await?;
    // Restored: the browser opens the address anew with what the tab's storage held when it was closed.
    let held = session_records(tab).await?;
    let restored = stage.another_tab(tab).await?;
    restored.goto(&stage.empty_page()).await?;
    for (key, value) in &held {
        restored.eval("sessionStorage.setItem(arguments[0], arguments[1])", &[key, value]).await?;
    }
    restored.goto(&stage.site()).await?;
    nobody_is_here(&restored).await?;
    // Away and back, after the token's end.
    sleep(Duration::from_secs(8)).await;
    for _ in 0..2 {
        tab.goto("about:blank").await?;
        tab.back().await?;
        nobody_is_here(tab).await?;
    }
    assert_eq!(stage.provider().requests_to("POST", TOKEN).await?.len(), 1, "no timer lives on");
    Ok(())
}
