//! Clocks that jump, machines that sleep, pages that stand still, and whoever holds the lock.

use std::time::Duration;

use hyper::header::{CACHE_CONTROL, HeaderValue};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    clock::{self, freeze, jump, thaw, wake},
    flows::{only_a_session_is_kept, pass_the_provider},
    gateway::Rule,
    hygiene::session_records,
    pages::{SignedInPage, StartPage},
    provider::USERINFO,
    sessions::{
        copy_of, first_token_lasts, record, refuse_the_token, renewal_words, renewals, renewed, until_generation,
    },
    stage::BASE,
    suite,
    tab::eventually,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

suite![
    rt_14_a_clock_that_jumps_ahead_costs_one_renewal,
    rt_14_a_clock_that_is_set_back_revives_nothing,
    rt_14_timers_that_never_come_are_not_needed,
    rt_14_a_page_out_of_the_browsers_memory_renews_once,
    rt_18_a_lock_that_is_never_given_back_is_waited_for_twenty_seconds,
    rt_18_a_request_that_hangs_keeps_every_copy_alive,
    rt_18_a_browser_without_locks_renews_all_the_same;
    chromium:
    rt_14_a_machine_that_slept_renews_once,
    rt_18_a_frozen_page_with_the_lock_stops_nobody,
    rt_18_a_killed_page_with_the_lock_stops_nobody,
];

/// olive, in a tab whose clock can be set, with an access token of an hour.
async fn signed_in(stage: &Stage, before: &str) -> Result<Tab> {
    let tab = stage.tab().await?;
    clock::install(&tab).await?;
    tab.before_every_page(before).await?;
    first_token_lasts(stage, 3600).await?;
    let page = StartPage::open(stage, &tab).await?.sign_in().await?.allow_as("olive").await?;
    page.reach().await?;
    Ok(tab)
}

/// The next renewal is treated so.
async fn next_renewal(stage: &Stage, how: Value) -> Result {
    let mut fault = json!({ "endpoint": "token", "grant": "refresh_token", "times": 1 });
    fault.as_object_mut().context("an object")?.extend(how.as_object().cloned().unwrap_or_default());
    stage.provider().fault(fault).await
}

/// Waits until so many renewals have arrived at the provider, answered or not.
async fn arrived(stage: &Stage, times: usize) -> Result {
    eventually(format!("waiting for renewal {times}"), async || {
        let seen = renewals(stage).await?.len();
        if seen >= times { Ok(()) } else { None.context(format!("{seen} so far")) }
    })
    .await
}

async fn is_well(tab: &Tab) -> Result {
    SignedInPage::wait(tab).await?;
    assert!(!tab.has("[data-error-code]").await?, "{}", tab.describe().await);
    Ok(())
}

async fn rt_14_a_clock_that_jumps_ahead_costs_one_renewal(stage: Stage) -> Result {
    let tab = signed_in(&stage, "").await?;
    jump(&tab, 3700).await?;
    // It is told in every way that there is, again and again.
    for _ in 0..5 {
        wake(&tab).await?;
        tab.eval("dispatchEvent(new Event('online'))", &[]).await?;
    }
    until_generation(&tab, 1).await?;
    renewed(&stage, 1).await?;
    is_well(&tab).await?;
    only_a_session_is_kept(&tab).await
}

async fn rt_14_a_clock_that_is_set_back_revives_nothing(stage: Stage) -> Result {
    // Userinfo has failed, so that there is a button that would use the token.
    stage.provider().fault(json!({ "endpoint": "userinfo", "times": 1, "status": 400, "body": "{}" })).await?;
    let tab = signed_in(&stage, "").await?;
    let page = SignedInPage::wait(&tab).await?;
    page.userinfo_failed_by().await?;
    next_renewal(&stage, json!({ "status": 429, "body": "{}" })).await?;
    jump(&tab, 3700).await?;
    wake(&tab).await?;
    arrived(&stage, 1).await?;
    eventually("waiting for the words".to_owned(), async || {
        let words = renewal_words(&tab).await?;
        if words.contains("made again") { Ok(()) } else { None.context(words) }
    })
    .await?;
    jump(&tab, -3700).await?;
    let asked = stage.provider().requests_to("GET", USERINFO).await?.len();
    page.try_userinfo_again().await?;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(stage.provider().requests_to("GET", USERINFO).await?.len(), asked, "an ended token was used");
    is_well(&tab).await?;
    // The next attempt comes after its half minute, not after an hour, and the button's wish with it.
    sleep(Duration::from_secs(25)).await;
    arrived(&stage, 2).await?;
    until_generation(&tab, 1).await?;
    assert_eq!(page.userinfo("sub").await?, page.subject().await?);
    renewed(&stage, 2).await?;
    Ok(())
}

