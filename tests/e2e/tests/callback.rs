//! What comes back in the page's address: denials, forgeries, and the same thing twice.

use std::time::Duration;

use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{codes_were_sent, kept, nothing_is_kept, only_a_session_is_kept, pass_the_provider, signed_in_as},
    pages::{ErrorPage, ProviderPage, SignedInPage, StartPage},
    suite,
    tab::eventually,
};
use serde_json::json;

suite![
    cb_16_a_denial_ends_on_a_page_that_says_what_to_do,
    cb_06_cb_07_a_forged_callback_sends_nothing_and_burns_nothing,
    cb_08_somebody_elses_callback_changes_no_session,
    cb_17_an_error_without_a_known_state_is_not_shown,
    cb_19_what_the_provider_says_is_text_and_nothing_else,
    cb_24_cb_26_a_response_in_the_fragment_is_dropped,
    cb_25_a_fragment_adds_nothing_to_a_response,
    cb_10_a_reload_during_the_exchange_sends_no_second_code,
    cb_10_the_same_callback_during_the_exchange_sends_no_second_code,
    cb_15_another_client_than_the_sign_in_began_with_gets_no_code,
    cb_18_cb_21_an_answer_that_contradicts_itself_ends_its_sign_in,
    st_03_an_edited_record_leads_the_code_nowhere,
    cb_20_an_answer_of_login_required_does_not_loop,
    cb_33_other_parameters_of_the_page_stay,
    cb_43_parameters_of_other_pages_are_left_alone,
    cb_48_a_provider_that_keeps_the_person_leaves_a_usable_page,
    cb_39_the_address_is_clean_before_anything_else_happens,
];

async fn cb_16_a_denial_ends_on_a_page_that_says_what_to_do(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?;
    let page = consent.deny().await?;
    assert_eq!(page.code().await?, "access_denied");
    assert!(page.text().await?.split_whitespace().count() > 8, "it says hardly anything: {}", page.text().await?);
    assert!(page.offers_a_way_on().await?);
    assert_eq!(tab.url().await?, stage.site());
    nothing_is_kept(&tab).await?;
    codes_were_sent(&stage, 0).await?;
    // What to do works: this time the person agrees.
    page.try_again().await?;
    pass_the_provider(&tab, "olive").await?;
    only_a_session_is_kept(&tab).await
}

/// A tab at the provider, with one sign-in under way: its address there has the real `state`.
async fn under_way(stage: &Stage) -> Result<(Tab, ProviderPage, String)> {
    let tab = stage.tab().await?;
    let at_provider = StartPage::open(stage, &tab).await?.sign_in().await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let state = asked.last().and_then(|seen| seen.query.get("state")).context("no state was sent")?;
    Ok((tab, at_provider, state.clone()))
}

async fn cb_06_cb_07_a_forged_callback_sends_nothing_and_burns_nothing(stage: Stage) -> Result {
    let (tab, _, state) = under_way(&stage).await?;
    let flipped: String = state.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c }).collect();
    let forgeries = [
        "code=polar_ac_forged".to_owned(),
        "code=polar_ac_forged&state=unknown".to_owned(),
        format!("code=polar_ac_forged&state={flipped}"),
        format!("code=polar_ac_forged&state={state}x"),
        format!("code=polar_ac_forged&state={state}%00"),
        format!("code=polar_ac_forged&state={state}&state={state}"),
        "code=polar_ac_forged&state=__proto__".to_owned(),
        "code=polar_ac_forged&state=%25&iss=%E0%A4%A".to_owned(),
    ];
    for forgery in forgeries {
        tab.goto(&format!("{}?{forgery}", stage.site())).await?;
        let page = ErrorPage::wait(&tab).await?;
        assert_eq!(page.code().await?, "callback_unknown", "{forgery}");
        assert_eq!(tab.url().await?, stage.site(), "{forgery}");
        assert_eq!(kept(&tab).await?.len(), 1, "the sign-in under way is gone after {forgery}");
    }
    codes_were_sent(&stage, 0).await?;
    // The real one still works, nine pages later.
    tab.eval("history.go(-8)", &[]).await?;
    ProviderPage::wait(&tab).await?.allow_as("olive").await?;
    codes_were_sent(&stage, 1).await
}

async fn cb_08_somebody_elses_callback_changes_no_session(stage: Stage) -> Result {
    // The attacker signs in elsewhere and stops before the code is used.
    let (attacker, at_provider, state) = under_way(&stage).await?;
    let hold = stage.gateway().hold("/config.json");
    at_provider.person("sam").await?.decide("allow").await?;
    let callback = stage.gateway().callback().await?;
    assert!(callback.contains(&state));
    attacker.goto("about:blank").await?;
    hold.release();

    // The victim, signed in, follows the link.
    let victim = signed_in_as(&stage, "olive").await?;
    let subject = victim.subject().await?;
    victim.tab().goto(&callback).await?;
    let page = SignedInPage::wait(victim.tab()).await?;
    assert_eq!(page.subject().await?, subject);
    assert_eq!(victim.tab().url().await?, stage.site());

    // A victim with no session gets none.
    let other = stage.tab().await?;
    other.goto(&callback).await?;
    assert_eq!(ErrorPage::wait(&other).await?.code().await?, "callback_unknown");
    nothing_is_kept(&other).await?;
    codes_were_sent(&stage, 1).await
}

