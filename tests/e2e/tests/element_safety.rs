//! What a page can do to `<polar-signin>`, and what that must not do to whoever signs in.

use std::fs;

use polar_signin_e2e::{
    Result, Stage,
    flows::{asked_for, nothing_is_kept},
    hygiene::Secrets,
    suite,
    widget::{Copy, WATCH_TAG, Widget, allow},
};
use serde_json::{Value, json};

suite![
    st_07_st_08_the_strictest_policy_has_nothing_to_say,
    st_13_a_prepared_prototype_changes_no_request,
    st_14_what_is_patched_later_sees_no_token_and_no_event_has_one,
    st_16_a_wasm_that_was_changed_does_not_run,
    pm_13_a_hostile_document_changes_nothing,
    pm_13_settings_are_read_once,
    pm_13_settings_that_are_not_known_make_it_inert,
    somebody_elses_response_is_left_alone,
    the_token_goes_nowhere_but_where_it_may,
];

#[expect(clippy::needless_pass_by_value, reason = "it is what changes a page")]
fn watched(page: String) -> String {
    page.replace("</title>", &format!("</title>{WATCH_TAG}"))
}

async fn st_07_st_08_the_strictest_policy_has_nothing_to_say(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, watched).await?;
    let element = widget.signed_in(&stage).await?;
    assert_eq!(element.eval("return violations").await?, json!([]));
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    element.eval("element.theme = 'dark'; element.mode = 'popup'; element.locale = 'ja'").await?;
    assert_eq!(element.eval("return violations").await?, json!([]));
    // The policy is not asleep.
    let refused =
        element.eval("try { document.body.innerHTML = 'x'; return 'allowed' } catch { return 'refused' }").await?;
    assert_eq!(refused, json!("refused"));
    element.wait("the refusal is heard", "return violations.length === 1").await?;
    // That was us.
    element.tab.browser().forget_console().await;
    Ok(())
}

async fn st_13_a_prepared_prototype_changes_no_request(stage: Stage) -> Result {
    const POLLUTE: &str = "
        for (const [name, value] of Object.entries({
            method: 'PUT', body: 'x', headers: { 'x-evil': '1' }, redirect: 'follow', credentials: 'include', mode: 'no-cors',
            cache: 'force-cache', integrity: 'sha256-AAAA', referrerPolicy: 'unsafe-url', bubbles: false, detail: 'evil',
            client_id: 'evil', scope: 'evil', prompt: 'none', then: undefined,
        })) Object.defineProperty(Object.prototype, name, { value, writable: true, configurable: true, enumerable: false });";
    let widget = Widget::changed(&stage, |page| {
        watched(page).replace("</title>", "</title><script src=\"pollute.js\"></script>")
    })
    .await?;
    let body = POLLUTE.to_owned();
    stage.gateway().rule(
        "/pollute.js",
        polar_signin_e2e::gateway::Rule::Answer { status: 200, content_type: "text/javascript", body },
    );
    let element = widget.signed_in(&stage).await?;
    element
        .wait("the organizations are there", "return element.client.organizations().then(reach => reach.total === 1)")
        .await?;
    let ours = |path: &str| path.starts_with("/v1/") || path.starts_with("/.well-known/");
    for seen in stage.provider().requests().await?.into_iter().filter(|seen| ours(&seen.path)) {
        assert!(!seen.headers.contains_key("x-evil") && !seen.headers.contains_key("cookie"), "{seen:?}");
        assert!(["GET", "POST", "OPTIONS"].contains(&seen.method.as_str()), "{seen:?}");
        assert!(!seen.query.iter().any(|(_, value)| value.contains("evil")), "{seen:?}");
    }
    let heard = element
        .eval("return heard.filter(([name]) => name === 'polar-signed-in').map(([, , detail]) => detail)")
        .await?;
    assert!(heard[0].as_str().is_some_and(|detail| detail.starts_with("{\"subject\":")), "{heard}");
    Ok(())
}