async fn rt_14_a_machine_that_slept_renews_once(stage: Stage) -> Result {
    let tab = signed_in(&stage, "").await?;
    let copy = duplicate_with_clock(&stage, &tab).await?;
    for tab in [&tab, &copy] {
        freeze(tab).await?;
        jump(tab, 8 * 3600).await?;
    }
    for tab in [&tab, &copy] {
        thaw(tab).await?;
        wake(tab).await?;
    }
    for tab in [&tab, &copy] {
        until_generation(tab, 1).await?;
        is_well(tab).await?;
    }
    renewed(&stage, 1).await?;
    Ok(())
}

async fn duplicate_with_clock(stage: &Stage, tab: &Tab) -> Result<Tab> {
    let copy = copy_of(tab, stage).await?;
    clock::install(&copy).await?;
    copy.goto(&stage.site()).await?;
    SignedInPage::wait(&copy).await?;
    Ok(copy)
}

async fn rt_14_timers_that_never_come_are_not_needed(stage: Stage) -> Result {
    // Of a hidden page, any timer may be late by any amount: here those of more than a second never come.
    let throttled = "const real = setTimeout; window.setTimeout = (run, ms, ...rest) =>
        real(run, ms > 1000 && ms < 14000 || ms > 16000 ? 2 ** 30 : ms, ...rest);";
    let tab = signed_in(&stage, throttled).await?;
    jump(&tab, 3700).await?;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(renewals(&stage).await?.len(), 0, "nothing has told the page");
    wake(&tab).await?;
    until_generation(&tab, 1).await?;
    renewed(&stage, 1).await?;
    is_well(&tab).await
}

async fn rt_14_a_page_out_of_the_browsers_memory_renews_once(stage: Stage) -> Result {
    stage.gateway().rule(BASE, Rule::Header(CACHE_CONTROL, HeaderValue::from_static("max-age=0")));
    let watch = "addEventListener('pageshow', event => { window.persisted = event.persisted })";
    let tab = signed_in(&stage, watch).await?;
    jump(&tab, 3700).await?;
    tab.goto(&format!("{}/", stage.provider().origin())).await?;
    assert_eq!(renewals(&stage).await?.len(), 0);
    tab.back().await?;
    until_generation(&tab, 1).await?;
    assert_eq!(tab.eval("return window.persisted", &[]).await?, Value::Bool(true));
    renewed(&stage, 1).await?;
    is_well(&tab).await
}

/// Keeps the name of the lock that the app asks for where a test can read it.
const NOTE_LOCK: &str = "const request = LockManager.prototype.request;
    LockManager.prototype.request = function (name, ...rest) { window.lockName = name; return request.call(this, name, ...rest) };";

async fn rt_18_a_lock_that_is_never_given_back_is_waited_for_twenty_seconds(stage: Stage) -> Result {
    refuse_the_token(&stage).await?;
    let tab = signed_in(&stage, NOTE_LOCK).await?;
    until_generation(&tab, 1).await?;
    let name = tab.eval_text("return window.lockName", &[]).await?;
    // Another page of this origin takes it for ever.
    let other = stage.another_tab(&tab).await?;
    other.goto(&stage.site()).await?;
    other.eval("navigator.locks.request(arguments[0], () => new Promise(() => {})); return 1", &[&name]).await?;
    jump(&tab, 3700).await?;
    let since = Instant::now();
    wake(&tab).await?;
    sleep(Duration::from_secs(15)).await;
    assert_eq!(renewals(&stage).await?.len(), 1, "the lock is worth a wait");
    until_generation(&tab, 2).await?;
    let waited = since.elapsed();
    assert!((18..=24).contains(&waited.as_secs()), "{waited:?}");
    is_well(&tab).await
}

/// A copy of a tab that is no child of it: the browser gives it a process of its own.
async fn copy_apart(stage: &Stage, tab: &Tab) -> Result<Tab> {
    let held = session_records(tab).await?;
    let copy = stage.another_tab(tab).await?;
    clock::install(&copy).await?;
    copy.goto(&stage.empty_page()).await?;
    for (key, value) in &held {
        copy.eval("sessionStorage.setItem(arguments[0], arguments[1])", &[key, value]).await?;
    }
    Ok(copy)
}

/// A tab that has sent its refresh token, which the provider has not looked at, and a copy of it
/// whose page is not loaded yet.
async fn in_mid_renewal(stage: &Stage) -> Result<(Tab, Tab)> {
    let tab = signed_in(stage, "").await?;
    jump(&tab, 3700).await?;
    let copy = copy_apart(stage, &tab).await?;
    next_renewal(stage, json!({ "delay_ms": 6000, "drop": "before" })).await?;
    wake(&tab).await?;
    arrived(stage, 1).await?;
    Ok((tab, copy))
}

