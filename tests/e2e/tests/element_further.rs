//! What a page can do with `<polar-signin>` and its client beyond one sign-in: several identities, and going
//! on after a fault of ours.

use polar_signin_e2e::{
    Result, Stage,
    flows::nothing_is_kept,
    gateway::Rule,
    pages::Consent,
    suite,
    widget::{Element, WATCH_TAG, Widget, allow},
};
use serde_json::json;

suite![
    a_person_and_an_organization_are_signed_in_side_by_side,
    an_identity_that_is_nobodys_is_refused,
    after_a_trap_in_a_call_the_next_click_starts_anew,
    after_a_trap_that_nobody_called_the_session_is_found_again;
    chromium:
    it_serves_those_who_want_less_motion_their_own_colours_or_twice_the_size,
];

async fn watched(stage: &Stage) -> Result<Widget> {
    Widget::changed(stage, |page| page.replace("</title>", &format!("</title>{WATCH_TAG}"))).await
}

async fn a_person_and_an_organization_are_signed_in_side_by_side(stage: Stage) -> Result {
    let widget = watched(&stage).await?;
    let element = widget.signed_in(&stage).await?;
    let persons = "return element.client.accessToken().then(token => (window.persons = token, token.length > 20))";
    assert_eq!(element.eval(persons).await?, json!(true));
    element.eval("element.client.signIn({ add: true, organization: true }).catch(() => {})").await?;
    let consent = Consent::wait(&element.tab).await?;
    let one = consent.organizations().await?.swap_remove(0);
    consent.choose(&one).await?.decide("allow").await?;
    element.until("signed-in").await?;
    element.wait("there are two", "return element.identities.length === 2").await?;
    let whose = "return element.identities.map(({ id, active, session }) => [id, active, session.kind, session.organization?.id ?? null])";
    assert_eq!(element.eval(whose).await?, json!([[0, false, "user", null], [1, true, "user", one.id]]));
    let chosen = element.eval("return heard.filter(([name, id]) => name === 'polar-organization' && id === 'above')");
    assert_eq!(chosen.await?[0][2], json!(format!("{{\"id\":\"{}\"}}", one.id)));
    // Each has a token of its own, whoever is active.
    let tokens = "const both = id => element.client.accessToken({ identity: id });
        return Promise.all([both(0), both(1), element.accessToken()]).then(([a, b, active]) => [a === b, b === active])";
    assert_eq!(element.eval(tokens).await?, json!([false, true]));

    element.eval("heard.length = 0; element.client.switchTo(0)").await?;
    element.wait("the person is active", "return element.session.organization === undefined").await?;
    let chosen = element.eval("return heard.filter(([name]) => name === 'polar-organization')").await?;
    assert_eq!(chosen, json!([["polar-organization", "above", "{}"], ["polar-organization", "below", "{}"]]));
    // A reload knows all of that.
    element.tab.reload().await?;
    element.until("signed-in").await?;
    let states = "return element.identities.map(({ active }) => active)";
    assert_eq!(element.eval(states).await?, json!([true, false]));

    assert_eq!(element.eval("return element.signOut({ identity: 1 })").await?, json!("here"));
    assert_eq!(element.eval(states).await?, json!([true]));
    element.until("signed-in").await?;
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    nothing_is_kept(&element.tab).await
}

async fn an_identity_that_is_nobodys_is_refused(stage: Stage) -> Result {
    let widget = watched(&stage).await?;
    let element = widget.signed_in(&stage).await?;
    let refused = "const of = async promise => { try { await promise(); return 'done' } catch (error) { return `${error.code} ${error.about}` } };
        return Promise.all([1, 32, 256, -1, 0.5, '0', null, NaN, {}].flatMap(identity => [
            of(() => element.client.accessToken({ identity })),
            of(() => element.client.signOut({ identity })),
            of(async () => element.client.switchTo(identity)),
        ])).then(all => [...new Set(all)])";
    assert_eq!(element.eval(refused).await?, json!(["invalid_configuration identity"]));
    element.until("signed-in").await
}

/// A script of the page's, since a driver's may have globals of its own. After a call of `trap` the clock that
/// the core asks traps, once: as a fault of the core would.
const TRAP: &str = "window.trap = () => {
    const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
    const { t } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports;
    const { now } = Date;
    Date.now = () => { if (/_bg\\.wasm|wasm-function/.test(new Error().stack)) { Date.now = now; t(); } return now(); };
};";

