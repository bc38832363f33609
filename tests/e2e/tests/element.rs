//! `<polar-signin>` on a page that is not ours: who uses it, and how it looks while they do.

use std::time::Duration;

use fantoccini::key::Key;
use polar_signin_e2e::{
    Failure, Result, Stage, axe,
    flows::{asked_for, codes_were_sent, nothing_is_kept, only_a_session_is_kept},
    gallery::show_on,
    pages::ProviderPage,
    suite,
    tab::eventually,
    widget::{Element, WATCH_TAG, Widget, allow},
};
use serde_json::json;

suite![
    cb_01_a_person_signs_in_on_a_page_of_somebody_elses,
    pm_01_a_person_signs_in_in_a_window,
    pm_08_a_window_that_is_closed_leaves_the_page_as_it_was,
    two_elements_share_a_session_and_its_end,
    an_element_that_is_moved_goes_on_and_one_that_is_removed_leads_nobody_away,
    the_link_works_in_another_tab_if_it_was_used_and_not_if_it_was_made_up,
    the_keyboard_is_enough,
    a_failure_is_said_and_tried_again,
    the_words_follow_the_page_the_attribute_and_the_owner,
    styles_leak_neither_in_nor_out;
    chromium:
    it_fits_every_screen_in_every_state,
];

async fn cb_01_a_person_signs_in_on_a_page_of_somebody_elses(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.open(&stage).await?;
    assert_eq!(element.text("button").await?, "Sign in with Polar (local demo)");
    assert!(!element.tab.text("#above").await?.contains("Polar\n"), "the fallback shows");
    element.click().await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    assert_eq!(element.tab.url().await?, widget.address);
    only_a_session_is_kept(&element.tab).await?;
    codes_were_sent(&stage, 1).await?;
    element.wait("userinfo is there", "return part('name')?.innerText === 'olive@example.com'").await?;
    assert_eq!(element.tab.text("#greeting").await?, "Hello, olive@example.com.");
    element.tab.click("#load").await?;
    element
        .wait(
            "the page has the organizations",
            "return document.querySelector('#organizations').innerText.trim() === 'Acme Tools'",
        )
        .await?;
    // A reload finds the session, without a moment in which nobody is there.
    element.tab.reload().await?;
    element.until("signed-in").await?;
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    assert_eq!(element.tab.text("#greeting").await?, "Nobody is signed in.");
    nothing_is_kept(&element.tab).await
}

async fn pm_01_a_person_signs_in_in_a_window(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, |page| page.replace("id=\"above\"", "id=\"above\" mode=\"popup\"")).await?;
    let element = widget.open(&stage).await?;
    let before = element.tab.browser().windows().await?;
    let popup = element.click_for_window().await?;
    assert_eq!(element.text("status").await?, "Go on in the window that has opened.");
    let consent = ProviderPage::wait(&popup).await?.person("olive").await?;
    // The window closes itself, perhaps before the driver has its answer.
    let _ = consent.decide("allow").await;
    element.until("signed-in").await?;
    // The page was never left.
    assert_eq!(element.tab.url().await?, widget.address);
    only_a_session_is_kept(&element.tab).await?;
    codes_were_sent(&stage, 1).await?;
    only_these(&element, &before).await?;
    element.press("sign-out").await?;
    element.until("signed-out").await
}

async fn pm_08_a_window_that_is_closed_leaves_the_page_as_it_was(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, |page| {
        page.replace("<polar-signin", "<polar-signin mode=\"popup\"")
            .replace("</title>", &format!("</title>{WATCH_TAG}"))
    });
    let widget = widget.await?;
    let element = widget.open(&stage).await?;
    let before = element.tab.browser().windows().await?;
    element.click().await?;
    element.waits_for_window().await?;
    // The keyboard is the window's by now.
    element.eval("part('cancel').click()").await?;
    element.until("signed-out").await?;
    only_these(&element, &before).await?;
    nothing_is_kept(&element.tab).await?;
    let popup = element.click_for_window().await?;
    ProviderPage::wait(&popup).await?;
    // Nobody closes it faster than it is seen.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    popup.close().await?;
    element.wait("the window's end is noticed", "return element.client.view.working === undefined").await?;
    // Whoever closes a window knows it: nothing is said, and the button is there.
    assert_eq!(element.text("error").await?, "");
    assert_eq!(element.text("button").await?, "Sign in with Polar (local demo)");
    assert_eq!(element.eval("return heard.filter(([name]) => name === 'polar-error').length").await?, json!(0));
    Ok(())
}

