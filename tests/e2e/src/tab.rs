//! A tab: what a person does in it and sees in it.

use std::time::Duration;

use fantoccini::{
    Client, Locator,
    actions::{
        InputSource as _, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MOUSE_BUTTON_RIGHT, MouseActions, PointerAction,
    },
    key::Key,
    wd::WindowHandle,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{Context, Failure, Result, browser::Browser, hygiene, settings::Engine};

/// How long a page may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(45);
const STEP: Duration = Duration::from_millis(25);

/// A button of the mouse.
#[derive(Clone, Copy, Debug)]
pub enum MouseButton {
    /// The one that clicks.
    Main,
    /// The one that opens a menu.
    Second,
}

impl MouseButton {
    fn number(self) -> u64 {
        match self {
            Self::Main => MOUSE_BUTTON_LEFT,
            Self::Second => MOUSE_BUTTON_RIGHT,
        }
    }
}

/// A tab of a browser, or a frame in it.
#[derive(Clone, Debug)]
pub struct Tab {
    browser: Browser,
    handle: WindowHandle,
    frame: Option<u16>,
}

impl Tab {
    /// The tab of this handle.
    #[must_use]
    pub fn new(browser: Browser, handle: WindowHandle) -> Self {
        Self { browser, handle, frame: None }
    }

    /// The frame of its page that has this number, counted from 0. Everything but the address is the frame's.
    #[must_use]
    pub fn frame(&self, number: u16) -> Self {
        Self { frame: Some(number), ..self.clone() }
    }

    /// The browser that it belongs to.
    #[must_use]
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    async fn client(&self) -> Result<&Client> {
        self.browser.focus(&self.handle, self.frame).await
    }

    /// Goes to an address, and waits until it is loaded.
    ///
    /// # Errors
    /// If the page cannot be loaded.
    pub async fn goto(&self, url: &str) -> Result {
        self.client().await?.goto(url).await.context(format!("going to {url}"))
    }

    /// Closes it. Another one has to be there.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn close(&self) -> Result {
        self.client().await?.close_window().await.context("closing the tab")
    }

    /// The address in the address bar.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn url(&self) -> Result<String> {
        Ok(self.client().await?.current_url().await?.into())
    }

    /// The back button.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn back(&self) -> Result {
        self.client().await?.back().await.context("back")
    }

    /// The forward button.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn forward(&self) -> Result {
        self.client().await?.forward().await.context("forward")
    }

    /// The reload button.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn reload(&self) -> Result {
        self.client().await?.refresh().await.context("reload")
    }

    /// The body of a function in the page, with its arguments.
    ///
    /// # Errors
    /// If the script throws.
    pub async fn eval(&self, script: &str, arguments: &[&str]) -> Result<Value> {
        let arguments = arguments.iter().map(|argument| json!(argument)).collect();
        self.client().await?.execute(script, arguments).await.context(script)
    }

    /// As [`Tab::eval`], for a text.
    ///
    /// # Errors
    /// If the script throws, or the answer is no text.
    pub async fn eval_text(&self, script: &str, arguments: &[&str]) -> Result<String> {
        let value = self.eval(script, arguments).await?;
        value.as_str().map(str::to_owned).context(format!("{script}: {value} is no text"))
    }

    /// Whether the page has such an element.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn has(&self, css: &str) -> Result<bool> {
        Ok(self.eval("return document.querySelector(arguments[0]) !== null", &[css]).await? == Value::Bool(true))
    }

    /// How many such elements the page has.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn count(&self, css: &str) -> Result<u64> {
        let count = self.eval("return document.querySelectorAll(arguments[0]).length", &[css]).await?;
        count.as_u64().context("no number")
    }

    /// The text of such an element, as a person sees it: nothing if it is not shown.
    ///
    /// # Errors
    /// If there is none.
    pub async fn text(&self, css: &str) -> Result<String> {
        let text = self.eval("return document.querySelector(arguments[0])?.innerText", &[css]).await?;
        text.as_str().map(|text| text.trim().to_owned()).context(format!("there is no {css}"))
    }

    /// The texts of all such elements.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn texts(&self, css: &str) -> Result<Vec<String>> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), element => element.innerText.trim())";
        let texts = self.eval(script, &[css]).await?;
        Ok(texts.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect())
    }

    /// An attribute of such an element.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null";
        Ok(self.eval(script, &[css, name]).await?.as_str().map(str::to_owned))
    }

    /// Moves the mouse over such an element.
    ///
    /// # Errors
    /// If there is none.
    pub async fn move_to(&self, css: &str) -> Result {
        let element = self.client().await?.find(Locator::Css(css)).await?;
        self.mouse(PointerAction::MoveToElement { element, duration: None, x: 0., y: 0. }).await
    }

    /// Presses a button of the mouse on such an element, and holds it.
    ///
    /// # Errors
    /// If there is none.
    pub async fn hold_down(&self, button: MouseButton, css: &str) -> Result {
        self.move_to(css).await?;
        self.mouse(PointerAction::Down { button: button.number() }).await
    }

    /// Lets go of it, wherever the mouse is.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn let_go(&self, button: MouseButton) -> Result {
        self.mouse(PointerAction::Up { button: button.number() }).await
    }

    async fn mouse(&self, action: PointerAction) -> Result {
        let mouse = MouseActions::new("mouse".to_owned()).then(action);
        Ok(self.client().await?.perform_actions(mouse).await?)
    }

    /// Clicks such an element with the mouse, as soon as there is one that can be clicked.
    ///
    /// # Errors
    /// If there is none in time.
    pub async fn click(&self, css: &str) -> Result {
        eventually(format!("clicking {css}"), async || {
            let element = self.client().await?.find(Locator::Css(css)).await?;
            if !element.is_enabled().await? {
                return Err(Failure::new("it is disabled"));
            }
            Ok(element.click().await?)
        })
        .await
    }

    /// Types into such an element, in place of what is there.
    ///
    /// # Errors
    /// If there is none in time.
    pub async fn type_into(&self, css: &str, text: &str) -> Result {
        eventually(format!("typing into {css}"), async || {
            let element = self.client().await?.find(Locator::Css(css)).await?;
            element.clear().await?;
            Ok(element.send_keys(text).await?)
        })
        .await
    }

    /// Presses a key, wherever the focus is.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn press(&self, key: Key) -> Result {
        let client = self.client().await?;
        if self.browser.engine() == Engine::WebKit && self.frame.is_some() {
            // Its driver finds no element of a frame by this name.
            let keys = KeyActions::new("keys".to_owned());
            let stroke = [KeyAction::Down { value: key.into() }, KeyAction::Up { value: key.into() }];
            return Ok(client.perform_actions(stroke.into_iter().fold(keys, KeyActions::then)).await?);
        }
        let focused = client.active_element().await?;
        focused.send_keys(&key.to_string()).await.context(format!("pressing {key:?}"))
    }

    /// Waits until such an element is there.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn wait_for(&self, css: &str) -> Result {
        self.until(&format!("there is {css}"), "return document.querySelector(arguments[0]) !== null", &[css]).await
    }

    /// Waits until a script answers with something true.
    ///
    /// # Errors
    /// If it does not in time.
    pub async fn until(&self, what: &str, script: &str, arguments: &[&str]) -> Result {
        let mut attempts = 0;
        let waited = eventually(format!("waiting until {what}"), async || {
            match self.eval(script, arguments).await? {
                Value::Null | Value::Bool(false) => {}
                _ => return Ok(None),
            }
            attempts += 1;
            // A page that has died will not come to it: there is no need to wait for the end.
            if attempts % 80 == 0
                && let Some(alarm) = hygiene::alarm(&self.browser.console().await?)
            {
                return Ok(Some(alarm));
            }
            Err(Failure::new("not yet"))
        });
        let reason = match waited.await {
            Ok(None) => return Ok(()),
            Ok(Some(alarm)) => format!("waiting until {what}: {alarm}"),
            Err(failure) => failure.to_string(),
        };
        Err(Failure::new(format!("{reason}\n{}", self.describe().await)))
    }

    /// Waits until the address fulfils a condition, and says what it is.
    ///
    /// # Errors
    /// If it does not in time.
    pub async fn until_url(&self, what: &str, good: impl Fn(&str) -> bool) -> Result<String> {
        eventually(format!("waiting until the address is {what}"), async || {
            let url = self.url().await?;
            if good(&url) { Ok(url) } else { Err(Failure::new(format!("it is {url}"))) }
        })
        .await
    }

    /// A command of the browser's own protocol.
    ///
    /// # Errors
    /// If the browser refuses, or is no Chromium.
    pub async fn cdp(&self, command: &str, parameters: Value) -> Result<Value> {
        self.client().await?;
        self.browser.cdp(command, parameters).await
    }

    /// Runs a script in every later document of this tab, before any of its own. In browsers other than Chromium it is
    /// in every page of the site, whatever the tab, and in no other.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn before_every_page(&self, script: &str) -> Result {
        if !self.browser.engine().has_cdp() {
            self.browser.insert(script);
            return Ok(());
        }
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await.map(|_| ())
    }

    /// Gives its window this size, as far as the browser lets itself be made so small.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn resize(&self, width: u32, height: u32) -> Result {
        Ok(self.client().await?.set_window_size(width, height).await?)
    }

    /// A picture of what can be seen.
    ///
    /// # Errors
    /// If the browser cannot make one.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        Ok(self.client().await?.screenshot().await?)
    }

    /// Where it is and what stands there, for a report.
    pub async fn describe(&self) -> String {
        let url = self.url().await.unwrap_or_else(|failure| failure.to_string());
        let text = self.eval_text("return document.body?.innerText ?? ''", &[]).await;
        let text: String = text.unwrap_or_else(|failure| failure.to_string()).chars().take(2000).collect();
        format!("at {url}:\n{text}")
    }
}

/// Tries again until it succeeds; after a while, fails as the last time.
///
/// # Errors
/// The last failure.
pub async fn eventually<T>(doing: String, mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Err(_) if Instant::now() < end => sleep(STEP).await,
            outcome => return outcome.context(doing),
        }
    }
}
