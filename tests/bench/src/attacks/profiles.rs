//! Profiles: one browser, and in it a context of its own for each visit, which shares nothing with the others.

use polar_signin_e2e::{Context, Result, Tab, browser::Browser};
use serde_json::{Value, json};

use crate::world::World;

/// A browser that is started once.
#[derive(Debug)]
pub(crate) struct Profiles {
    browser: Browser,
    /// A tab that stays: what makes and ends the others.
    first: Tab,
}

/// A tab in a profile of its own.
#[derive(Debug)]
pub(crate) struct Profile {
    /// The tab.
    pub(crate) tab: Tab,
    context: Value,
}

/// A host that is no loopback address to a client, and here to the browser alone.
pub(crate) const PLAIN_HOST: &str = "idp.example";

impl Profiles {
    /// Starts the browser.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) async fn start(world: &World) -> Result<Self> {
        let hosts = format!("MAP {PLAIN_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost");
        let browser = world
            .bare_browser(json!({
                "goog:loggingPrefs": {},
                "goog:chromeOptions": { "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
                    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--lang=en-US", "--window-size=1280,900", format!("--host-resolver-rules={hosts}"),
                ] },
            }))
            .await?;
        let first = browser.first_tab().await;
        Ok(Self { browser, first })
    }

    /// The tab that stays.
    pub(crate) fn first(&self) -> &Tab {
        &self.first
    }

    /// A new profile.
    ///
    /// # Errors
    /// If the browser refuses.
    pub(crate) async fn fresh(&self) -> Result<Profile> {
        let known = self.browser.windows().await?;
        let context = self.first.cdp("Target.createBrowserContext", json!({})).await?["browserContextId"].clone();
        let target = json!({ "url": "about:blank", "browserContextId": context });
        self.first.cdp("Target.createTarget", target).await?;
        let windows = self.browser.windows().await?;
        let new = windows.into_iter().find(|handle| !known.contains(handle)).context("no new tab")?;
        Ok(Profile { tab: Tab::new(self.browser.clone(), new), context })
    }

    /// Ends a profile with its tabs.
    pub(crate) async fn end(&self, profile: Profile) {
        let _ = self.first.cdp("Target.disposeBrowserContext", json!({ "browserContextId": profile.context })).await;
    }
}
