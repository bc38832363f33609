//! Profiles: one browser, and in it for each visit a new tab without anything that it kept of the last one.

use polar_signin_e2e::{Result, Tab, browser::Browser};
use serde_json::json;

use crate::world::World;

/// A host that is no loopback address to a client, and here to the browser alone.
pub(crate) const PLAIN_HOST: &str = "idp.example";

/// The browser.
///
/// # Errors
/// If it does not start.
pub(crate) async fn browser(world: &World) -> Result<Browser> {
    let hosts = format!("MAP {PLAIN_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost");
    let capabilities = json!({
        "goog:loggingPrefs": {},
        "goog:chromeOptions": { "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--lang=en-US", "--window-size=1280,900", format!("--host-resolver-rules={hosts}"),
        ] },
    });
    world.bare_browser(capabilities).await
}

/// A new tab, with its own session storage, in a browser that has forgotten everything else.
///
/// # Errors
/// If the browser refuses.
pub(crate) async fn fresh(browser: &Browser, world: &World) -> Result<Tab> {
    let tab = browser.new_tab().await?;
    let provider = world.port() + 1;
    let hosts = ["127.0.0.1", "localhost", PLAIN_HOST].map(|host| format!("http://{host}:{provider}"));
    for origin in hosts.into_iter().chain([world.site()]) {
        tab.cdp("Storage.clearDataForOrigin", json!({ "origin": origin, "storageTypes": "all" })).await?;
    }
    tab.cdp("Network.clearBrowserCookies", json!({})).await?;
    tab.cdp("Network.clearBrowserCache", json!({})).await?;
    Ok(tab)
}
