//! After a sign-in.

use super::{StartPage, wait_for_view};
use crate::{Context, Result, Tab};

/// The app with somebody signed in.
#[derive(Clone, Debug)]
pub struct SignedInPage {
    tab: Tab,
}

/// What the page says about organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// `selected`, `organizations`, `itself`, …
    pub kind: String,
    /// Id and text of each that is listed.
    pub organizations: Vec<(String, String)>,
    /// All the words.
    pub text: String,
}

impl SignedInPage {
    /// Waits until this tab shows it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        wait_for_view(tab, "signed-in").await?;
        Ok(Self { tab: tab.clone() })
    }

    /// The tab.
    #[must_use]
    pub fn tab(&self) -> &Tab {
        &self.tab
    }

    /// A field as it is shown: `name`, `email`, `email-verified`, `expires`, `signed-in-at`.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn field(&self, name: &str) -> Result<String> {
        let css = format!("[data-field={name}]");
        self.tab.wait_for(&css).await?;
        self.tab.text(&css).await
    }

    /// The subject, which is folded away with the claims.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn subject(&self) -> Result<String> {
        self.content("[data-field=subject]").await
    }

    /// A claim of the ID token as it is shown.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn claim(&self, name: &str) -> Result<String> {
        self.content(&format!("[data-claim=\"{name}\"]")).await
    }

    /// A claim of userinfo as it is shown, once it has come.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn userinfo(&self, name: &str) -> Result<String> {
        self.content(&format!("[data-userinfo=\"{name}\"]")).await
    }

    /// Claims may stand in a part of the page that is folded away.
    async fn content(&self, css: &str) -> Result<String> {
        self.tab.wait_for(css).await?;
        let text = self.tab.eval_text("return document.querySelector(arguments[0]).textContent.trim()", &[css]).await;
        text.context(format!("there is no {css}"))
    }

    /// The scopes that were `requested` or `granted`.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn scopes(&self, which: &str) -> Result<Vec<String>> {
        let script = "return Array.from(document.querySelectorAll(`[data-scope-${arguments[0]}]`), element =>
            element.getAttribute(`data-scope-${arguments[0]}`) || element.textContent.trim())";
        let scopes = self.tab.eval(script, &[which]).await?;
        Ok(scopes.as_array().into_iter().flatten().filter_map(|scope| scope.as_str().map(str::to_owned)).collect())
    }

    /// Which organizations this sign-in reaches, once that is known.
    ///
    /// # Errors
    /// If it stays unknown.
    pub async fn reach(&self) -> Result<Reach> {
        const REACH: &str = "[data-reach]:not([data-reach=waiting])";
        self.tab.wait_for(REACH).await?;
        let listed = self.tab.eval(LISTED, &[REACH]);
        let listed = listed.await?;
        let pair = |value: &serde_json::Value| Some((value[0].as_str()?.to_owned(), value[1].as_str()?.to_owned()));
        Ok(Reach {
            kind: self.tab.attribute(REACH, "data-reach").await?.context("no reach")?,
            organizations: listed.as_array().into_iter().flatten().filter_map(pair).collect(),
            text: self.tab.text(REACH).await?,
        })
    }

    /// Why organizations could not be had.
    ///
    /// # Errors
    /// If nothing says so.
    pub async fn reach_failed_by(&self) -> Result<String> {
        self.tab.wait_for("[data-reach=failed] [data-reason]").await?;
        self.tab.attribute("[data-reach=failed] [data-reason]", "data-reason").await?.context("no reason")
    }

    /// Asks for organizations again, after they could not be had.
    ///
    /// # Errors
    /// If there is no such button.
    pub async fn try_organizations_again(&self) -> Result {
        self.tab.click("#retry-organizations").await
    }

    /// Why userinfo could not be had.
    ///
    /// # Errors
    /// If nothing says so.
    pub async fn userinfo_failed_by(&self) -> Result<String> {
        self.tab.wait_for("[data-userinfo-failed]").await?;
        self.tab.attribute("[data-userinfo-failed]", "data-userinfo-failed").await?.context("no reason")
    }

    /// Asks for userinfo again, after it could not be had.
    ///
    /// # Errors
    /// If there is no such button.
    pub async fn try_userinfo_again(&self) -> Result {
        self.tab.click("#retry-userinfo").await
    }

    /// Signs out.
    ///
    /// # Errors
    /// If that does not lead to the start page.
    pub async fn sign_out(&self) -> Result<StartPage> {
        self.tab.click("#sign-out").await?;
        StartPage::wait(&self.tab).await
    }
}

/// All that are listed, also those that a long list makes no elements for before they come into view.
const LISTED: &str = "
    const all = new Map();
    const look = () => document.querySelectorAll(arguments[0] + ' [data-organization]').forEach(element =>
        all.set(element.dataset.organization, element.textContent.replace(/\\s+/g, ' ').trim()));
    look();
    const list = document.querySelector(arguments[0] + ' [role=listbox]');
    if (list) {
        const at = list.scrollTop;
        const scroll = to => { list.scrollTop = to; list.dispatchEvent(new Event('scroll')); look(); };
        for (let to = 0; to < list.scrollHeight; to += list.clientHeight) scroll(to);
        scroll(at);
    }
    return Array.from(all);";