/// Waits until a tab goes on: with a new token, or by saying that its session is over.
async fn goes_on(tab: &Tab) -> Result<Duration> {
    let since = Instant::now();
    let end = since + Duration::from_secs(26);
    loop {
        let renewed = record(tab).await.is_ok_and(|record| record["generation"] == 1);
        if renewed || tab.has("[data-error-code=session_expired]").await? {
            return Ok(since.elapsed());
        }
        if Instant::now() > end {
            return None.context(format!("it waits for ever\n{}", tab.describe().await));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn rt_18_a_frozen_page_with_the_lock_stops_nobody(stage: Stage) -> Result {
    let (tab, copy) = in_mid_renewal(&stage).await?;
    freeze(&tab).await?;
    copy.goto(&stage.site()).await?;
    let waited = goes_on(&copy).await?;
    assert!(waited < Duration::from_secs(21), "{waited:?}");
    // It stands still in mid-request, and has lost nothing by that.
    thaw(&tab).await?;
    // It learns only now that its request was cut off.
    eventually("waiting for the failure".to_owned(), async || {
        let words = renewal_words(&tab).await?;
        if words.contains("failed") { Ok(()) } else { None.context(words) }
    })
    .await?;
    jump(&tab, 120).await?;
    wake(&tab).await?;
    until_generation(&tab, 1).await?;
    is_well(&tab).await?;
    renewed(&stage, 2).await?;
    Ok(())
}
async fn rt_18_a_killed_page_with_the_lock_stops_nobody(stage: Stage) -> Result {
    let (tab, copy) = in_mid_renewal(&stage).await?;
    copy.goto(&stage.site()).await?;
    sleep(Duration::from_millis(600)).await;
    assert_eq!(renewals(&stage).await?.len(), 1, "it leaves the token to the other");
    // Its process ends in an instant: no last words, and the only refresh token is gone with it.
    let _ = tokio::time::timeout(Duration::from_secs(5), tab.goto("chrome://crash")).await;
    let waited = goes_on(&copy).await?;
    assert!(waited < Duration::from_secs(23), "{waited:?}");
    tab.close().await?;
    assert!(copy.eval("return navigator.locks.query().then(all => all.held.length)", &[]).await? == json!(0));
    // The way on is there; the provider's clock has not jumped.
    jump(&copy, -3700).await?;
    if copy.has("#try-again").await? {
        copy.click("#try-again").await?;
    }
    pass_the_provider(&copy, "olive").await?;
    is_well(&copy).await
}

async fn rt_18_a_request_that_hangs_keeps_every_copy_alive(stage: Stage) -> Result {
    let tab = signed_in(&stage, "").await?;
    let copy = duplicate_with_clock(&stage, &tab).await?;
    next_renewal(&stage, json!({ "delay_ms": 60_000, "drop": "before" })).await?;
    for tab in [&tab, &copy] {
        jump(tab, 3700).await?;
    }
    for tab in [&tab, &copy] {
        wake(tab).await?;
    }
    arrived(&stage, 1).await?;
    // Fifteen seconds, and it is given up; nobody's session ends by that.
    sleep(Duration::from_secs(17)).await;
    for tab in [&tab, &copy] {
        is_well(tab).await?;
        jump(tab, 120).await?;
    }
    for tab in [&tab, &copy] {
        wake(tab).await?;
    }
    for tab in [&tab, &copy] {
        until_generation(tab, 1).await?;
        is_well(tab).await?;
    }
    renewed(&stage, 2).await?;
    Ok(())
}

async fn rt_18_a_browser_without_locks_renews_all_the_same(stage: Stage) -> Result {
    let none = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })";
    let tab = signed_in(&stage, none).await?;
    for (seconds, generation) in [(3700, 1), (3700, 2)] {
        jump(&tab, seconds).await?;
        wake(&tab).await?;
        until_generation(&tab, generation).await?;
    }
    renewed(&stage, 2).await?;
    is_well(&tab).await?;
    // What stands for the lock is the page alone; copies agree all the same.
    let copy = copy_of(&tab, &stage).await?;
    clock::install(&copy).await?;
    copy.before_every_page(none).await?;
    copy.goto(&stage.site()).await?;
    SignedInPage::wait(&copy).await?;
    for tab in [&tab, &copy] {
        jump(tab, 3700).await?;
    }
    for tab in [&tab, &copy] {
        wake(tab).await?;
    }
    for tab in [&tab, &copy] {
        until_generation(tab, 3).await?;
    }
    renewed(&stage, 3).await?;
    Ok(())
}