async fn two_elements_share_a_session_and_its_end(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.signed_in(&stage).await?;
    let other = element.other();
    other.until("signed-in").await?;
    codes_were_sent(&stage, 1).await?;
    let same = "return element.client === document.getElementById('below').client";
    assert_eq!(element.eval(same).await?, json!(true));
    // A third one, made by a script, has it at once.
    element.eval("const third = element.cloneNode(false); third.id = 'third'; document.body.append(third)").await?;
    Element { tab: element.tab.clone(), id: "third" }.until("signed-in").await?;
    other.press("sign-out").await?;
    element.until("signed-out").await?;
    other.until("signed-out").await
}

async fn an_element_that_is_moved_goes_on_and_one_that_is_removed_leads_nobody_away(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.open(&stage).await?;
    // The metadata lets itself be waited for, so that there is time.
    stage.provider().fault(json!({ "endpoint": "discovery", "delay_ms": 2500 })).await?;
    element.click().await?;
    element.until("working").await?;
    element.eval("document.querySelector('main').append(element)").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    element.until("working").await?;
    element.eval("window.kept = element; element.remove()").await?;
    element.tab.until("it has given up", "return window.kept.state === 'signed-out'", &[]).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(element.tab.url().await?, widget.address);
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    nothing_is_kept(&element.tab).await?;
    // Back again, it is as good as new.
    stage.provider().clear_faults().await?;
    element.eval("document.body.prepend(window.kept)").await?;
    // `eval` looks for it by its id again.
    element.until("signed-out").await?;
    element.click().await?;
    allow(&element.tab).await?;
    element.until("signed-in").await
}

async fn the_link_works_in_another_tab_if_it_was_used_and_not_if_it_was_made_up(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.open(&stage).await?;
    let link = element.eval("return part('button').href").await?;
    let link = link.as_str().unwrap_or_default().to_owned();
    assert!(link.starts_with(&format!("{}#", widget.address)), "{link}");
    // Somebody sends the address around, or a bookmark has it: nothing happens, and it leaves no trace.
    let stranger = stage.another_tab(&element.tab).await?;
    stranger.goto(&link).await?;
    let of_stranger = Element { tab: stranger.clone(), id: "above" };
    of_stranger.until("signed-out").await?;
    of_stranger.wait("it has the focus", "return document.activeElement === element").await?;
    assert_eq!(stranger.url().await?, widget.address);
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    // The same address, after the person has used the link so.
    element.eval("part('button').dispatchEvent(new PointerEvent('pointerdown', { button: 1 }))").await?;
    let opened = stage.another_tab(&element.tab).await?;
    opened.goto(&link).await?;
    allow(&opened).await?;
    Element { tab: opened, id: "above" }.until("signed-in").await?;
    // Once.
    let again = stage.another_tab(&element.tab).await?;
    again.goto(&link).await?;
    let again = Element { tab: again, id: "above" };
    again.wait("it has the focus", "return document.activeElement === element").await?;
    again.until("signed-out").await
}

async fn the_keyboard_is_enough(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.open(&stage).await?;
    element.tab.press(Key::Tab).await?;
    element
        .wait(
            "the link has the focus",
            "return root.activeElement === part('button') && root.activeElement !== undefined",
        )
        .await?;
    element.tab.press(Key::Enter).await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    // Signing out takes the button away that had the focus: it goes to the next one.
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    element
        .wait("the focus stays in it", "return root.activeElement === part('button') && part('button') !== undefined")
        .await
}

