//! `<polar-signin>` in a page that is inside another one: nothing there, unless it names whose page that is.

use std::time::Duration;

use polar_signin_e2e::{
    Result, Stage, Tab,
    flows::{codes_were_sent, nothing_is_kept, only_a_session_is_kept},
    gateway::Rule,
    hygiene::{Secrets, session_records},
    pages::ProviderPage,
    suite,
    widget::{Element, Widget},
};
use serde_json::{Value, json};

suite![
    pm_14_in_somebodys_frame_it_does_nothing,
    pm_14_in_a_frame_in_a_frame_it_does_nothing,
    pm_14_the_page_that_is_named_hears_the_state_and_nothing_else,
    pm_14_a_page_in_a_frame_is_not_left,
    pm_11_a_window_that_a_stranger_names_so_is_not_ours,
];

/// A page of another origin. It keeps what it is told, and asks for everything.
const AROUND: &str = "<!doctype html><title>around</title><style>iframe { width: 30rem; height: 30rem }</style><script>
    window.heard = [];
    addEventListener('message', ({ data, origin }) => heard.push([data, origin]));
    window.ask = frame => {
        for (const wanted of ['token', 'access_token', 'session', 'status', 'parent', 'callback']) {
            for (const type of [wanted, 'polar-signin:' + wanted]) {
                frame.postMessage({ v: 1, type, query: 'code=polar_ac_x&state=' + 's'.repeat(43) }, '*');
            }
        }
    };
    </script>";

/// The page with the element in a frame of one with this address's host, and that one's tab.
async fn framed(stage: &Stage, address: &str) -> Result<(Tab, Element)> {
    let door = stage.gateway();
    let frame = |url: &str| format!("{AROUND}<iframe src='{url}'></iframe>");
    let answer = |body| Rule::Answer { status: 200, content_type: "text/html", body };
    door.rule("/around.html", answer(frame(address)));
    door.rule("/outermost.html", answer(frame("around.html")));
    let tab = stage.tab().await?;
    let around = format!("{}/around.html", stranger(stage));
    tab.goto(&around).await?;
    let element = Element { tab: tab.frame(0), id: "above" };
    element.wait("the page in the frame is there", "return Boolean(element?.shadowRoot)").await?;
    Ok((tab, element))
}

/// The door under its other name: another origin, and another site.
fn stranger(stage: &Stage) -> String {
    stage.gateway().origin().replace("localhost", "127.0.0.1")
}

async fn does_nothing(element: &Element, what: &str) -> Result {
    assert_eq!(element.text("error").await?, "Signing in does not work inside another page.", "{what}");
    assert_eq!(element.text("button").await?, "", "{what}: there is something to press");
    let calls = "const said = promise => promise.then(() => 'done', error => error.code);
        const { client } = element; client.dismissError();
        return Promise.all([element.signIn(), element.signIn({ mode: 'popup' }), element.accessToken(), element.signOut(),
            client.ready(), client.organizations(), element.fetch(location.href)].map(said))";
    assert_eq!(element.eval(calls).await?, json!(vec!["framed"; 7]), "{what}");
    assert_eq!(element.text("button").await?, "", "{what}: there is something to press afterwards");
    let fetched = "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.wasm')).length";
    assert_eq!(element.eval(fetched).await?, json!(0), "{what}");
    Ok(())
}

async fn pm_14_in_somebodys_frame_it_does_nothing(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let (tab, element) = framed(&stage, &widget.address).await?;
    does_nothing(&element, "no parent is named").await?;
    let stranger = stranger(&stage);
    let other_port = stranger.rsplit_once(':').map(|(host, _)| format!("{host}:1")).unwrap_or_default();
    let others = [
        stranger.replace("http:", "https:"),
        stranger.replace("127.0.0.1", "127.0.0.10"),
        stage.gateway().origin(),
        other_port,
        "https://127.0.0.1.evil.example".to_owned(),
    ];
    for origin in others {
        let script = format!(
            "document.getElementById('other')?.remove();
            const other = element.cloneNode(false); other.id = 'other';
            other.setAttribute('parent-origins', '{origin}'); document.body.append(other);"
        );
        element.eval(&script).await?;
        does_nothing(&Element { tab: element.tab.clone(), id: "other" }, &origin).await?;
    }
    // What is no origin is no setting.
    for wrong in [format!("{stranger}/"), "*".to_owned(), "null".to_owned(), "http://evil.example".to_owned()] {
        let script = format!(
            "document.getElementById('other')?.remove();
            const other = element.cloneNode(false); other.id = 'other';
            other.setAttribute('parent-origins', '{wrong}'); document.body.append(other);
            return [other.error.code, other.error.about]"
        );
        assert_eq!(element.eval(&script).await?, json!(["invalid_configuration", "parentOrigins"]), "{wrong}");
    }
    tab.eval("ask(frames[0])", &[]).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(tab.eval("return heard", &[]).await?, json!([]));
    // It would have heard.
    element.eval("parent.postMessage('control', '*')").await?;
    tab.until("what anybody may hear", "return heard.length === 1 && heard[0][0] === 'control'", &[]).await?;
    let asked = stage.provider().requests().await?;
    assert!(asked.iter().all(|seen| seen.path == "/v1/oauth2/register"), "{asked:?}");
    Ok(())
}

