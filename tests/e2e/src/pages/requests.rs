//! The bench on which requests to the API are tried.

use crate::{Context, Result, Tab};

/// The part of the signed-in page that is about the API.
#[derive(Clone, Debug)]
pub struct Requests {
    tab: Tab,
}

impl Requests {
    /// Waits until this tab shows it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        tab.wait_for("#endpoint").await?;
        Ok(Self { tab: tab.clone() })
    }

    /// Chooses a request by its path.
    ///
    /// # Errors
    /// If there is no such request.
    pub async fn choose(&self, path: &str) -> Result {
        let script = "const select = document.querySelector('#endpoint');
            const index = Array.from(select.options).findIndex(option => option.text === `GET /v1/${arguments[0]}`);
            if (index < 0) return false;
            select.selectedIndex = index;
            select.dispatchEvent(new Event('change', { bubbles: true }));
            return true";
        match self.tab.eval(script, &[path]).await?.as_bool() {
            Some(true) => self.tab.until("it is shown", SHOWN, &[path]).await,
            _ => Err(crate::Failure::new(format!("no request {path}"))),
        }
    }

    /// The request as it is shown.
    ///
    /// # Errors
    /// If none is.
    pub async fn request(&self) -> Result<String> {
        self.tab.eval_text("return document.querySelector('[data-request]').textContent", &[]).await
    }

    /// Sends it.
    ///
    /// # Errors
    /// If that is not possible.
    pub async fn send(&self) -> Result {
        self.tab.click("#send:enabled").await
    }

    /// Chooses a request, sends it, and gives the words of the answer's tree.
    ///
    /// # Errors
    /// If there is no good answer.
    pub async fn get(&self, path: &str) -> Result<String> {
        self.choose(path).await?;
        self.send().await?;
        self.answer().await
    }

    /// The words of the answer's tree.
    ///
    /// # Errors
    /// If there is no good answer.
    pub async fn answer(&self) -> Result<String> {
        self.tab.wait_for("[data-result] [data-json]").await?;
        self.tab.eval_text("return document.querySelector('[data-result] [data-json]').textContent", &[]).await
    }

    /// The code of the error that is shown.
    ///
    /// # Errors
    /// If none is.
    pub async fn failed_by(&self) -> Result<String> {
        self.tab.wait_for("[data-request-failed]").await?;
        self.tab.attribute("[data-request-failed]", "data-request-failed").await?.context("no code")
    }

    /// Why this request is not sent: a scope, or `organization`. `None` if it may be.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn refused(&self) -> Result<Option<String>> {
        self.tab.attribute("[data-refused]", "data-refused").await
    }

    /// Asks about one organization alone, of this name.
    ///
    /// # Errors
    /// If it is not offered.
    pub async fn about(&self, name: &str) -> Result {
        self.tab.wait_for("#organization").await?;
        let script = "const select = document.querySelector('#organization');
            const option = Array.from(select.options).find(option => option.text === arguments[0]);
            if (!option) return false;
            select.value = option.value;
            select.dispatchEvent(new Event('change', { bubbles: true }));
            return true";
        match self.tab.eval(script, &[name]).await?.as_bool() {
            Some(true) => Ok(()),
            _ => Err(crate::Failure::new(format!("no organization {name}"))),
        }
    }

    /// Uses a token that somebody has pasted.
    ///
    /// # Errors
    /// If it is not taken.
    pub async fn paste(&self, token: &str) -> Result {
        self.type_token(token).await?;
        self.use_token().await
    }

    /// The same, to be kept in this tab.
    ///
    /// # Errors
    /// If it is not taken.
    pub async fn paste_and_keep(&self, token: &str) -> Result {
        self.type_token(token).await?;
        self.tab.click("#keep-token").await?;
        self.use_token().await
    }

    async fn type_token(&self, token: &str) -> Result {
        self.tab.eval("document.querySelector('#own-token').open = true", &[]).await?;
        self.tab.type_into("#token", token).await
    }

    async fn use_token(&self) -> Result {
        self.tab.click("#use-token").await?;
        self.tab.wait_for("[data-pasted]").await
    }
}

const SHOWN: &str = "return document.querySelector('[data-request]').textContent.includes(`/v1/${arguments[0]}`)";
