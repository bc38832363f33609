//! A session's life in its tab: reload, history, sign-out, other tabs.

use std::time::Duration;

use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{codes_were_sent, kept, nothing_is_kept, only_a_session_is_kept, pass_the_provider, signed_in_as},
    pages::{SignedInPage, StartPage},
    suite,
};
use serde_json::json;

suite![
    a_reload_keeps_the_session_and_asks_for_no_token,
    cb_09_a_used_callback_address_does_nothing,
    signing_out_leaves_nothing_behind,
    a_second_tab_has_a_session_of_its_own,
    cb_13_two_tabs_sign_in_at_once_without_a_mix_up,
    a_sign_in_begun_twice_in_one_tab_is_completed_once,
    another_person_signs_in_after_a_sign_out,
    st_01_two_clients_on_one_origin_share_nothing,
    st_03_a_damaged_session_is_no_session,
    going_back_after_a_sign_in_keeps_the_session,
];

async fn a_reload_keeps_the_session_and_asks_for_no_token(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let subject = page.subject().await?;
    page.tab().reload().await?;
    let page = SignedInPage::wait(page.tab()).await?;
    assert_eq!(page.subject().await?, subject);
    // Userinfo and organizations come again: they are kept nowhere.
    assert_eq!(page.userinfo("sub").await?, subject);
    page.reach().await?;
    codes_were_sent(&stage, 1).await?;
    only_a_session_is_kept(page.tab()).await
}

async fn going_back_after_a_sign_in_keeps_the_session(stage: Stage) -> Result {
    let tab = &stage.tab().await?;
    let start = StartPage::open(&stage, tab).await?;
    let first = history_length(tab).await?;
    let subject = start.sign_in().await?.allow_as("olive").await?.subject().await?;
    let last = history_length(tab).await?;
    assert!(last > first, "the sign-in has replaced the page it began on");
    // To the page that the sign-in began on, past the provider's.
    tab.eval(&format!("history.go({})", first - last), &[]).await?;
    tab.until_url("the start", |url| url == stage.site()).await?;
    let page = SignedInPage::wait(tab).await?;
    assert_eq!(page.subject().await?, subject);
    assert_eq!(history_length(tab).await?, last, "the history has grown");
    codes_were_sent(&stage, 1).await
}

async fn history_length(tab: &Tab) -> Result<i64> {
    tab.eval("return history.length", &[]).await?.as_i64().context("no length")
}

async fn cb_09_a_used_callback_address_does_nothing(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let subject = page.subject().await?;
    let sent = stage.provider().code_posts().await?.remove(0).form();
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?.remove(0).query;
    let callback = format!("{}?code={}&state={}", stage.site(), sent["code"], asked["state"]);

    // In the tab with the session: it stays, and the address is clean again.
    page.tab().goto(&callback).await?;
    let again = SignedInPage::wait(page.tab()).await?;
    assert_eq!(again.subject().await?, subject);
    assert_eq!(page.tab().url().await?, stage.site());
    page.tab().reload().await?;
    SignedInPage::wait(page.tab()).await?;

    // In another tab, where nobody is signed in: nobody is afterwards.
    let other = stage.another_tab(page.tab()).await?;
    other.goto(&callback).await?;
    other.wait_for("main[data-view=error]:not(#shell), main[data-view=signed-out]:not(#shell)").await?;
    assert_eq!(other.url().await?, stage.site());
    nothing_is_kept(&other).await?;
    codes_were_sent(&stage, 1).await
}

async fn signing_out_leaves_nothing_behind(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab();
    let personal = [page.field("email").await?, page.subject().await?];
    page.reach().await?;
    page.sign_out().await?;
    nothing_is_kept(tab).await?;
    shows_none_of(tab, &personal).await?;

    tab.reload().await?;
    StartPage::wait(tab).await?;
    shows_none_of(tab, &personal).await?;

    // The browser may show pages of the history as they were left.
    tab.goto("about:blank").await?;
    tab.back().await?;
    StartPage::wait(tab).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    shows_none_of(tab, &personal).await?;
    nothing_is_kept(tab).await?;
    codes_were_sent(&stage, 1).await
}

async fn shows_none_of(tab: &Tab, personal: &[String]) -> Result {
    let page = tab.eval_text("return document.documentElement.outerHTML", &[]).await?;
    for word in personal {
        assert!(!page.contains(word.as_str()), "{word} is still on the page");
    }
    Ok(())
}