async fn st_14_what_is_patched_later_sees_no_token_and_no_event_has_one(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, watched).await?;
    let element = widget.open(&stage).await?;
    element.eval("return element.client.ready().then(() => true)").await?;
    element.click().await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    element
        .eval(
            "window.overheard = [];
            for (const [owner, name] of [[window, 'fetch'], [JSON, 'parse'], [JSON, 'stringify'], [crypto.constructor.prototype, 'getRandomValues']]) {
                const before = owner[name];
                owner[name] = function (...given) { let what; try { what = String(given[0]?.url ?? given[0]); } catch { what = Object.values(given[0]).join(); } overheard.push(name + what); return before.apply(this, given); };
            }",
        )
        .await?;
    let url = format!("{}/v1/users/me", stage.provider().origin());
    let script = format!("return element.fetch('{url}').then(answer => answer.status)");
    let status = element.eval(&script).await?;
    assert!(status == json!(200) || status == json!(403), "{status}");
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    let mut secrets = Secrets::of_provider(&stage).await?;
    secrets.add_kept(&element.tab).await?;
    assert!(secrets.kinds().contains("access_token"));
    let said = element.eval("return JSON.stringify([heard, overheard])").await?;
    let said = said.as_str().unwrap_or_default();
    assert!(said.contains("polar-signed-in") && said.contains("polar-signed-out"), "{said}");
    secrets.not_in(said, "an event or a patched function")?;
    assert!(!said.contains("fetchhttp"), "a patched fetch was used: {said}");
    Ok(())
}

async fn st_16_a_wasm_that_was_changed_does_not_run(stage: Stage) -> Result {
    let copy = Copy::new()?;
    let wasm = copy.file("_bg.wasm")?;
    let whole = fs::read(&wasm)?;
    let mut changed = whole.clone();
    // Valid as before: a custom section more.
    changed.extend([0, 2, 1, b'x']);
    fs::write(&wasm, changed)?;
    let widget = Widget::of(&stage, &copy.0, watched).await?;
    let element = widget.open(&stage).await?;
    element.click().await?;
    element.until("failed").await?;
    assert_eq!(element.eval("return element.error.code").await?, json!("load_failed"));
    // What was inside for this case is there.
    element.wait("the fallback shows", "return element.querySelector('a').checkVisibility()").await?;
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    // The browser says on the console what it refused.
    element.tab.browser().forget_console().await;
    // With the right one, the same page goes on.
    fs::write(&wasm, whole)?;
    element.press("button").await?;
    allow(&element.tab).await?;
    element.until("signed-in").await
}

async fn pm_13_a_hostile_document_changes_nothing(stage: Stage) -> Result {
    const HOSTILE: &str = "<img name=\"currentScript\" alt=\"\"><img name=\"createElement\" alt=\"\"><img name=\"documentElement\" alt=\"\">\
        <img name=\"baseURI\" alt=\"\"><img name=\"body\" alt=\"\"><img name=\"prerendering\" alt=\"\"><img name=\"addEventListener\" alt=\"\">\
        <img name=\"visibilityState\" alt=\"\"><img name=\"adoptedStyleSheets\" alt=\"\"><form id=\"config\"><input name=\"clientId\"></form>\
        <a id=\"polarAuth\" href=\"https://evil.example\"></a><a id=\"PolarSignin\"></a><a id=\"customElements2\"></a>\
        <form name=\"querySelector\"></form><a id=\"clientId\" href=\"https://evil.example\"></a>";
    let widget = Widget::changed(&stage, |page| {
        // The page's own script would stumble over them: it is not about that.
        watched(page)
            .replace("<body>", &format!("<body>{HOSTILE}"))
            .replace("<script type=\"module\" src=\"page.js\"></script>", "")
    });
    let widget = widget.await?;
    let tab = stage.tab().await?;
    tab.goto(&widget.address).await?;
    let element = polar_signin_e2e::widget::Element { tab, id: "above" };
    element.until("signed-out").await?;
    // The driver stumbles over them too: it finds no focus here.
    element.eval("part('button').click()").await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    assert_eq!(asked[0].query.iter().find(|(name, _)| *name == "client_id").map(|(_, id)| id), Some(&widget.client_id));
    element.eval("part('sign-out').click()").await?;
    element.until("signed-out").await
}

async fn pm_13_settings_are_read_once(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, watched).await?;
    let element = widget.open(&stage).await?;
    element
        .eval(
            "element.setAttribute('issuer', 'https://evil.example');
            element.setAttribute('client-id', 'evil');
            element.metadataUrl = 'https://evil.example/metadata';
            element.redirectUri = 'https://evil.example/';",
        )
        .await?;
    element.click().await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let of = |wanted: &str| asked[0].query.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
    assert_eq!((of("client_id"), of("redirect_uri")), (Some(widget.client_id.clone()), Some(widget.address.clone())));
    Ok(())
}

