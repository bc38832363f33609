//! Signing in in a window of its own, on a page with `<polar-signin mode="popup">`.

use std::time::{Duration, Instant};

use hyper::header::{HeaderName, HeaderValue};
use polar_signin_e2e::{
    Context, Result, Stage,
    flows::{codes_were_sent, kept, nothing_is_kept, only_a_session_is_kept},
    gateway::Rule,
    pages::ProviderPage,
    settings::{Engine, Settings},
    suite,
    tab::eventually,
    widget::{Element, Widget, allow},
};
use serde_json::json;

suite![
    pm_05_whoever_opens_or_frames_the_callback_receives_nothing,
    pm_07_a_provider_that_cuts_the_window_off,
    pm_07_pm_08_a_site_that_cuts_the_window_off_at_the_end,
    pm_08_a_page_whose_browser_opens_no_window,
    pm_09_the_window_keeps_nothing_of_what_was_copied_into_it,
    pm_10_a_provider_that_answers_nothing_of_use,
    pm_12_nothing_is_asked_in_a_frame_or_silently,
];

/// Keeps the windows that the page opens, notes frames and what was found in the storage; and leaves the
/// callback's window open if the page says so.
const SCRIPT: &str = "
    window.found = Object.keys(sessionStorage).map(key => key.split(':').at(-1)).sort().join();
    window.opened = [];
    const open = window.open;
    window.open = (...all) => { const it = open.apply(window, all); opened.push(it); return it; };
    window.frames_made = 0;
    const make = Document.prototype.createElement;
    Document.prototype.createElement = function (name, ...all) {
        if (/frame/i.test(name)) frames_made += 1;
        return make.call(this, name, ...all);
    };
    if (document.documentElement.dataset.stays && sessionStorage.getItem('polar-signin:v1:popup')) window.close = () => {};";

/// Whether the callback's window closes as it should.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    Closes,
    Stays,
}

async fn page(stage: &Stage, window: Window) -> Result<Widget> {
    let stays = if window == Window::Stays { " data-stays=\"1\"" } else { "" };
    let widget = Widget::changed(stage, |page| {
        page.replace("<polar-signin", "<polar-signin mode=\"popup\"")
            .replace("lang=\"en\"", &format!("lang=\"en\"{stays}"))
            .replace("</title>", "</title><script src=\"popup.js\"></script><script src=\"slow.js\"></script>")
    });
    let widget = widget.await?;
    let script = |body: &str| Rule::Answer { status: 200, content_type: "text/javascript", body: body.to_owned() };
    stage.gateway().rule("/popup.js", script(SCRIPT));
    stage.gateway().rule("/slow.js", script(""));
    Ok(widget)
}

async fn only_this_window(element: &Element) -> Result {
    eventually("waiting for the window to close".to_owned(), async || {
        (element.tab.browser().windows().await?.len() == 1).then_some(()).context("it is open")
    })
    .await
}

async fn is_cut_off(element: &Element) -> Result {
    element.wait("the window looks closed", "return opened.at(-1).closed").await
}

async fn pm_05_whoever_opens_or_frames_the_callback_receives_nothing(stage: Stage) -> Result {
    let widget = page(&stage, Window::Stays).await?;
    let element = widget.open(&stage).await?;
    let attacker = element.tab.clone();
    let elsewhere = format!("{}/polar-signin.js", widget.package);
    let response = format!("{}?code=polar_ac_x&state={}", widget.address, "s".repeat(43));
    for marked in [false, true] {
        attacker.goto(&elsewhere).await?;
        let before = attacker.browser().windows().await?;
        let open = "window.heard = []; addEventListener('message', event => heard.push(event.data));
            window.victim = window.open(arguments[0])";
        attacker.eval(open, &[if marked { &widget.address } else { &response }]).await?;
        let victim = Element { tab: element.tab.browser().opened_since(&before).await?, id: "above" };
        if marked {
            // As if the attacker had got hold of a window of a sign-in.
            victim.wait("the page is there", "return element !== null && document.readyState === 'complete'").await?;
            victim.eval("sessionStorage.setItem('polar-signin:v1:popup', '1')").await?;
            attacker.eval("victim.location = arguments[0]", &[&response]).await?;
            victim.wait("it takes itself for the window", "return element?.client?.view.inPopup").await?;
        } else {
            victim.wait("it has started", "return element?.client !== undefined").await?;
        }
        let frame = "const frame = document.createElement('iframe'); frame.src = arguments[0];
            document.documentElement.append(frame)";
        attacker.eval(frame, &[&response]).await?;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(attacker.eval("return heard", &[]).await?, json!([]), "marked: {marked}");
        // It would have heard.
        victim.tab.eval("opener.postMessage('control', '*')", &[]).await?;
        attacker.until("what anybody may hear", "return heard.join() === 'control'", &[]).await?;
        victim.tab.close().await?;
    }
    codes_were_sent(&stage, 0).await
}

