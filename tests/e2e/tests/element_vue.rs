//! `<polar-signin>` in a page that Vue makes, under the policy of the plain example: settings, events as listeners,
//! taken out and put in again by the framework. Vue has rendered it before the package has arrived.

use std::{env, fs};

use polar_signin_e2e::{
    Result, Stage,
    failure::Context as _,
    flows::{codes_were_sent, nothing_is_kept},
    gateway::Rule,
    suite,
    widget::{WATCH_TAG, Widget, allow},
};
use serde_json::json;

suite![vue_sets_it_hears_it_and_takes_it_out_and_in];

/// The attributes of the element in the example are those of the app's place here.
const APP: &str = r##"
const { createApp, h, ref } = Vue;
const settings = {};
for (const { name, value } of document.querySelector("#app").attributes) {
  if (name !== "id") settings[name] = value;
}
const name = ref("");
const state = (window.state = { shown: ref(true), theme: ref("light") });
const follow = (event) => (name.value = event.target.session?.displayName ?? "");
const element = () => h("polar-signin", {
  id: "above", ...settings, theme: state.theme.value, onPolarSignedIn: follow, onPolarSignedOut: follow,
});
createApp({
  render: () => [h("p", { id: "greeting" }, name.value ? `Hello, ${name.value}.` : "Nobody is here."), state.shown.value ? element() : null],
}).mount("#app");
"##;

async fn vue_sets_it_hears_it_and_takes_it_out_and_in(stage: Stage) -> Result {
    let vue = env::var_os("E2E_VUE").context("no E2E_VUE: run `cargo xtask test e2e`, which installs it")?;
    for (path, body) in [("/vue.js", fs::read_to_string(vue)?), ("/app.js", APP.to_owned())] {
        stage.gateway().rule(path, Rule::Answer { status: 200, content_type: "text/javascript", body });
    }
    let scripts =
        format!("</title>{WATCH_TAG}<script src=\"vue.js\"></script><script type=\"module\" src=\"app.js\"></script>");
    let widget = Widget::changed(&stage, |page| {
        let (head, body) = page.split_once("<body>").unwrap_or_default();
        let attributes = body.split_once("<polar-signin id=\"above\"").unwrap_or_default().1.split_once('>');
        let head = head.replace("</title>", &scripts).replace("<script type=\"module\" src=\"page.js\"></script>", "");
        format!("{head}<body><div id=\"app\"{}></div></body></html>", attributes.unwrap_or_default().0)
    })
    .await?;
    let element = widget.open(&stage).await?;
    assert_eq!(element.eval("return [element.clientId, element.theme]").await?, json!([widget.client_id, "light"]));
    assert_eq!(element.tab.text("#greeting").await?, "Nobody is here.");
    element.click().await?;
    allow(&element.tab).await?;
    element.until("signed-in").await?;
    let greets = "return document.querySelector('#greeting').innerText.includes('olive@example.com')";
    element.wait("the page knows who is there", greets).await?;

    element.eval("state.theme.value = 'dark'").await?;
    element.wait("it follows", "return element.getAttribute('theme') === 'dark'").await?;
    element.eval("state.shown.value = false").await?;
    element.wait("it is gone", "return element === null").await?;
    element.eval("state.shown.value = true").await?;
    element.until("signed-in").await?;
    codes_were_sent(&stage, 1).await?;

    element.press("sign-out").await?;
    element.until("signed-out").await?;
    element
        .wait("the page knows", "return document.querySelector('#greeting').innerText === 'Nobody is here.'")
        .await?;
    assert_eq!(element.eval("return violations").await?, json!([]));
    nothing_is_kept(&element.tab).await
}
