//! What a test acts on: a provider, a site and a driver, reset before each of the tests that use them one
//! after the other.

use std::{
    ffi::OsStr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    Context, Result, Tab,
    browser::{Browser, Driver},
    gateway::{Gateway, Rule},
    hygiene,
    processes::Process,
    provider::Provider,
    settings::Settings,
};

/// The client that is registered at the provider from the start.
pub const CLIENT_ID: &str = "polar_ci_e2e";
/// Where the site lies: never at the root, so that every test is one of a sub-path too.
pub const BASE: &str = "/some/sub/";

/// The processes of a test binary.
#[derive(Debug)]
pub struct World {
    provider: Provider,
    gateway: Gateway,
    _site: Process,
    driver: Driver,
}

impl World {
    /// Starts everything.
    ///
    /// # Errors
    /// What did not start, and why.
    pub async fn start() -> Result<Self> {
        let settings = Settings::from_env()?;
        // The door comes first: its port is in the redirect URI, which the provider must know,
        // and the provider's port is in the configuration, which the site must have.
        let gateway = Gateway::open().await?;
        let redirect_uri = gateway.origin() + BASE;
        let provider = Provider::start(&settings, CLIENT_ID, &redirect_uri).context("the provider")?;
        let config = config_for(&provider).to_string();
        let flags = [
            ("--dir", settings.dist.as_os_str()),
            ("--port", OsStr::new("0")),
            ("--host", OsStr::new("localhost")),
            ("--base", OsStr::new(BASE)),
            ("--config", OsStr::new(&config)),
            ("--connect", OsStr::new(provider.origin())),
        ];
        let (site, address) = Process::serve(&settings, &[], &flags).context("the site")?;
        gateway.lead_to(address.strip_suffix(BASE).context(format!("the site is at {address}"))?);
        let driver = Driver::start(&settings)?.behind(gateway.insert());
        Ok(Self { provider, gateway, _site: site, driver })
    }

    /// Ends every browser that a failed test may have left.
    pub async fn shut_down(&self) {
        self.driver.shut_down().await;
    }
}

/// The `config.json` of the tests.
#[must_use]
pub fn config_for(provider: &Provider) -> Value {
    json!({
        "provider": "local",
        "issuer": "https://polar.example",
        "metadata_url": format!("{}/.well-known/openid-configuration", provider.origin()),
        "client_id": CLIENT_ID,
        "allow_http_on_loopback": true,
    })
}

/// One test's hold on everything. Clones are the same.
#[derive(Clone, Debug)]
pub struct Stage {
    world: Arc<World>,
    browsers: Arc<Mutex<Vec<Browser>>>,
}

impl Stage {
    /// With the provider and the door as new.
    ///
    /// # Errors
    /// If the provider does not answer.
    pub async fn set(world: Arc<World>) -> Result<Self> {
        world.provider.reset().await?;
        world.gateway.reset();
        world.gateway.insert().reset();
        Ok(Self { world, browsers: Arc::default() })
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.world.provider
    }

    /// The door in front of the site.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.world.gateway
    }

    /// The app's address.
    #[must_use]
    pub fn site(&self) -> String {
        self.world.gateway.origin() + BASE
    }

    /// The address of a page of the app's origin without the app. (Firefox shows JSON in a page of its own, which has
    /// another origin.)
    #[must_use]
    pub fn empty_page(&self) -> String {
        let text = Rule::Answer { status: 200, content_type: "text/plain", body: String::new() };
        self.gateway().rule("/empty.txt", text);
        self.site() + "empty.txt"
    }

    /// The `config.json` that the site has.
    #[must_use]
    pub fn config(&self) -> Value {
        config_for(&self.world.provider)
    }

    /// The tab of a new browser, with a profile that nothing has been done in.
    ///
    /// # Errors
    /// If the browser does not start.
    pub async fn tab(&self) -> Result<Tab> {
        let browser = self.world.driver.browser().await?;
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner).push(browser.clone());
        let tab = browser.first_tab().await;
        hygiene::watch(&tab, &self.world.gateway.origin()).await?;
        Ok(tab)
    }

    /// A further tab of the same browser.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn another_tab(&self, tab: &Tab) -> Result<Tab> {
        let tab = tab.browser().new_tab().await?;
        hygiene::watch(&tab, &self.world.gateway.origin()).await?;
        Ok(tab)
    }

    /// The browsers that the test has opened.
    #[must_use]
    pub fn browsers(&self) -> Vec<Browser> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
