//! A walk through every view, for whoever looks at them all: the tests of looks, the pictures.

use serde_json::json;

use crate::{
    Context, Result, Stage, Tab,
    pages::{Consent, Organizations, Requests, SetUpPage, StartPage},
};

/// Comes by each view once, with its name: `start`, `choice` (the provider's, of organizations),
/// `signed-in`, `api`, `api-refused`, `signed-in-several`, `signed-in-many`,
/// `signed-in-none-found`, `signed-in-all`, `error`, `set-up`.
///
/// # Errors
/// What the visitor fails with, or if a view cannot be reached.
pub async fn walk(stage: &Stage, mut visit: impl AsyncFnMut(&str, &Tab) -> Result) -> Result {
    let tab = stage.tab().await?;
    let start = StartPage::open(stage, &tab).await?;
    visit("start", &tab).await?;
    let consent = start.sign_in_with_organization().await?.person("sam").await?;
    visit("choice", &tab).await?;
    let offered = consent.organizations().await?;
    let page = consent.choose(offered.first().context("no organization is offered")?).await?.allow().await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    visit("signed-in", &tab).await?;
    let bench = Requests::wait(&tab).await?;
    bench.get("organizations/").await?;
    visit("api", &tab).await?;
    bench.choose("orders/").await?;
    visit("api-refused", &tab).await?;
    tab.click("#add-organization").await?;
    let consent = Consent::wait(&tab).await?;
    let page = consent.choose(&offered[1]).await?.allow().await?;
    page.reach().await?;
    page.userinfo("sub").await?;
    visit("signed-in-several", &tab).await?;

    let tab = stage.tab().await?;
    let page = StartPage::open(stage, &tab).await?.sign_in().await?.allow_as("max").await?;
    page.userinfo("sub").await?;
    let list = Organizations::wait(&tab).await?;
    list.activate(1).await?;
    visit("signed-in-many", &tab).await?;
    list.search("nobody is called so").await?;
    visit("signed-in-none-found", &tab).await?;
    list.show_all().await?;
    list.are_all_listed().await?;
    list.search("99").await?;
    visit("signed-in-all", &tab).await?;

    let tab = stage.tab().await?;
    StartPage::open(stage, &tab).await?.sign_in().await?.person("nora").await?.deny().await?;
    visit("error", &tab).await?;

    let mut config = stage.config();
    config.as_object_mut().context("the configuration is no object")?.remove("client_id");
    stage.gateway().configure(&config);
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    SetUpPage::wait(&tab).await?;
    visit("set-up", &tab).await
}

/// A screen of this width, as tall as the page, in light or dark. In browsers other than Chromium it is a window, which
/// may not be made as narrow, in the colours that the browser has.
///
/// # Errors
/// If the browser refuses.
pub async fn show_on(tab: &Tab, width: u32, scheme: &str) -> Result {
    if tab.browser().engine().has_cdp() {
        emulate(tab, width, scheme).await?;
    } else {
        tab.resize(width, 1400).await?;
    }
    // Two frames, so that what is measured or pictured is what was laid out.
    tab.until(
        "the page is painted",
        "if (!window.painted) { window.painted = 1; requestAnimationFrame(() => requestAnimationFrame(() => window.painted = 2)); }
         if (window.painted !== 2) return false; delete window.painted; return true;",
        &[],
    )
    .await
}

async fn emulate(tab: &Tab, width: u32, scheme: &str) -> Result {
    let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
    tab.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
    let screen = async |height: u64| {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        tab.cdp("Emulation.setDeviceMetricsOverride", metrics).await.map(|_| ())
    };
    let mut height = if width < 600 { 740 } else { 800 };
    // Some spaces grow with the screen, up to a limit: so must the screen, until all is on it.
    for _ in 0..4 {
        screen(height).await?;
        let tall =
            tab.eval("return document.documentElement.scrollHeight", &[]).await?.as_u64().context("no height")?;
        if tall <= height {
            break;
        }
        height = tall.min(6000);
    }
    Ok(())
}
