//! The main job: somebody signs in.

use std::time::{Duration, Instant};

use fantoccini::key::Key;
use polar_signin_e2e::{
    Context, MouseButton, Result, Stage, Tab,
    flows::{codes_were_sent, only_a_session_is_kept, signed_in_as},
    pages::{Consent, ProviderPage, SignedInPage, StartPage},
    stage::{BASE, CLIENT_ID},
    suite,
};
use serde_json::json;

suite![
    cb_01_a_person_signs_in,
    the_lifetime_counts_down,
    every_step_is_there_as_a_command_without_a_secret,
    fewer_scopes_than_asked_for_are_shown_as_granted,
    an_early_click_is_served_once_the_app_is_there,
    an_early_click_for_an_organization_is_served_too,
    a_press_that_ends_when_the_app_is_there_is_a_click,
    such_a_press_of_the_other_button_is_none,
    the_page_can_be_read_before_the_app_is_there,
    the_keyboard_is_enough,
    the_app_works_under_a_sub_path,
    the_keys_of_es256_work_too,
    id_02_keys_in_rotation_work,
    cb_03_an_issuer_in_the_answer_is_checked_where_it_was_announced,
    a_session_that_nothing_renews_ends_with_its_token,
];

async fn cb_01_a_person_signs_in(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab();
    assert_eq!(tab.url().await?, stage.site());
    assert_eq!(page.field("email").await?, "olive@example.com");
    assert!(tab.has("[data-field=email-verified]").await?);
    // A person has no name at Polar: the page finds other words, and never none.
    assert!(!page.field("name").await?.is_empty());

    let subject = page.subject().await?;
    assert_eq!(page.claim("sub").await?, subject);
    assert_eq!(page.claim("iss").await?, "https://polar.example");
    assert!(page.claim("aud").await?.contains(CLIENT_ID));
    assert_eq!(page.userinfo("sub").await?, subject);
    assert_eq!(page.userinfo("email").await?, "olive@example.com");

    let scopes = ["openid", "profile", "email", "organizations:read"];
    assert_eq!(page.scopes("requested").await?, scopes);
    assert_eq!(page.scopes("granted").await?, scopes);
    assert!(!page.field("signed-in-at").await?.is_empty());

    let reach = page.reach().await?;
    assert_eq!((reach.kind.as_str(), reach.organizations.len()), ("organizations", 1));
    assert!(reach.organizations[0].1.contains("Acme Tools"));
    only_a_session_is_kept(tab).await?;
    codes_were_sent(&stage, 1).await
}

async fn every_step_is_there_as_a_command_without_a_secret(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let tab = page.tab();
    tab.click("#with-curl summary").await?;
    let commands = tab.texts("#with-curl pre").await?;
    let asked = |what: &str| commands.iter().filter(|command| command.contains(what)).count();
    let provider = stage.provider().origin();
    // Metadata, verifier, address, exchange, userinfo, organizations, renewal.
    assert_eq!(commands.len(), 7, "{commands:?}");
    assert_eq!(asked(&format!("{provider}/v1/oauth2/token'")), 2, "{commands:?}");
    assert_eq!(asked("$ACCESS_TOKEN"), 2, "{commands:?}");
    assert_eq!(asked(CLIENT_ID), 3, "{commands:?}");
    // That no secret is on the page is looked at after every test.
    Ok(())
}

async fn the_lifetime_counts_down(stage: Stage) -> Result {
    stage.provider().settings(json!({ "access_token_lifetime": 90 })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    let began = Instant::now();
    let mut shown = vec![seconds_in(&page.field("expires").await?)?];
    while began.elapsed() < Duration::from_secs(4) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = seconds_in(&page.field("expires").await?)?;
        if shown.last() != Some(&now) {
            shown.push(now);
        }
    }
    let (first, last) = (shown[0], shown[shown.len() - 1]);
    assert!(first <= 90 && shown.is_sorted_by(|a, b| a > b), "{shown:?}");
    let lost = u64::from(first - last);
    assert!(lost.abs_diff(began.elapsed().as_secs()) <= 1, "{lost} seconds fewer after {:?}", began.elapsed());
    Ok(())
}