async fn a_second_tab_has_a_session_of_its_own(stage: Stage) -> Result {
    let first = signed_in_as(&stage, "olive").await?;
    let second = stage.another_tab(first.tab()).await?;
    // Nothing is shared: the second tab begins signed out.
    StartPage::open(&stage, &second).await?;
    nothing_is_kept(&second).await?;
    second.click("#sign-in").await?;
    let second = pass_the_provider(&second, "olive").await?;
    assert_eq!(second.subject().await?, first.subject().await?);

    // Signing out of one leaves the other alone.
    second.sign_out().await?;
    first.tab().reload().await?;
    SignedInPage::wait(first.tab()).await?;
    only_a_session_is_kept(first.tab()).await?;
    codes_were_sent(&stage, 2).await
}

async fn cb_13_two_tabs_sign_in_at_once_without_a_mix_up(stage: Stage) -> Result {
    // Two tabs of one browser, both at the provider before either comes back.
    let first = stage.tab().await?;
    let at_provider = StartPage::open(&stage, &first).await?.sign_in().await?;
    let second = stage.another_tab(&first).await?;
    let also_there = StartPage::open(&stage, &second).await?.sign_in().await?;

    let olive = at_provider.allow_as("olive").await?;
    let sam = also_there.allow_as("sam").await?;
    assert!(olive.field("email").await?.starts_with("olive"));
    assert!(sam.field("email").await?.starts_with("sam"));
    assert_ne!(olive.subject().await?, sam.subject().await?);
    only_a_session_is_kept(&first).await?;
    only_a_session_is_kept(&second).await?;
    codes_were_sent(&stage, 2).await
}

async fn a_sign_in_begun_twice_in_one_tab_is_completed_once(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?;
    // Back from the provider without a decision: the page can be used again.
    tab.back().await?;
    let start = StartPage::wait(&tab).await?;
    let page = start.sign_in().await?.allow_as("olive").await?;
    assert!(page.field("email").await?.starts_with("olive"));
    let left = kept(&tab).await?;
    let sessions = left.iter().filter(|key| *key == "session").count();
    assert_eq!(sessions, 1, "{left:?}");
    // The one that never came back waits for its hour to pass.
    assert!(left.iter().filter(|key| key.starts_with("transaction:")).count() <= 1, "{left:?}");
    codes_were_sent(&stage, 1).await
}

async fn another_person_signs_in_after_a_sign_out(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let olive = page.field("email").await?;
    let start = page.sign_out().await?;
    // The provider's own session goes on: this button makes it ask who it is all the same.
    let page = start.sign_in_as_somebody_else().await?.allow_as("sam").await?;
    assert!(page.field("email").await?.starts_with("sam"));
    page.reach().await?;
    shows_none_of(page.tab(), &[olive]).await
}

async fn st_01_two_clients_on_one_origin_share_nothing(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let tab = page.tab().clone();
    let mut config = stage.config();
    config["client_id"] = json!(stage.provider().register(&stage.site()).await?);
    stage.gateway().configure(&config);
    // The other client knows nobody, and what it forgets is its own.
    StartPage::open(&stage, &tab).await?;
    tab.click("#sign-in").await?;
    pass_the_provider(&tab, "olive").await?.sign_out().await?;
    stage.gateway().reset();
    tab.reload().await?;
    let page = SignedInPage::wait(&tab).await?;
    assert_eq!(page.field("email").await?, "olive@example.com");
    only_a_session_is_kept(&tab).await
}

async fn st_03_a_damaged_session_is_no_session(stage: Stage) -> Result {
    for damage in [
        "record.slice(0, 100)",
        "'null'",
        "'{}'",
        "record.replace('{', '{\"access_token\":\"x\",')",
        "'x'.repeat(100000)",
    ] {
        let page = signed_in_as(&stage, "olive").await?;
        let tab = page.tab();
        tab.eval(
            &format!(
                "const key = Object.keys(sessionStorage).find(key => key.endsWith(':session'));
                 const record = sessionStorage[key];
                 sessionStorage[key] = {damage};"
            ),
            &[],
        )
        .await?;
        tab.reload().await?;
        StartPage::wait(tab).await?;
        nothing_is_kept(tab).await?;
        // For the next round it shall know nobody.
        stage.provider().reset().await?;
    }
    Ok(())
}
