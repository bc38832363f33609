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

    /// Everything that it says.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn text(&self) -> Result<String> {
        self.tab.text("main").await
    }

    /// What can be done here: the ids of the buttons that are offered.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn actions(&self) -> Result<Vec<String>> {
        let mut actions = Vec::new();
        for id in ["sign-in-again", "try-again", "dismiss"] {
            if self.tab.has(&format!("#{id}")).await? {
                actions.push(id.to_owned());
            }
        }
        Ok(actions)
    }

    /// The tab.
    #[must_use]
    pub fn tab(&self) -> &Tab {
        &self.tab
    }
}