async fn cb_17_an_error_without_a_known_state_is_not_shown(stage: Stage) -> Result {
    let (tab, _, _) = under_way(&stage).await?;
    tab.goto(&format!("{}?error=access_denied&error_description=Call+0900+123&state=unknown", stage.site())).await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "callback_unknown");
    assert!(!page.text().await?.contains("0900"), "a stranger's words are on the page");
    assert_eq!(kept(&tab).await?.len(), 1);
    Ok(())
}

async fn cb_19_what_the_provider_says_is_text_and_nothing_else(stage: Stage) -> Result {
    let (tab, _, state) = under_way(&stage).await?;
    let said = "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E%E2%80%AE%0D%0Aend";
    let link = "javascript:document.title=2";
    tab.goto(&format!("{}?error=invalid_scope&error_description={said}&error_uri={link}&state={state}", stage.site()))
        .await?;
    let page = ErrorPage::wait(&tab).await?;
    assert_eq!(page.code().await?, "authorization_failed");
    assert!(!tab.has("main img[src=x]").await?);
    let links = tab.eval("return Array.from(document.links, link => link.protocol)", &[]).await?;
    assert!(!links.to_string().contains("javascript"), "{links}");
    assert!(!page.text().await?.contains('\u{202e}'));
    nothing_is_kept(&tab).await?;
    codes_were_sent(&stage, 0).await
}

async fn cb_24_cb_26_a_response_in_the_fragment_is_dropped(stage: Stage) -> Result {
    let (tab, _, state) = under_way(&stage).await?;
    for response in [
        format!("#code=polar_ac_x&state={state}"),
        format!("#access_token=polar_at_u_x&token_type=Bearer&state={state}"),
        format!("?access_token=polar_at_u_x&state={state}"),
    ] {
        tab.goto("about:blank").await?;
        tab.goto(&format!("{}{response}", stage.site())).await?;
        tab.wait_for("main[data-view=error]:not(#shell), main[data-view=signed-out]:not(#shell)").await?;
        tab.until_url("clean", |url| url == stage.site()).await?;
        assert_eq!(kept(&tab).await?.len(), 1, "after {response}");
    }
    codes_were_sent(&stage, 0).await
}

async fn cb_25_a_fragment_adds_nothing_to_a_response(stage: Stage) -> Result {
    // A fragment of the request survives the provider's redirect, so anybody can put one there.
    let fault = json!({ "endpoint": "callback", "times": 1, "fragment": "x?code=EVIL&error=zzz&state=other" });
    stage.provider().fault(fault).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.tab().url().await?, stage.site());
    let sent = stage.provider().code_posts().await?;
    assert_eq!(sent.len(), 1);
    assert!(!sent[0].body.contains("EVIL"));
    only_a_session_is_kept(page.tab()).await
}

/// A tab in the middle of the exchange, which will take a while, and the address it came back to.
async fn in_the_exchange(stage: &Stage) -> Result<(Tab, String)> {
    stage.provider().fault(json!({ "endpoint": "token", "times": 1, "delay_ms": 4000 })).await?;
    let tab = stage.tab().await?;
    StartPage::open(stage, &tab).await?.sign_in().await?.person("olive").await?.decide("allow").await?;
    tab.wait_for("main[data-view=working]:not(#shell)").await?;
    assert_eq!(tab.url().await?, stage.site());
    eventually("waiting for the code to be sent".to_owned(), async || codes_were_sent(stage, 1).await).await?;
    Ok((tab, stage.gateway().callback().await?))
}

async fn cb_10_a_reload_during_the_exchange_sends_no_second_code(stage: Stage) -> Result {
    let (tab, _) = in_the_exchange(&stage).await?;
    tab.reload().await?;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "callback_interrupted");
    nothing_is_kept(&tab).await?;
    codes_were_sent(&stage, 1).await
}

async fn cb_10_the_same_callback_during_the_exchange_sends_no_second_code(stage: Stage) -> Result {
    let (tab, callback) = in_the_exchange(&stage).await?;
    tab.goto(&callback).await?;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "callback_interrupted");
    assert_eq!(tab.url().await?, stage.site());
    nothing_is_kept(&tab).await?;
    codes_were_sent(&stage, 1).await
}

async fn cb_15_another_client_than_the_sign_in_began_with_gets_no_code(stage: Stage) -> Result {
    let (tab, at_provider, _) = under_way(&stage).await?;
    let mut config = stage.config();
    config["client_id"] = json!(stage.provider().register(&stage.site()).await?);
    stage.gateway().configure(&config);
    at_provider.person("olive").await?.decide("allow").await?;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "provider_changed");
    assert_eq!(tab.url().await?, stage.site());
    nothing_is_kept(&tab).await?;
    codes_were_sent(&stage, 0).await
}

