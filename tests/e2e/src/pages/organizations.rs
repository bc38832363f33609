//! The long list of organizations.

use fantoccini::key::Key;

use crate::{Context, Failure, Result, Tab};

/// The list on the signed-in page, where it is a long one.
#[derive(Clone, Debug)]
pub struct Organizations {
    tab: Tab,
}

impl Organizations {
    /// Waits until this tab shows it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn wait(tab: &Tab) -> Result<Self> {
        tab.wait_for("#organizations-list [role=option]").await?;
        Ok(Self { tab: tab.clone() })
    }

    /// Types into the field, in place of what is there.
    ///
    /// # Errors
    /// If there is none.
    pub async fn search(&self, text: &str) -> Result {
        self.tab.type_into("#filter", text).await
    }

    /// What is said of a search.
    ///
    /// # Errors
    /// If nothing is.
    pub async fn found(&self) -> Result<String> {
        self.tab.text("[data-found][role=status][aria-live=polite]").await
    }

    /// What stands in place of rows.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn nothing(&self) -> Result<String> {
        self.tab.text("[data-nothing]").await
    }

    /// How many rows the list says that there are.
    ///
    /// # Errors
    /// If it has none in the page.
    pub async fn size(&self) -> Result<u64> {
        self.number("#organizations-list [role=option]", "aria-setsize").await
    }

    /// How many rows are elements of the page.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn elements(&self) -> Result<u64> {
        self.tab.count("#organizations-list [role=option]").await
    }

    /// The places, from 1, of the rows that can be seen from top to bottom.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn seen(&self) -> Result<Vec<u64>> {
        // Where they are, not what the list says of them.
        let places = self.tab.eval(
            "const list = document.querySelector('#organizations-list').getBoundingClientRect();
             return Array.from(document.querySelectorAll('#organizations-list [role=option]')).filter(row => {
                 const { top, bottom, height } = row.getBoundingClientRect();
                 return height > 0 && bottom > list.top + 1 && top < list.bottom - 1;
             }).sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
               .map(row => Number(row.getAttribute('aria-posinset')))",
            &[],
        );
        Ok(places.await?.as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64).collect())
    }

    /// Scrolls as a wheel does, and waits for two frames.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn scroll_to(&self, part: f64) -> Result {
        let script = "const list = document.querySelector('#organizations-list');
            list.scrollTop = (list.scrollHeight - list.clientHeight) * Number(arguments[0]);
            delete window.scrolled;
            requestAnimationFrame(() => requestAnimationFrame(() => window.scrolled = true));";
        self.tab.eval(script, &[&part.to_string()]).await?;
        self.tab.until("it is scrolled", "return window.scrolled === true", &[]).await
    }

    /// Puts the focus on the field, as a click would.
    ///
    /// # Errors
    /// If there is none.
    pub async fn enter_field(&self) -> Result {
        self.tab.click("#filter").await
    }

    /// Where the focus is: an id.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn focus(&self) -> Result<String> {
        self.tab.eval_text("return document.activeElement.id", &[]).await
    }

    /// Which row is the active one, by its place from 1 and its name. It is an element, can be seen, and
    /// looks as one that has the focus.
    ///
    /// # Errors
    /// If any of that is not so.
    pub async fn active(&self) -> Result<(u64, String)> {
        self.tab
            .until(
                "the active row can be seen",
                "const list = document.querySelector('#organizations-list');
                 const row = document.getElementById(list.getAttribute('aria-activedescendant') ?? '');
                 if (!row || document.querySelectorAll('[data-active]').length !== 1 || !row.matches('[data-active]')) return false;
                 const [outer, inner] = [list, row].map(element => element.getBoundingClientRect());
                 return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1
                     && (!list.matches(':focus-visible') || getComputedStyle(row).outlineStyle === 'solid');",
                &[],
            )
            .await?;
        let place = self.number("[data-active]", "aria-posinset").await?;
        let script = "return [...document.querySelectorAll('[data-active] :is(strong, small:not([aria-hidden=true]))')]
            .map(part => part.textContent).join(', ')";
        let name = self.tab.eval_text(script, &[]).await?;
        Ok((place, name))
    }

    /// Goes to the row of this place, from 1, by the keyboard alone.
    ///
    /// # Errors
    /// If it does not come there.
    pub async fn activate(&self, place: u64) -> Result {
        self.enter_field().await?;
        self.tab.press(Key::Down).await?;
        self.tab.press(Key::Home).await?;
        for _ in 1..place {
            self.tab.press(Key::Down).await?;
        }
        match self.active().await? {
            (at, _) if at == place => Ok(()),
            (at, _) => Err(Failure::new(format!("it is at {at}"))),
        }
    }

    /// Asks for all of them.
    ///
    /// # Errors
    /// If there is no such button.
    pub async fn show_all(&self) -> Result {
        self.tab.click("#show-all").await
    }

    /// Stops what is under way.
    ///
    /// # Errors
    /// If there is no such button.
    pub async fn cancel(&self) -> Result {
        self.tab.click("#cancel-all").await
    }

    /// Waits until so many are here, and more to come.
    ///
    /// # Errors
    /// If that does not come.
    pub async fn come_to(&self, number: u64) -> Result {
        self.tab.wait_for(&format!("[data-so-far='{number}'] progress[value='{number}']")).await
    }

    /// Waits until none is left to be fetched.
    ///
    /// # Errors
    /// If that does not come.
    pub async fn are_all_listed(&self) -> Result {
        self.tab.wait_for("[data-more] > p[role=status]").await
    }

    async fn number(&self, css: &str, name: &str) -> Result<u64> {
        let value = self.tab.attribute(css, name).await?.context(format!("there is no {css}"))?;
        value.parse().context(value)
    }
}
