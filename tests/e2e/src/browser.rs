//! A browser with a profile of its own, by WebDriver.

use std::{ffi::OsStr, sync::Arc, time::Duration};

use fantoccini::{
    Client, ClientBuilder,
    wd::{Capabilities, WebDriverCompatibleCommand, WindowHandle},
};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::timeout};

use crate::{
    Context, Failure, Result, Tab,
    http::Http,
    insert::Insert,
    processes::Process,
    settings::{Engine, Settings},
    tab::eventually,
};

/// How long WebKit may take to start: on a busy machine it sometimes never does.
const START: Duration = Duration::from_secs(40);
/// How often that is tried.
const STARTS: usize = 3;
/// How long a browser may take to end before it is left to the end of its driver.
const END: Duration = Duration::from_secs(10);

/// What starts browsers.
#[derive(Debug)]
pub struct Driver {
    /// One for all browsers in Chromium; the drivers of the others can have one at a time.
    shared: Option<Arc<Server>>,
    settings: Settings,
    insert: Arc<Insert>,
}

/// A driver's process.
#[derive(Debug)]
struct Server {
    process: Process,
    url: String,
}

impl Server {
    fn start(settings: &Settings) -> Result<Self> {
        let program = settings.driver.as_os_str();
        let (process, port) = match settings.engine {
            Engine::Chromium => Process::start(program, &[OsStr::new("--port=0")], |line| {
                line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
            }),
            Engine::Firefox => {
                // By itself each would listen for its browser's own protocol on the same port.
                let own = ["--port=0", "--websocket-port=0"].map(OsStr::new);
                Process::start(program, &own, |line| line.rsplit_once("Listening on 127.0.0.1:")?.1.trim().parse().ok())
            }
            Engine::WebKit => {
                // It says nothing when it starts, and takes no 0.
                let port = free_port()?;
                let process = Process::start_silent(program, &[OsStr::new(&format!("--port={port}"))], port)?;
                Ok((process, port))
            }
        }
        .context("the browser's driver")?;
        Ok(Self { process, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that hangs would stay, and take the machine's time from those to come.
        self.process.end_children();
    }
}

impl Driver {
    /// Starts the driver.
    ///
    /// # Errors
    /// If it is not there or does not start.
    pub fn start(settings: &Settings) -> Result<Self> {
        let shared = match settings.engine {
            Engine::Firefox | Engine::WebKit => None,
            Engine::Chromium => Some(Arc::new(Server::start(settings)?)),
        };
        Ok(Self { shared, settings: settings.clone(), insert: Arc::default() })
    }

    /// What stands for commands that only Chromium's driver has, in pages that come through a door.
    #[must_use]
    pub(crate) fn behind(self, insert: Arc<Insert>) -> Self {
        Self { insert, ..self }
    }

    /// A new browser with a new profile.
    ///
    /// # Errors
    /// If the driver cannot start it.
    pub async fn browser(&self) -> Result<Browser> {
        self.start_browser(capabilities(self.settings.engine)).await
    }

    /// The same, with these capabilities in place of ours of the same names.
    ///
    /// # Errors
    /// If the driver cannot start it.
    pub async fn browser_with(&self, further: Value) -> Result<Browser> {
        let mut all = capabilities(self.settings.engine);
        for (name, value) in further.as_object().cloned().unwrap_or_default() {
            all[name] = value;
        }
        self.start_browser(all).await
    }

    async fn start_browser(&self, capabilities: Value) -> Result<Browser> {
        if self.settings.engine != Engine::WebKit {
            return self.try_browser(capabilities).await;
        }
        let mut failures = String::new();
        for _ in 0..STARTS {
            // The driver goes with what is waited for, and the browser with the driver.
            match timeout(START, self.try_browser(capabilities.clone())).await {
                Ok(Ok(browser)) => return Ok(browser),
                Ok(Err(failure)) => failures += &format!("{failure}\n"),
                Err(_) => failures += &format!("not there after {START:?}\n"),
            }
        }
        Err(Failure::new(format!("no browser in {STARTS} times: {failures}")))
    }

    async fn try_browser(&self, capabilities: Value) -> Result<Browser> {
        let server = match &self.shared {
            Some(server) => server.clone(),
            None => Arc::new(Server::start(&self.settings)?),
        };
        let engine = self.settings.engine;
        let Value::Object(capabilities) = capabilities else {
            return Err(Failure::new("the capabilities are no object"));
        };
        let capabilities: Capabilities = capabilities;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&server.url).await;
        let said = |error| Failure::new(format!("{error}\n{}", server.process.said()));
        let client = client.context("no browser").map_err(said)?;
        let current = Mutex::new((client.window().await?, None));
        let insert = self.insert.clone();
        Ok(Browser(Arc::new(Inner { client, engine, current, insert, log: Mutex::default(), _server: server })))
    }

    /// Asks the driver to end every browser that is left.
    pub async fn shut_down(&self) {
        if let (Engine::Chromium, Some(server)) = (self.settings.engine, &self.shared) {
            let _ = Http::default().get(&format!("{}/shutdown", server.url)).await;
        }
    }
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn capabilities(engine: Engine) -> Value {
    match engine {
        Engine::Chromium => json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--lang=en-US", "--window-size=1280,900",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            ] },
        }),
        Engine::Firefox => json!({
            "browserName": "firefox",
            "moz:firefoxOptions": {
                "args": ["-headless"],
                "prefs": {
                    "network.dns.localDomains": "", "intl.accept_languages": "en-US",
                    // What a browser does for somebody who stays: it would take longer than a test.
                    "app.normandy.enabled": false, "messaging-system.rsexperimentloader.enabled": false,
                    "browser.startup.page": 0, "browser.newtabpage.enabled": false, "browser.newtab.preload": false,
                    "browser.safebrowsing.malware.enabled": false, "browser.safebrowsing.phishing.enabled": false,
                    "browser.pagethumbnails.capturing_disabled": true, "browser.ml.enable": false,
                    "datareporting.policy.dataSubmissionEnabled": false, "media.gmp-manager.updateEnabled": false,
                    "services.settings.server": "data:,none", "toolkit.cosmeticAnimations.enabled": false,
                    "dom.ipc.processPrelaunch.enabled": false,
                },
            },
        }),
        Engine::WebKit => json!({
            "browserName": "MiniBrowser",
            "webkitgtk:browserOptions": {
                "binary": std::env::var("E2E_MINIBROWSER").unwrap_or_else(|_| "MiniBrowser".to_owned()),
                // Scripts of a test may open windows without a click, as the other browsers let their drivers do.
                "args": ["--automation", "--javascript-can-open-windows-automatically=true"],
            },
        }),
    }
}