async fn trapping(stage: &Stage) -> Result<Widget> {
    let scripts = format!("</title>{WATCH_TAG}<script src=\"trap.js\"></script>");
    let widget = Widget::changed(stage, |page| page.replace("</title>", &scripts)).await?;
    let script = Rule::Answer { status: 200, content_type: "text/javascript", body: TRAP.to_owned() };
    stage.gateway().rule("/trap.js", script);
    Ok(widget)
}

async fn after_a_trap_in_a_call_the_next_click_starts_anew(stage: Stage) -> Result {
    let widget = trapping(&stage).await?;
    let element = widget.open(&stage).await?;
    element.wait("it is ready", "return element.client.ready().then(() => true)").await?;
    // Not by keyboard or mouse: that a click is near would trap before the click does.
    element.eval("trap(); part('button').click()").await?;
    element.until("failed").await?;
    assert_eq!(element.eval("return [element.error.code, element.error.retryable]").await?, json!(["internal", true]));
    let said = element.eval("return heard.filter(([name, id]) => name === 'polar-error' && id === 'above').length");
    assert_eq!(said.await?, json!(1));
    element.wait("the fallback shows", "return element.querySelector('a').checkVisibility()").await?;
    // Also the other element's client is that one.
    element.other().until("failed").await?;
    element.press("button").await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    element.tab.browser().forget_console().await;
    Ok(())
}

async fn after_a_trap_that_nobody_called_the_session_is_found_again(stage: Stage) -> Result {
    let widget = trapping(&stage).await?;
    let element = widget.signed_in(&stage).await?;
    let token = "return element.client.accessToken()";
    let before = element.eval(token).await?;
    // What the browser calls: the page is looked at again.
    element.eval("trap(); dispatchEvent(new Event('online'))").await?;
    element.wait("it is noticed", "return element.error?.code === 'internal'").await?;
    // Nobody was signed out by that.
    element.until("signed-in").await?;
    assert_eq!(element.eval(token).await?, before);
    element.wait("it goes on", "return element.error === undefined && element.state === 'signed-in'").await?;
    let still = Element { tab: element.tab.clone(), id: "below" };
    still.press("sign-out").await?;
    element.until("signed-out").await?;
    element.tab.browser().forget_console().await;
    nothing_is_kept(&element.tab).await
}

async fn it_serves_those_who_want_less_motion_their_own_colours_or_twice_the_size(stage: Stage) -> Result {
    let widget = watched(&stage).await?;
    let element = widget.open(&stage).await?;
    let media = async |name: &str, value: &str| {
        let features = json!({ "features": [{ "name": name, "value": value }] });
        element.tab.cdp("Emulation.setEmulatedMedia", features).await
    };
    stage.provider().fault(json!({ "endpoint": "discovery", "delay_ms": 14000 })).await?;
    element.press("button").await?;
    element.until("working").await?;
    let moving =
        "return root.querySelector('.spinner').getAnimations().filter(it => it.playState === 'running').length";
    assert_eq!(element.eval(moving).await?, json!(1), "the spinner turns");
    media("prefers-reduced-motion", "reduce").await?;
    assert_eq!(element.eval(moving).await?, json!(0), "the spinner turns for those who do not want it");
    element.press("cancel").await?;
    element.until("signed-out").await?;
    stage.provider().clear_faults().await?;

    // Of a button whose colours are taken away its edge must remain.
    media("forced-colors", "active").await?;
    let edge = "const style = getComputedStyle(part('button'));
        return style.borderTopWidth === '1px' && style.borderTopStyle === 'solid' && style.borderTopColor !== style.backgroundColor";
    assert_eq!(element.eval(edge).await?, json!(true), "no edge in forced colours");
    media("forced-colors", "none").await?;

    // Letters of twice the size, on half a screen.
    let metrics = json!({ "width": 640, "height": 800, "deviceScaleFactor": 1, "mobile": false });
    element.tab.cdp("Emulation.setDeviceMetricsOverride", metrics).await?;
    let small = element.eval("return part('button').getBoundingClientRect().height").await?;
    let large =
        "document.documentElement.style.fontSize = '32px'; return part('button').getBoundingClientRect().height";
    let large = element.eval(large).await?;
    assert!(large.as_f64() >= small.as_f64().map(|small| small * 1.8), "{large} after {small}");
    let cut = "return [element, ...root.querySelectorAll('*')].filter(it => it.checkVisibility()).filter(it => {
        const { left, right } = it.getBoundingClientRect();
        return left < -0.5 || right > innerWidth + 0.5 || (it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).display !== 'inline') })
        .map(it => it.outerHTML)";
    assert_eq!(element.eval(cut).await?, json!([]));
    Ok(())
}