async fn cb_18_cb_21_an_answer_that_contradicts_itself_ends_its_sign_in(stage: Stage) -> Result {
    for answer in [
        "code=polar_ac_a&code=polar_ac_b",
        "code=polar_ac_a&%63ode=polar_ac_a",
        "code=polar_ac_a&error=access_denied",
        "code=",
    ] {
        let (tab, _, state) = under_way(&stage).await?;
        tab.goto(&format!("{}?{answer}&state={state}", stage.site())).await?;
        assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "callback_malformed", "{answer}");
        assert_eq!(tab.url().await?, stage.site());
        nothing_is_kept(&tab).await?;
    }
    codes_were_sent(&stage, 0).await
}

async fn st_03_an_edited_record_leads_the_code_nowhere(stage: Stage) -> Result {
    // A page of this origin with a hole in it writes another endpoint into what is remembered.
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?;
    tab.back().await?;
    StartPage::wait(&tab).await?;
    let sink = format!("{}/sink", stage.gateway().origin());
    tab.eval(
        "const key = Object.keys(sessionStorage).find(key => key.includes(':transaction:'));
         sessionStorage[key] = JSON.stringify({ ...JSON.parse(sessionStorage[key]), token_endpoint: arguments[0] });",
        &[&sink],
    )
    .await?;
    tab.forward().await?;
    let page = ProviderPage::wait(&tab).await?.allow_in_vain("olive").await?;
    assert_eq!(page.code().await?, "transaction_corrupt");
    nothing_is_kept(&tab).await?;
    assert!(stage.gateway().requests().iter().all(|seen| !seen.target.contains("/sink")), "the code went astray");
    codes_were_sent(&stage, 0).await
}

async fn cb_20_an_answer_of_login_required_does_not_loop(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "callback", "times": 100, "query": "error=login_required&state={state}" });
    stage.provider().fault(fault).await?;
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?.decide("allow").await?;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "login_required");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(ErrorPage::wait(&tab).await?.code().await?, "login_required");
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 1);
    codes_were_sent(&stage, 0).await
}

async fn cb_33_other_parameters_of_the_page_stay(stage: Stage) -> Result {
    let query = "utm_source=1&code={code}&session_state=s&state={state}&utm_source=2&authuser=0&scope=everything";
    stage.provider().fault(json!({ "endpoint": "callback", "times": 1, "query": query })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.tab().url().await?, format!("{}?utm_source=1&utm_source=2&authuser=0", stage.site()));
    assert!(!page.scopes("granted").await?.contains(&"everything".to_owned()));
    codes_were_sent(&stage, 1).await
}

async fn cb_43_parameters_of_other_pages_are_left_alone(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let url = format!("{}index.html?code=SPRING26&state=NY&error=1", stage.site());
    tab.goto(&url).await?;
    StartPage::wait(&tab).await?;
    assert_eq!(tab.url().await?, url);
    codes_were_sent(&stage, 0).await
}

async fn cb_39_the_address_is_clean_before_anything_else_happens(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    // Every request that a page of the site makes notes the address it was made at.
    tab.before_every_page(
        "const send = window.fetch;
         window.fetch = (...call) => { console.info('fetch at ' + location.href); return send(...call); };",
    )
    .await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?.reach().await?;
    let code = stage.provider().code_posts().await?[0].form()["code"].clone();
    let console = tab.browser().console().await?;
    let fetches: Vec<_> = console.iter().filter(|line| line.message.contains("fetch at ")).collect();
    assert!(fetches.len() >= 3, "the page was not overheard: {fetches:?}");
    // The files of the page itself come before any script of it; none of them may carry the address on.
    for line in fetches {
        assert!(!line.message.contains(&code), "a request with the code still in the address: {}", line.message);
    }
    for seen in stage.provider().requests().await? {
        let referer = seen.headers.get("referer").map_or("", String::as_str);
        assert!(!referer.contains("code="), "{} got the code as referrer", seen.path);
        assert!(!referer.starts_with(&stage.gateway().origin()), "{} got a referrer: {referer}", seen.path);
    }
    for seen in stage.gateway().requests() {
        assert!(!seen.referer.unwrap_or_default().contains("code="), "{} got the code as referrer", seen.target);
    }
    Ok(())
}

async fn cb_48_a_provider_that_keeps_the_person_leaves_a_usable_page(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    // Nobody without an organization can choose one: the provider has no way back to offer.
    StartPage::open(&stage, &tab).await?.sign_in_with_organization().await?;
    tab.back().await?;
    let start = StartPage::wait(&tab).await?;
    assert_eq!(kept(&tab).await?.len(), 1);
    start.sign_in().await?.allow_as("olive").await?;
    codes_were_sent(&stage, 1).await
}