/// A browser. Clones are the same browser.
#[derive(Clone, Debug)]
pub struct Browser(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    engine: Engine,
    /// Where commands go: a window, and a frame in it.
    current: Mutex<(WindowHandle, Option<u16>)>,
    insert: Arc<Insert>,
    /// The driver hands out each line once.
    log: Mutex<Vec<LogEntry>>,
    _server: Arc<Server>,
}

/// A line in the browser's console.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub level: String,
    /// Where it comes from: `javascript`, `network`, `security`, `console-api`, …
    pub source: String,
    /// The words.
    pub message: String,
}

impl Browser {
    /// The tab that it opened with.
    pub async fn first_tab(&self) -> Tab {
        Tab::new(self.clone(), self.0.current.lock().await.0.clone())
    }

    /// A further tab of the same profile.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn new_tab(&self) -> Result<Tab> {
        let window = self.0.client.new_window(true).await?;
        Ok(Tab::new(self.clone(), window.handle))
    }

    /// The handles of all tabs.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn windows(&self) -> Result<Vec<WindowHandle>> {
        Ok(self.0.client.windows().await?)
    }

    /// A window that was not among these, as soon as there is one.
    ///
    /// # Errors
    /// If none opens.
    pub async fn opened_since(&self, before: &[WindowHandle]) -> Result<Tab> {
        eventually("waiting for a window".to_owned(), async || {
            let opened = self.windows().await?.into_iter().find(|window| !before.contains(window));
            Ok(Tab::new(self.clone(), opened.context("no window")?))
        })
        .await
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// The WebDriver client, with its commands going to this tab, or to this frame of it.
    pub(crate) async fn focus(&self, handle: &WindowHandle, frame: Option<u16>) -> Result<&Client> {
        let mut current = self.0.current.lock().await;
        if current.0 != *handle || current.1 != frame {
            self.0.client.switch_to_window(handle.clone()).await?;
            *current = (handle.clone(), None);
            if let Some(number) = frame {
                self.0.client.enter_frame(number).await?;
                current.1 = frame;
            }
        }
        Ok(&self.0.client)
    }

    /// A command of the browser's own protocol, to the tab in focus.
    pub(crate) async fn cdp(&self, command: &str, parameters: Value) -> Result<Value> {
        if !self.0.engine.has_cdp() {
            return Err(Failure::new(format!("{command} needs Chromium")));
        }
        let body = json!({ "cmd": command, "params": parameters });
        self.vendor("goog/cdp/execute", body).await.context(command)
    }

    /// Runs a script in every later page of the site.
    pub(crate) fn insert(&self, script: &str) {
        self.0.insert.run(script);
    }

    /// Everything in the console so far, of all tabs. Where the driver has no such command it is what the pages have
    /// written themselves, a moment ago at the latest.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn console(&self) -> Result<Vec<LogEntry>> {
        let mut log = self.0.log.lock().await;
        if self.0.engine.has_cdp() {
            let entries = self.vendor("se/log", json!({ "type": "browser" })).await?;
            let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            log.extend(entries.as_array().into_iter().flatten().map(|entry| LogEntry {
                level: text(entry, "level"),
                source: text(entry, "source"),
                message: text(entry, "message"),
            }));
        } else {
            log.extend(self.0.insert.said());
        }
        Ok(log.clone())
    }

    /// Forgets what is in the console, where a test has put it on purpose.
    pub async fn forget_console(&self) {
        let _ = self.console().await;
        self.0.log.lock().await.clear();
    }

    /// The browser's own events of network and pages since the last call.
    ///
    /// # Errors
    /// If the browser is gone or no Chromium.
    pub async fn network_events(&self) -> Result<Vec<Value>> {
        let entries = self.vendor("se/log", json!({ "type": "performance" })).await?;
        let event = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            Some(message["message"].clone())
        };
        Ok(entries.as_array().into_iter().flatten().filter_map(event).collect())
    }

    /// Ends the browser; its profile goes with it.
    pub async fn close(&self) {
        let _ = timeout(END, self.0.client.clone().close()).await;
    }

    async fn vendor(&self, path: &'static str, body: Value) -> Result<Value> {
        Ok(self.0.client.issue_cmd(Vendor { path, body }).await?)
    }
}

/// A command that the standard does not have.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> std::result::Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
