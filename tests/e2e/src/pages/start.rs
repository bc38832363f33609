//! Before anybody is signed in.

use super::{ProviderPage, wait_for_view};
use crate::{Result, Stage, Tab};

/// The app with nobody signed in.
#[derive(Clone, Debug)]
pub struct StartPage {
    tab: Tab,
}

impl StartPage {
    /// Opens the app, and waits until it has started.
    ///
    /// # Errors
    /// If it does not.
    pub async fn open(stage: &Stage, tab: &Tab) -> Result<Self> {
        tab.goto(&stage.site()).await?;
        Self::wait(tab).await
    }

    /// Waits until this tab shows it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        wait_for_view(tab, "signed-out").await?;
        Ok(Self { tab: tab.clone() })
    }

    /// The button.
    ///
    /// # Errors
    /// If it does not lead to the provider.
    pub async fn sign_in(&self) -> Result<ProviderPage> {
        self.tab.click("#sign-in").await?;
        ProviderPage::wait(&self.tab).await
    }

    /// The button for a sign-in with one organization.
    ///
    /// # Errors
    /// If it does not lead to the provider.
    pub async fn sign_in_with_organization(&self) -> Result<ProviderPage> {
        self.tab.click("#sign-in-organization").await?;
        ProviderPage::wait(&self.tab).await
    }

    /// The button that is there after a sign-out: as somebody else.
    ///
    /// # Errors
    /// If it does not lead to the provider.
    pub async fn sign_in_as_somebody_else(&self) -> Result<ProviderPage> {
        self.tab.click("#sign-in-again").await?;
        ProviderPage::wait(&self.tab).await
    }
}