async fn pm_07_a_provider_that_cuts_the_window_off(stage: Stage) -> Result {
    let widget = page(&stage, Window::Closes).await?;
    let element = widget.open(&stage).await?;
    let cut = json!({ "cross-origin-opener-policy": "same-origin" });
    stage.provider().fault(json!({ "endpoint": "authorize", "headers": cut })).await?;
    let popup = element.click_for_window().await?;
    let asks = ProviderPage::wait(&popup).await?;
    is_cut_off(&element).await?;
    // Longer than a closed window would take to be noticed.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    element.waits_for_window().await?;
    assert_eq!(element.text("cancel").await?, "Cancel");
    let consent = asks.person("olive").await?;
    let _ = consent.decide("allow").await;
    element.until("signed-in").await?;
    only_this_window(&element).await?;
    only_a_session_is_kept(&element.tab).await?;
    codes_were_sent(&stage, 1).await
}

/// The page of the site itself has the header, and is slow to say what it brings.
async fn pm_07_pm_08_a_site_that_cuts_the_window_off_at_the_end(stage: Stage) -> Result {
    let widget = page(&stage, Window::Closes).await?;
    let name = HeaderName::from_static("cross-origin-opener-policy");
    let value = HeaderValue::from_static("same-origin-allow-popups");
    stage.gateway().rule("/plain.html", Rule::Header(name, value));
    let element = widget.open(&stage).await?;
    let hold = stage.gateway().hold("/slow.js");
    let popup = element.click_for_window().await?;
    ProviderPage::wait(&popup).await?.person("olive").await?;
    // Seen at the provider, and open.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let at_once = element.eval("return opened[0].closed").await? == json!(true);
    // WebKit cuts it off as soon as it is at another origin. Then it is waited for all the time.
    assert_eq!(at_once, Settings::from_env()?.engine == Engine::WebKit);
    // The driver would wait for the page that is held up.
    popup
        .eval("setTimeout(() => document.querySelector('button[name=decision][value=allow]').click(), 50)", &[])
        .await?;
    is_cut_off(&element).await?;
    if at_once {
        element.waits_for_window().await?;
    } else {
        let since = Instant::now();
        element.wait("it no longer shows a wait", "return element.client.view.working === undefined").await?;
        assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
        nothing_is_kept(&element.tab).await?;
    }
    codes_were_sent(&stage, 0).await?;
    hold.release();
    element.until("signed-in").await?;
    only_this_window(&element).await?;
    only_a_session_is_kept(&element.tab).await?;
    codes_were_sent(&stage, 1).await
}

async fn pm_08_a_page_whose_browser_opens_no_window(stage: Stage) -> Result {
    let widget = page(&stage, Window::Closes).await?;
    let element = widget.open(&stage).await?;
    element.eval("window.open = () => null").await?;
    element.click().await?;
    element.wait("it says so", "return element.client.view.error?.code === 'popup_blocked'").await?;
    nothing_is_kept(&element.tab).await?;
    // What is offered in its place is the way by redirect.
    element.press("redirect").await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    codes_were_sent(&stage, 1).await
}