/// Reads `1:29`, `1 min 29 s` and the like: the last number counts seconds.
fn seconds_in(text: &str) -> Result<u32> {
    let numbers: Vec<u32> = text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    let worth = numbers.iter().rev().zip([1, 60, 3600, 86400]).map(|(number, unit)| number * unit).sum();
    if numbers.is_empty() { None.context(format!("no number in {text:?}")) } else { Ok(worth) }
}

async fn fewer_scopes_than_asked_for_are_shown_as_granted(stage: Stage) -> Result {
    let fault = json!({ "endpoint": "token", "times": 1, "json_merge": { "scope": "openid email" } });
    stage.provider().fault(fault).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.scopes("requested").await?, ["openid", "profile", "email", "organizations:read"]);
    assert_eq!(page.scopes("granted").await?, ["openid", "email"]);
    assert_eq!(page.reach().await?.kind, "unknown");
    Ok(())
}

/// Clicks before the app is there, and lets it come only then.
async fn early(stage: &Stage, button: &str) -> Result<Tab> {
    let tab = stage.tab().await?;
    let hold = stage.gateway().hold(".wasm");
    tab.goto(&stage.site()).await?;
    tab.click(button).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(tab.url().await?, stage.site());
    hold.release();
    ProviderPage::wait(&tab).await?;
    Ok(tab)
}

async fn an_early_click_is_served_once_the_app_is_there(stage: Stage) -> Result {
    let tab = early(&stage, "#sign-in").await?;
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 1);
    let page = ProviderPage::wait(&tab).await?.allow_as("olive").await?;
    assert_eq!(page.field("email").await?, "olive@example.com");
    codes_were_sent(&stage, 1).await
}

async fn an_early_click_for_an_organization_is_served_too(stage: Stage) -> Result {
    early(&stage, "#sign-in-organization").await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].query.get("sub_type").map(String::as_str), Some("organization"));
    Ok(())
}

async fn a_press_that_ends_when_the_app_is_there_is_a_click(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let hold = stage.gateway().hold(".wasm");
    tab.goto(&stage.site()).await?;
    tab.hold_down(MouseButton::Main, "#sign-in").await?;
    hold.release();
    StartPage::wait(&tab).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(tab.url().await?, stage.site());
    tab.let_go(MouseButton::Main).await?;
    ProviderPage::wait(&tab).await?;
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 1);
    // Elsewhere it is none.
    tab.back().await?;
    StartPage::wait(&tab).await?;
    let hold = stage.gateway().hold(".wasm");
    tab.reload().await?;
    tab.hold_down(MouseButton::Main, "#sign-in-organization").await?;
    hold.release();
    StartPage::wait(&tab).await?;
    tab.move_to("h1").await?;
    tab.let_go(MouseButton::Main).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(tab.url().await?, stage.site());
    assert_eq!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.len(), 1);
    Ok(())
}

/// Firefox is who can tell: in the others, as their drivers press it, this button brings no `pointerup` here.
async fn such_a_press_of_the_other_button_is_none(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let hold = stage.gateway().hold(".wasm");
    tab.goto(&stage.site()).await?;
    // A menu of the browser's own would hide the page from the driver.
    tab.eval("addEventListener('contextmenu', event => event.preventDefault())", &[]).await?;
    tab.hold_down(MouseButton::Second, "#sign-in").await?;
    hold.release();
    StartPage::wait(&tab).await?;
    tab.let_go(MouseButton::Second).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(tab.url().await?, stage.site());
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    Ok(())
}

