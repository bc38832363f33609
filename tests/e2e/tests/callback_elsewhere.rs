//! Responses that come twice, to the wrong place, from the wrong provider, or for somebody else.

use std::ffi::OsStr;

use hyper::{Method, Request, body::Bytes, header::HeaderName};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{codes_were_sent, kept, nothing_is_kept, only_a_session_is_kept, signed_in_as},
    gateway::Rule,
    http::Http,
    pages::{ErrorPage, ProviderPage, SignedInPage, StartPage},
    provider::{Provider, TOKEN},
    settings::Settings,
    stage::{BASE, CLIENT_ID},
    suite,
};
use serde_json::{Value, json};
use url::form_urlencoded;

suite![
    cb_11_a_page_that_starts_twice_sends_one_code,
    cb_14_a_mix_up_of_two_providers_sends_the_code_nowhere,
    cb_40_what_the_browser_remembers_is_used_up,
    cb_42_an_injected_code_brings_nobody_in,
    cb_44_a_response_at_another_address_is_left_alone,
    cb_45_a_response_in_a_frame_does_nothing,
];

/// The address of the provider's page where this tab's sign-in is, with everything that was sent.
async fn under_way(stage: &Stage, tab: &Tab) -> Result<(ProviderPage, String)> {
    let page = StartPage::open(stage, tab).await?.sign_in().await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let state = asked.last().and_then(|seen| seen.query.get("state")).context("no state was sent")?;
    Ok((page, state.clone()))
}

async fn cb_11_a_page_that_starts_twice_sends_one_code(stage: Stage) -> Result {
    stage.provider().fault(json!({ "endpoint": "token", "times": 1, "delay_ms": 2500 })).await?;
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?.decide("allow").await?;
    tab.wait_for("main[data-view=working]:not(#shell)").await?;
    // The script runs again, and so does whatever listens to the page's own events.
    tab.eval(
        // An element, since Firefox gives what a driver imports a world of its own.
        "const policy = trustedTypes.createPolicy('again', { createScriptURL: address => address });
         const again = document.createElement('script');
         again.type = 'module';
         again.src = policy.createScriptURL(document.querySelector('script[data-js]').src + '?again');
         document.head.append(again);
         dispatchEvent(new PageTransitionEvent('pageshow'));
         dispatchEvent(new PopStateEvent('popstate'));
         dispatchEvent(new Event('hashchange'));
         dispatchEvent(new Event('online'));
         document.dispatchEvent(new Event('visibilitychange'));",
        &[],
    )
    .await?;
    let page = SignedInPage::wait(&tab).await?;
    page.userinfo("sub").await?;
    assert_eq!(tab.count("main").await?, 1, "two apps on one page");
    only_a_session_is_kept(&tab).await?;
    codes_were_sent(&stage, 1).await
}

/// Another provider, which the app is configured for at another address of the same site.
fn evil(stage: &Stage, redirect_uri: &str) -> Result<(Provider, Value)> {
    let settings = Settings::from_env()?;
    let issuer = ["--issuer", "https://evil.example"].map(OsStr::new);
    let evil = Provider::start_with(&settings, "client_at_evil", redirect_uri, &issuer)?;
    let config = json!({
        "provider": "oidc", "issuer": "https://evil.example", "client_id": "client_at_evil",
        "metadata_url": format!("{}/.well-known/openid-configuration", evil.origin()),
        "redirect_uri": redirect_uri, "allow_http_on_loopback": true,
    });
    // The site's policy lets the page ask both.
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' {} {}",
        evil.origin(),
        stage.provider().origin()
    );
    let policy = Rule::Header(HeaderName::from_static("content-security-policy"), policy.parse()?);
    stage.gateway().rule(BASE, policy.clone());
    stage.gateway().rule("index.html", policy);
    Ok((evil, config))
}

/// Pairs as a query.
fn form(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn cb_14_a_mix_up_of_two_providers_sends_the_code_nowhere(stage: Stage) -> Result {
    // The same app at two addresses of one site: one for the honest provider, one for the evil one.
    let for_evil = format!("{}index.html", stage.site());
    let (evil, config) = evil(&stage, &for_evil)?;
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    tab.goto(&for_evil).await?;
    StartPage::wait(&tab).await?.sign_in().await?;
    // The evil one sends the browser on to the honest one, as the honest one's client, with what it was sent.
    let asked = evil.requests_to("GET", "/oauth2/authorize").await?;
    let sent = &asked.first().context("the evil provider was not asked")?.query;
    let own = |(name, value): (&String, &String)| match name.as_str() {
        "client_id" => (name.clone(), CLIENT_ID.to_owned()),
        "redirect_uri" => (name.clone(), stage.site()),
        _ => (name.clone(), value.clone()),
    };
    let bounced = form(sent.iter().map(own));
    stage.gateway().reset();
    tab.goto(&format!("{}/oauth2/authorize?{bounced}", stage.provider().origin())).await?;
    ProviderPage::wait(&tab).await?.person("olive").await?.decide("allow").await?;
    // The honest provider's code comes back with a state that belongs to the evil one.
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "provider_changed");
    nothing_is_kept(&tab).await?;
    assert_eq!(tab.url().await?, stage.site());
    codes_were_sent(&stage, 0).await?;
    assert!(evil.requests_to("POST", TOKEN).await?.is_empty(), "the evil provider got the honest one's code");
    Ok(())
}