async fn pm_09_the_window_keeps_nothing_of_what_was_copied_into_it(stage: Stage) -> Result {
    let widget = page(&stage, Window::Stays).await?;
    let element = widget.open(&stage).await?;
    let again = "element.client.signIn({mode: 'popup', prompt: 'login'}).catch(() => {})";
    for (begins, found) in [("", "popup"), (again, "popup,session")] {
        let before = element.tab.browser().windows().await?;
        if begins.is_empty() {
            element.click().await?;
        } else {
            element.eval(begins).await?;
        }
        element.waits_for_window().await?;
        let popup = element.tab.browser().opened_since(&before).await?;
        let asks = ProviderPage::wait(&popup).await?;
        if begins.is_empty() {
            asks.person("olive").await?.decide("allow").await?;
        } else {
            // What she has allowed once is not asked again.
            popup.click("button[name=person][value=olive]").await?;
        }
        let window = Element { tab: popup, id: "above" };
        window.wait("it can be closed", "return element?.client?.view.inPopup").await?;
        element.until("signed-in").await?;
        assert_eq!(window.eval("return found").await?, json!(found), "what the window began with");
        assert_eq!(kept(&window.tab).await?, Vec::<String>::new());
        let rest = "return Object.keys(sessionStorage).concat(Object.keys(localStorage)).join()";
        assert_eq!(window.eval(rest).await?, json!("polar-signin:v1:popup"));
        assert_eq!(window.tab.url().await?, widget.address, "the response has left the address");
        // Nobody is shown there, also after a reload.
        for _ in 0..2 {
            window.wait("it can be closed", "return element?.client?.view.inPopup").await?;
            assert!(!window.tab.text("body").await?.contains("olive"));
            assert_eq!(window.eval("return element.session ?? null").await?, json!(null));
            window.tab.reload().await?;
        }
        window.tab.close().await?;
        only_a_session_is_kept(&element.tab).await?;
    }
    codes_were_sent(&stage, 2).await
}

async fn pm_10_a_provider_that_answers_nothing_of_use(stage: Stage) -> Result {
    let widget = page(&stage, Window::Closes).await?;
    let element = widget.open(&stage).await?;
    let faults = [
        json!({ "endpoint": "authorize", "times": 1, "status": 400, "body": "{\"error\":\"invalid_sub\"}" }),
        json!({ "endpoint": "authorize", "times": 1, "status": 429, "body": "" }),
        json!({ "endpoint": "authorize", "times": 1, "drop": "before" }),
    ];
    for fault in faults {
        stage.provider().fault(fault.clone()).await?;
        element.click_for_window().await?;
        tokio::time::sleep(Duration::from_millis(700)).await;
        element.waits_for_window().await.context(fault.to_string())?;
        assert_eq!(kept(&element.tab).await?.len(), 1);
        // No key: in Firefox the keyboard belongs to the window that has opened.
        assert_eq!(element.text("cancel").await?, "Cancel");
        element.eval("part('cancel').click()").await?;
        element.until("signed-out").await?;
        only_this_window(&element).await?;
        nothing_is_kept(&element.tab).await?;
    }
    // After that it works.
    let popup = element.click_for_window().await?;
    let consent = ProviderPage::wait(&popup).await?.person("olive").await?;
    let _ = consent.decide("allow").await;
    element.until("signed-in").await?;
    codes_were_sent(&stage, 1).await
}

async fn pm_12_nothing_is_asked_in_a_frame_or_silently(stage: Stage) -> Result {
    let widget = page(&stage, Window::Closes).await?;
    let element = widget.open(&stage).await?;
    let popup = element.click_for_window().await?;
    let consent = ProviderPage::wait(&popup).await?.person("olive").await?;
    let _ = consent.decide("allow").await;
    element.until("signed-in").await?;
    let frames = "return frames_made + document.querySelectorAll('iframe, frame').length + window.length";
    assert_eq!(element.eval(frames).await?, json!(0));
    element.tab.reload().await?;
    element.until("signed-in").await?;
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    element.tab.reload().await?;
    element.until("signed-out").await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(element.eval(frames).await?, json!(0));
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let silently = asked.iter().filter(|seen| seen.query.get("prompt").is_some_and(|prompt| prompt.contains("none")));
    assert_eq!((asked.is_empty(), silently.count()), (false, 0));
    Ok(())
}