async fn a_failure_is_said_and_tried_again(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, |page| page.replace("</title>", &format!("</title>{WATCH_TAG}"))).await?;
    let element = widget.open(&stage).await?;
    element.click().await?;
    ProviderPage::wait(&element.tab).await?.person("olive").await?.decide("deny").await?;
    element.until("failed").await?;
    assert_eq!(element.text("error").await?, "You did not allow it, so nothing was handed over.");
    assert_eq!(element.eval("return part('error').getAttribute('role')").await?, json!("alert"));
    assert_eq!(element.tab.text("#greeting").await?, "That did not work (access_denied).");
    assert_eq!(element.text("button").await?, "Try again");
    let heard = element.eval("return heard.filter(([name, id]) => name === 'polar-error' && id === 'above')").await?;
    assert_eq!(
        heard,
        json!([["polar-error", "above", r#"{"code":"access_denied","phase":"authorization","retryable":true}"#]])
    );
    stage.provider().fault(json!({ "endpoint": "token", "times": 1, "status": 503, "body": "" })).await?;
    element.press("button").await?;
    allow(&element.tab).await?;
    element.until("failed").await?;
    element.press("button").await?;
    // The provider remembers by now.
    element.until("signed-in").await?;
    assert_eq!(element.text("error").await?, "");
    asked_for(&stage, "POST", "/v1/oauth2/token", 2).await
}

async fn the_words_follow_the_page_the_attribute_and_the_owner(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, |page| page.replace("<html lang=\"en\">", "<html lang=\"de-AT\">")).await?;
    let element = widget.open(&stage).await?;
    assert_eq!(element.text("button").await?, "Mit Polar (local demo) anmelden");
    element.eval("element.locale = 'ar'").await?;
    assert_eq!(element.text("button").await?, "تسجيل الدخول باستخدام Polar (local demo)");
    assert_eq!(element.eval("return getComputedStyle(part('base')).direction").await?, json!("rtl"));
    // A language that the table does not have: the page's.
    element.eval("element.locale = 'tlh'").await?;
    assert_eq!(element.text("button").await?, "Mit Polar (local demo) anmelden");
    element.eval("element.texts = { signIn: 'Open <b>{}</b> $& now' }").await?;
    assert_eq!(element.text("button").await?, "Open <b>Polar (local demo)</b> $& now");
    Ok(())
}

async fn styles_leak_neither_in_nor_out(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.open(&stage).await?;
    let look = "const style = getComputedStyle(part('button'));
        return [style.color, style.padding, style.fontFamily, style.letterSpacing, style.textTransform].join()";
    let before = element.eval(look).await?;
    let outside = "const it = document.createElement('button'); it.className = 'button plain error'; document.body.append(it);
        const style = getComputedStyle(it); const look = [style.color, style.padding, style.borderRadius].join(); it.remove(); return look";
    let page = element.eval(outside).await?;
    element
        .eval(
            "const sheet = new CSSStyleSheet();
            sheet.replaceSync('a, button, span, .button { color: red !important; padding: 50px !important; }' +
                'body { letter-spacing: 9px; text-transform: uppercase; text-align: right; font: 40px fantasy }');
            document.adoptedStyleSheets = [sheet];",
        )
        .await?;
    assert_eq!(element.eval(look).await?, before);
    // What is meant for the page's own parts reaches it; a variable does so too.
    element.eval("document.adoptedStyleSheets[0].replaceSync('#above { --polar-signin-accent: rgb(1, 2, 3) } #above::part(button) { padding: 7px }')").await?;
    let set = "const style = getComputedStyle(part('button')); return [style.backgroundColor, style.padding]";
    assert_eq!(element.eval(set).await?, json!(["rgb(1, 2, 3)", "7px"]));
    element
        .eval("document.adoptedStyleSheets = []; element.remove(); document.getElementById('below').remove()")
        .await?;
    assert_eq!(element.tab.eval(outside, &[]).await?, page);
    Ok(())
}

async fn it_fits_every_screen_in_every_state(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.open(&stage).await?;
    look(&element, "signed-out").await?;
    stage.provider().fault(json!({ "endpoint": "discovery", "delay_ms": 14000 })).await?;
    element.press("button").await?;
    element.until("working").await?;
    look(&element, "working").await?;
    element.press("cancel").await?;
    element.until("signed-out").await?;
    stage.provider().clear_faults().await?;
    element.press("button").await?;
    ProviderPage::wait(&element.tab).await?.person("olive").await?.decide("deny").await?;
    element.until("failed").await?;
    look(&element, "failed").await?;
    element.eval("element.locale = 'ar'").await?;
    look(&element, "failed-ar").await?;
    element.eval("element.locale = undefined").await?;
    element.press("button").await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    element.wait("userinfo is there", "return part('name')?.innerText === 'olive@example.com'").await?;
    look(&element, "signed-in").await
}

/// Waits until these windows alone are there: one is closed in a browser's own time.
async fn only_these(element: &Element, windows: &[fantoccini::wd::WindowHandle]) -> Result {
    eventually("waiting for the window to go".to_owned(), async || match element.tab.browser().windows().await? {
        now if now == windows => Ok(()),
        now => Err(Failure::new(format!("{} windows", now.len()))),
    })
    .await
}

/// That nothing of it is wider than the screen, or too small for a finger.
async fn look(element: &Element, view: &str) -> Result {
    for (width, scheme) in [(320, "light"), (360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")] {
        show_on(&element.tab, width, scheme).await?;
        let outside = "return [element, ...root.querySelectorAll('*')].filter(it => it.checkVisibility())
            .filter(it => { const { left, right } = it.getBoundingClientRect(); return left < -0.5 || right > innerWidth + 0.5 })
            .map(it => it.outerHTML)";
        assert_eq!(element.eval(outside).await?, json!([]), "{view} at {width}");
        let small = "return [...root.querySelectorAll('a, button')].filter(it => it.checkVisibility())
            .filter(it => it.getBoundingClientRect().height < 44).map(it => it.outerHTML)";
        assert_eq!(element.eval(small).await?, json!([]), "{view} at {width}");
        if let Some(folder) = std::env::var_os("E2E_ALL_PICTURES") {
            let file = std::path::PathBuf::from(folder).join(format!("element-{view}-{width}-{scheme}.png"));
            std::fs::write(file, element.tab.screenshot().await?)?;
        }
        axe::finds_nothing(&element.tab, "html", &format!("{view}, {width}, {scheme}")).await?;
    }
    Ok(())
}