async fn pm_14_in_a_frame_in_a_frame_it_does_nothing(stage: Stage) -> Result {
    let stranger_origin = stranger(&stage);
    let widget = named(&stage, &stranger_origin).await?;
    let (tab, element) = framed(&stage, &widget.address).await?;
    element.until("signed-out").await?;
    // The same two, with one more around them.
    tab.goto(&format!("{stranger_origin}/outermost.html")).await?;
    // With all that is in it: a page is complete when its frames are.
    let complete = "return frames[0]?.document.readyState === 'complete'";
    tab.until("the frame in the frame is there", complete, &[]).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(tab.eval("return frames[0].heard", &[]).await?, json!([]), "it tells its state");
    Ok(())
}

/// The page that names an origin which may be around it.
async fn named(stage: &Stage, origin: &str) -> Result<Widget> {
    let named = format!("id=\"above\" parent-origins=\"{origin}\"");
    Widget::changed(stage, move |page| page.replace("id=\"above\"", &named)).await
}

async fn pm_14_the_page_that_is_named_hears_the_state_and_nothing_else(stage: Stage) -> Result {
    let around = stranger(&stage);
    let widget = named(&stage, &around).await?;
    let (tab, element) = framed(&stage, &widget.address).await?;
    element.until("signed-out").await?;
    assert_eq!(element.text("error").await?, "");
    let popup = element.click_for_window().await?;
    tab.eval("ask(frames[0])", &[]).await?;
    assert_eq!(element.eval("return location.href").await?, json!(widget.address), "the frame was left");
    let consent = ProviderPage::wait(&popup).await?.person("olive").await?;
    let at_provider = "return [window === top, opener === null, location.pathname]";
    let seen = popup.eval(at_provider, &[]).await?;
    assert_eq!((&seen[0], &seen[2]), (&json!(true), &json!("/oauth2/authorize")), "{seen}");
    // The window closes itself, perhaps before the driver has its answer.
    let _ = consent.decide("allow").await;
    element.until("signed-in").await?;
    only_a_session_is_kept(&element.tab).await?;
    codes_were_sent(&stage, 1).await?;
    let mut secrets = Secrets::of_provider(&stage).await?;
    secrets.add_kept(&element.tab).await?;
    assert!(secrets.kinds().contains("access_token"));
    tab.eval("ask(frames[0])", &[]).await?;
    let provider = stage.provider().origin();
    let ask = format!("return element.fetch('{provider}/v1/organizations/').then(answer => answer.status)");
    assert_eq!(element.eval(&ask).await?, json!(200));
    assert_eq!(element.tab.browser().windows().await?.len(), 1, "the window is still there");

    // In this tab the site itself has nothing: what the frame keeps is the frame's.
    assert_eq!(session_records(&tab).await?, []);
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    nothing_is_kept(&element.tab).await?;
    assert_eq!(element.eval("return location.href").await?, json!(widget.address), "the frame was left");
    let heard = tab.eval("return heard", &[]).await?;
    secrets.not_in(&heard.to_string(), "what the page around heard")?;
    let mut states = Vec::new();
    for message in heard.as_array().into_iter().flatten() {
        assert_eq!(message[1], json!(stage.gateway().origin()));
        let told = message[0].as_object().expect("an object");
        assert_eq!(told.keys().collect::<Vec<_>>(), ["status", "type"], "{heard}");
        assert_eq!(told["type"], json!("polar-signin:status"));
        states.push(told["status"].clone());
    }
    assert_eq!(Value::from(states), json!(["signed-out", "working", "signed-in", "signed-out"]));
    Ok(())
}

async fn pm_14_a_page_in_a_frame_is_not_left(stage: Stage) -> Result {
    let widget = named(&stage, &stranger(&stage)).await?;
    let (_, element) = framed(&stage, &widget.address).await?;
    element.until("signed-out").await?;
    let redirect = "return element.signIn({ mode: 'redirect' }).then(() => 'done', error => error.code)";
    assert_eq!(element.eval(redirect).await?, json!("framed"));
    // Nor where no window can be had.
    element.eval("window.open = () => null").await?;
    element.click().await?;
    element.wait("it says so", "return element.error?.code === 'popup_blocked'").await?;
    assert_eq!(element.text("redirect").await?, "");
    assert_eq!(element.text("button").await?, "Try again");
    assert_eq!(element.eval("return location.href").await?, json!(widget.address));
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    nothing_is_kept(&element.tab).await
}

async fn pm_11_a_window_that_a_stranger_names_so_is_not_ours(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let (tab, _) = framed(&stage, &widget.address).await?;
    tab.goto(&format!("{}/outermost.html", stranger(&stage))).await?;
    tab.until("the frame is there", "return frames[0]?.ask !== undefined", &[]).await?;
    let response = format!("{}?code=polar_ac_x&state={}", widget.address, "s".repeat(43));
    let before = tab.browser().windows().await?;
    // By a page, and by one in a frame, as ours would be.
    for opener in ["window", "frames[0]"] {
        tab.eval(&format!("{opener}.open(arguments[0], 'polar-signin:window:' + Math.random())"), &[&response]).await?;
    }
    let windows = tab.browser().windows().await?;
    assert_eq!(windows.len(), before.len() + 2);
    for handle in windows.into_iter().filter(|window| !before.contains(window)) {
        let victim = Element { tab: Tab::new(tab.browser().clone(), handle), id: "above" };
        victim.until("signed-out").await?;
        assert_eq!(victim.eval("return element.client.view.inPopup").await?, json!(false));
        assert_eq!(victim.tab.url().await?, response, "somebody else's response was touched");
        assert_eq!(session_records(&victim.tab).await?, []);
        victim.tab.close().await?;
    }
    assert_eq!(tab.eval("return heard", &[]).await?, json!([]));
    codes_were_sent(&stage, 0).await
}
