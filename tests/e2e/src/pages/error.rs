//! When a sign-in did not work.

use super::wait_for_view;
use crate::{Context, Result, Tab};

/// The page that says what happened and what to do.
#[derive(Clone, Debug)]
pub struct ErrorPage {
    tab: Tab,
}

impl ErrorPage {
    /// Waits until this tab shows it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        wait_for_view(tab, "error").await?;
        Ok(Self { tab: tab.clone() })
    }

    /// The stable code.
    ///
    /// # Errors
    /// If there is none.
    pub async fn code(&self) -> Result<String> {
        self.tab.attribute("[data-error-code]", "data-error-code").await?.context("no error code")
    }

    /// What it says to everybody.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn text(&self) -> Result<String> {
        self.tab.text("main").await
    }

    /// What it says in all, with what is folded away for the developer.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn all_text(&self) -> Result<String> {
        self.tab.eval_text("return document.querySelector('main').textContent", &[]).await
    }

    /// The button that begins another sign-in.
    ///
    /// # Errors
    /// If there is none.
    pub async fn try_again(&self) -> Result {
        self.tab.click("#try-again").await
    }

    /// The button that puts the error away.
    ///
    /// # Errors
    /// If there is none.
    pub async fn dismiss(&self) -> Result {
        self.tab.click("#dismiss").await
    }

    /// Whether it offers both: another sign-in, and none.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn offers_a_way_on(&self) -> Result<bool> {
        Ok(self.tab.has("#try-again:enabled").await? && self.tab.has("#dismiss:enabled").await?)
    }

    /// The tab.
    #[must_use]
    pub fn tab(&self) -> &Tab {
        &self.tab
    }
}