async fn cb_40_what_the_browser_remembers_is_used_up(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    page.userinfo("sub").await?;
    // Known and said in the documentation: the navigation's entry keeps the address it was made with.
    let script = "return performance.getEntriesByType('navigation')[0].name";
    let remembered = page.tab().eval_text(script, &[]).await?;
    let sent = stage.provider().code_posts().await?;
    assert!(
        remembered.contains(&sent[0].form()["code"]),
        "the browser has learnt to forget: say so in docs/architecture.md"
    );
    // So do the logs of a static host. Whoever finds the code there, even with the verifier, gets nothing for it.
    assert_eq!(stage.gateway().callback().await?, remembered);
    let again = Request::builder()
        .method(Method::POST)
        .uri(format!("{}{TOKEN}", stage.provider().origin()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(sent[0].body.clone()).into())?;
    let answer = Http::default().send(again).await?;
    assert_eq!(answer.status(), 400);
    assert!(String::from_utf8_lossy(answer.body()).contains("invalid_grant"));
    // And the address itself, opened again, changes nothing.
    page.tab().goto(&remembered).await?;
    SignedInPage::wait(page.tab()).await?;
    only_a_session_is_kept(page.tab()).await
}

async fn cb_42_an_injected_code_brings_nobody_in(stage: Stage) -> Result {
    // The provider forgets to compare the verifier; then only the nonce is left, and it is enough.
    for (checks_pkce, refused) in [(true, "grant_refused"), (false, "id_token_nonce")] {
        stage.provider().reset().await?;
        stage.gateway().reset();
        stage.provider().settings(json!({ "checks_pkce": checks_pkce })).await?;
        // The attacker signs in and stops before the code is used.
        let attacker = stage.tab().await?;
        let (at_provider, _) = under_way(&stage, &attacker).await?;
        let hold = stage.gateway().hold("/config.json");
        at_provider.person("sam").await?.decide("allow").await?;
        let callback = stage.gateway().callback().await?;
        let code = callback.split(['?', '&']).find(|pair| pair.starts_with("code=")).context("no code")?;
        attacker.goto("about:blank").await?;
        hold.release();
        // The victim's browser gets that code with the state of its own sign-in.
        let victim = stage.tab().await?;
        let (_, state) = under_way(&stage, &victim).await?;
        victim.goto(&format!("{}?{code}&state={}", stage.site(), state)).await?;
        assert_eq!(ErrorPage::wait(&victim).await?.code().await?, refused);
        nothing_is_kept(&victim).await?;
        codes_were_sent(&stage, 1).await?;
    }
    Ok(())
}

async fn cb_44_a_response_at_another_address_is_left_alone(stage: Stage) -> Result {
    // The sign-in is to come back to index.html; its response comes to the folder instead.
    let registered = format!("{}index.html", stage.site());
    let mut config = stage.config();
    config["client_id"] = json!(stage.provider().register(&registered).await?);
    let mut elsewhere = config.clone();
    config["redirect_uri"] = json!(registered);
    elsewhere["redirect_uri"] = json!(stage.site());
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    let (_, state) = under_way(&stage, &tab).await?;
    let at_provider = tab.url().await?;
    stage.gateway().reset();
    stage.gateway().configure(&elsewhere);
    tab.goto(&format!("{}?code=polar_ac_x&state={}", stage.site(), state)).await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "redirect_mismatch");
    assert_eq!(tab.url().await?, stage.site(), "it went round");
    assert_eq!(kept(&tab).await?.len(), 1, "the sign-in is used up");
    // Under another name of the same machine: another origin, which knows nothing of it.
    let alias = stage.site().replace("localhost", "127.0.0.1");
    let other = stage.another_tab(&tab).await?;
    other.goto(&format!("{alias}?code=polar_ac_x&state={}", state)).await?;
    assert_eq!(ErrorPage::wait(&other).await?.code().await?, "redirect_mismatch");
    assert_eq!(other.url().await?, alias);
    codes_were_sent(&stage, 0).await?;
    // At its own address it is still good.
    stage.gateway().reset();
    stage.gateway().configure(&config);
    tab.goto(&at_provider).await?;
    ProviderPage::wait(&tab).await?.allow_as("olive").await?;
    assert_eq!(tab.url().await?, registered);
    codes_were_sent(&stage, 1).await
}

async fn cb_45_a_response_in_a_frame_does_nothing(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let (_, state) = under_way(&stage, &tab).await?;
    // A page of the same origin frames the response; the site has no policy against it.
    let open = Rule::Header(
        HeaderName::from_static("content-security-policy"),
        "script-src 'self' 'wasm-unsafe-eval'".parse()?,
    );
    let framed = format!("{BASE}?code=polar_ac_x&state={}", state);
    let body = format!("<!doctype html><title>frame</title><iframe src=\"{framed}\"></iframe>");
    stage.gateway().rule("frame.html", Rule::Answer { status: 200, content_type: "text/html", body });
    stage.gateway().rule(BASE, open);
    tab.goto(&format!("{}frame.html", stage.site())).await?;
    // The app has come and has cleaned the frame's address.
    let clean = "const page = document.querySelector('iframe')?.contentWindow;
        return page?.location.pathname === arguments[0] && page.location.search === ''
            && page.document.querySelector('script[data-js]') !== null";
    tab.until("the frame's address is clean", clean, &[BASE]).await?;
    let inert =
        "return document.querySelector('iframe').contentDocument.querySelector('main[data-view=nothing]') !== null";
    tab.until("the app in the frame has decided", inert, &[]).await?;
    let shown = "return document.querySelector('iframe').contentDocument.body.innerText.trim()";
    assert_eq!(tab.eval_text(shown, &[]).await?, "", "the frame shows something");
    assert_eq!(kept(&tab).await?.len(), 1, "the sign-in is used up");
    codes_were_sent(&stage, 0).await?;
    tab.back().await?;
    ProviderPage::wait(&tab).await?.allow_as("olive").await?;
    codes_were_sent(&stage, 1).await
}