async fn the_page_can_be_read_before_the_app_is_there(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let hold = stage.gateway().hold(".wasm");
    tab.goto(&stage.site()).await?;
    assert!(!tab.text("h1").await?.is_empty());
    assert!(!tab.text("#sign-in").await?.is_empty());
    assert!(!tab.eval_text("return document.title", &[]).await?.is_empty());
    assert_eq!(tab.eval_text("return document.documentElement.lang", &[]).await?, "en");
    hold.release();
    StartPage::wait(&tab).await.map(|_| ())
}

/// Presses Tab until such an element has the focus, and sees that the focus can be seen.
async fn tab_to(tab: &Tab, css: &str) -> Result {
    const SEEN: &str = "const element = document.activeElement;
        if (!element || !element.matches(arguments[0])) return false;
        const style = getComputedStyle(element);
        const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
        return element.matches(':focus-visible') && (outlined || style.boxShadow !== 'none') ? 'seen' : 'unseen';";
    for _ in 0..60 {
        tab.press(Key::Tab).await?;
        match tab.eval(SEEN, &[css]).await?.as_str() {
            Some("seen") => return Ok(()),
            Some(_) => None.context(format!("the focus on {css} cannot be seen"))?,
            None => {}
        }
    }
    None.context(format!("no way to {css} by the keyboard"))
}

async fn the_keyboard_is_enough(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    tab_to(&tab, "#sign-in").await?;
    tab.press(Key::Enter).await?;
    ProviderPage::wait(&tab).await?;
    tab_to(&tab, "button[name=person][value=olive]").await?;
    tab.press(Key::Enter).await?;
    Consent::wait(&tab).await?;
    tab_to(&tab, "button[name=decision][value=allow]").await?;
    tab.press(Key::Enter).await?;
    SignedInPage::wait(&tab).await?;
    tab_to(&tab, "#sign-out").await?;
    tab.press(Key::Enter).await?;
    StartPage::wait(&tab).await?;
    // Whoever cannot see the page must not be left nowhere by its changes.
    let focused = tab.eval_text("return document.activeElement.tagName", &[]).await?;
    assert_ne!(focused, "BODY", "the focus was lost with the button");
    Ok(())
}

async fn the_app_works_under_a_sub_path(stage: Stage) -> Result {
    signed_in_as(&stage, "olive").await?.reach().await?;
    let base = BASE;
    let requests = stage.gateway().requests();
    assert!(requests.len() >= 5, "{requests:?}");
    for asked in requests {
        assert!(asked.target.starts_with(base), "{} is outside of {base}", asked.target);
    }
    Ok(())
}

async fn the_keys_of_es256_work_too(stage: Stage) -> Result {
    stage.provider().settings(json!({ "id_token_alg": "ES256" })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.field("email").await?, "olive@example.com");
    only_a_session_is_kept(page.tab()).await
}

async fn id_02_keys_in_rotation_work(stage: Stage) -> Result {
    // Two keys, and an ID token that does not say which of them signed it.
    stage.provider().rotate_keys(true).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.field("email").await?, "olive@example.com");
    only_a_session_is_kept(page.tab()).await
}

async fn cb_03_an_issuer_in_the_answer_is_checked_where_it_was_announced(stage: Stage) -> Result {
    stage.provider().settings(json!({ "iss_parameter": true })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    assert_eq!(page.tab().url().await?, stage.site());
    let came = stage.gateway().callback().await?;
    assert!(came.contains("&iss=") || came.contains("?iss="), "the provider sent none");
    Ok(())
}

async fn a_session_that_nothing_renews_ends_with_its_token(stage: Stage) -> Result {
    let answer = json!({ "expires_in": 3, "refresh_token": null });
    stage.provider().fault(json!({ "endpoint": "token", "times": 1, "json_merge": answer })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab().clone();
    tab.wait_for("[data-error-code=session_expired]").await?;
    assert!(!tab.text("main").await?.contains("olive@example.com"));
    polar_signin_e2e::flows::nothing_is_kept(&tab).await?;
    tab.reload().await?;
    StartPage::wait(&tab).await.map(|_| ())
}