async fn pm_13_settings_that_are_not_known_make_it_inert(stage: Stage) -> Result {
    let widget = Widget::changed(&stage, watched).await?;
    let element = widget.open(&stage).await?;
    for wrong in [
        "clientid=\"x\"",
        "client_id=\"x\"",
        "mode=\"popop\"",
        "sub-type=\"everything\"",
        "provider=\"evil\"",
        "redirect-uri=\"https://evil.example/\"",
    ] {
        let (name, value) = wrong.split_once('=').unwrap_or_default();
        let script = format!(
            "document.getElementById('wrong')?.remove();
            const wrong = element.cloneNode(false); wrong.id = 'wrong';
            wrong.setAttribute('{name}', {value}); document.body.append(wrong);"
        );
        element.eval(&script).await?;
        let wrong_one = polar_signin_e2e::widget::Element { tab: element.tab.clone(), id: "wrong" };
        // What only the core can judge is judged when it is needed.
        wrong_one.eval("return element.client?.ready().catch(() => {}).then(() => true)").await?;
        wrong_one.until("failed").await?;
        let code = wrong_one.eval("return element.error.code").await?;
        assert!(code == json!("invalid_configuration") || code == json!("redirect_mismatch"), "{wrong}: {code}");
        assert_eq!(wrong_one.text("button").await?, "", "{wrong}: there is something to press");
        assert!(wrong_one.text("error").await?.contains("owner of this page"), "{wrong}");
        let refused = wrong_one.eval("return element.signIn().then(() => 'done', error => error.name)").await?;
        assert_eq!(refused, json!("PolarSigninError"), "{wrong}");
    }
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    element.until("signed-out").await
}

async fn somebody_elses_response_is_left_alone(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let tab = stage.tab().await?;
    let theirs = format!("{}?code=4711&state=theirs&coupon=5", widget.address);
    tab.goto(&theirs).await?;
    let element = polar_signin_e2e::widget::Element { tab, id: "above" };
    element.until("signed-out").await?;
    assert_eq!(element.tab.url().await?, theirs);
    assert_eq!(element.text("error").await?, "");
    Ok(())
}

async fn the_token_goes_nowhere_but_where_it_may(stage: Stage) -> Result {
    let widget = Widget::serve(&stage).await?;
    let element = widget.signed_in(&stage).await?;
    let provider = stage.provider().origin().to_owned();
    let ask = async |url: &str| -> Result<Value> {
        element.eval(&format!("return element.fetch('{url}').then(answer => answer.status, error => error.name)")).await
    };
    assert_eq!(ask(&format!("{provider}/v1/organizations/")).await?, json!(200));
    // Another origin is asked without it.
    assert_eq!(ask(&format!("{}/package.json", widget.package)).await?, json!(200));
    // A list of one's own takes the place of the default.
    let narrow = format!(
        "const narrow = element.cloneNode(false); narrow.id = 'narrow'; narrow.setAttribute('allowed-origins', 'https://api.example');
        document.body.append(narrow);
        return narrow.fetch('{provider}/v1/organizations/').then(answer => answer.status)"
    );
    assert_eq!(element.eval(&narrow).await?, json!(401));
    // 401 renews once, and asks once more.
    let before = stage.provider().requests_to("GET", "/v1/organizations/").await?.len();
    stage.provider().fault(json!({ "endpoint": "organizations", "times": 1, "status": 401, "body": "{}" })).await?;
    let renewed = ask(&format!("{provider}/v1/organizations/")).await?;
    assert_eq!(renewed, json!(200));
    assert_eq!(stage.provider().requests_to("GET", "/v1/organizations/").await?.len(), before + 2);
    asked_for(&stage, "POST", "/v1/oauth2/token", 2).await?;
    // No answer leads it elsewhere.
    let elsewhere = format!("{}/package.json", widget.package);
    stage.provider().fault(json!({ "endpoint": "organizations", "times": 1, "redirect": elsewhere })).await?;
    assert_eq!(ask(&format!("{provider}/v1/organizations/")).await?, json!("TypeError"));
    let abort = format!(
        "return element.fetch('{provider}/v1/organizations/', {{ signal: AbortSignal.abort() }}).then(() => 'done', error => error.name)"
    );
    assert_eq!(element.eval(&abort).await?, json!("AbortError"));
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    let gone =
        element.eval("return element.accessToken().then(() => 'a token', error => [error.name, error.code])").await?;
    assert_eq!(gone, json!(["PolarSigninError", "session_expired"]));
    // The browser says what the redirect ran into.
    element.tab.browser().forget_console().await;
    nothing_is_kept(&element.tab).await
}
