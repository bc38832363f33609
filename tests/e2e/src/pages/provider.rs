//! The provider's pages: who, and what.

use serde_json::Value;

use super::{ErrorPage, SignedInPage};
use crate::{Context, Result, Tab};

/// The provider's page that asks who signs in.
#[derive(Clone, Debug)]
pub struct ProviderPage {
    tab: Tab,
}

const PERSON: &str = "button[name=person]";
const DECISION: &str = "button[name=decision]";
const ORGANIZATION: &str = "input[name=organization]";

impl ProviderPage {
    /// Waits until the provider asks, who or what.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        tab.wait_for(&format!("{PERSON}, {DECISION}")).await?;
        Ok(Self { tab: tab.clone() })
    }

    /// Signs in as this person. The provider then asks what the app may have.
    ///
    /// # Errors
    /// If it does not.
    pub async fn person(&self, person: &str) -> Result<Consent> {
        self.tab.click(&format!("{PERSON}[value={person}]")).await?;
        Consent::wait(&self.tab).await
    }

    /// Signs in as this person and allows everything, without an organization chosen.
    ///
    /// # Errors
    /// If that does not lead to a signed-in page.
    pub async fn allow_as(&self, person: &str) -> Result<SignedInPage> {
        self.person(person).await?.allow().await
    }

    /// Signs in as this person and allows everything, although the app will refuse the answer.
    ///
    /// # Errors
    /// If that does not lead to an error page.
    pub async fn allow_in_vain(&self, person: &str) -> Result<ErrorPage> {
        self.person(person).await?.decide("allow").await?;
        ErrorPage::wait(&self.tab).await
    }
}

/// An organization as the provider names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// The provider's page that asks what the app may have.
#[derive(Clone, Debug)]
pub struct Consent {
    tab: Tab,
}

impl Consent {
    /// Waits until the provider asks.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        tab.wait_for(DECISION).await?;
        Ok(Self { tab: tab.clone() })
    }

    /// The organizations that can be chosen, in their order.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn organizations(&self) -> Result<Vec<Organization>> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), input => {
            const [name, slug] = ['strong', 'small'].map(part => input.closest('label').querySelector(part).textContent);
            return [input.value, name, slug];
        })";
        let offered = self.tab.eval(script, &[ORGANIZATION]).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
        let read = |row: &Value| Ok(Organization { id: text(&row[0])?, name: text(&row[1])?, slug: text(&row[2])? });
        offered.as_array().into_iter().flatten().map(read).collect()
    }

    /// `radio` if exactly one is to be chosen, `checkbox` if any number may be.
    ///
    /// # Errors
    /// If there is no organization to choose.
    pub async fn kind_of_choice(&self) -> Result<String> {
        self.tab.attribute(ORGANIZATION, "type").await?.context("no organization to choose")
    }

    /// Chooses an organization.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn choose(&self, organization: &Organization) -> Result<&Self> {
        self.tab.click(&format!("{ORGANIZATION}[value=\"{}\"]", organization.id)).await?;
        Ok(self)
    }

    /// Allows it.
    ///
    /// # Errors
    /// If that does not lead to a signed-in page.
    pub async fn allow(&self) -> Result<SignedInPage> {
        self.decide("allow").await?;
        SignedInPage::wait(&self.tab).await
    }

    /// Denies it.
    ///
    /// # Errors
    /// If that does not lead to an error page.
    pub async fn deny(&self) -> Result<ErrorPage> {
        self.decide("deny").await?;
        ErrorPage::wait(&self.tab).await
    }

    /// Presses `allow` or `deny`, wherever that leads.
    ///
    /// # Errors
    /// If there is no such button.
    pub async fn decide(&self, decision: &str) -> Result {
        self.tab.click(&format!("{DECISION}[value={decision}]")).await
    }
}
