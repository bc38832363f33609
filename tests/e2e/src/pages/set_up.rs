//! Before there is a client.

use super::{StartPage, wait_for_view};
use crate::{Result, Tab};

/// The page that says how to make a client, and makes one.
#[derive(Clone, Debug)]
pub struct SetUpPage {
    tab: Tab,
}

impl SetUpPage {
    /// Waits until this tab shows it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        wait_for_view(tab, "set-up").await?;
        Ok(Self { tab: tab.clone() })
    }

    /// A field: `redirect-uri`, `redirect-check`, `registration-token`.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn field(&self, name: &str) -> Result<String> {
        let css = format!("[data-field={name}]");
        self.tab.wait_for(&css).await?;
        let script =
            "const field = document.querySelector(arguments[0]); return (field.value ?? field.textContent).trim()";
        self.tab.eval_text(script, &[&css]).await
    }

    /// Types a client id and uses it.
    ///
    /// # Errors
    /// If the fields are not there.
    pub async fn use_client(&self, client_id: &str) -> Result {
        self.tab.type_into("#client-id", client_id).await?;
        self.tab.click("#use-client").await
    }

    /// Uses the client that was just created.
    ///
    /// # Errors
    /// If the button is not there.
    pub async fn use_created(&self) -> Result<StartPage> {
        self.tab.click("#use-created").await?;
        StartPage::wait(&self.tab).await
    }

    /// The one click that creates a client.
    ///
    /// # Errors
    /// If the button is not there.
    pub async fn create_client(&self) -> Result {
        self.tab.click("#create-client").await
    }
}
