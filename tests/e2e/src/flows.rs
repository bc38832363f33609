//! Walks that many tests begin or end with.

use serde_json::{Value, json};

use crate::{
    Failure, Result, Stage, Tab,
    hygiene::session_records,
    pages::{ErrorPage, SignedInPage, StartPage},
    provider::USERINFO,
    tab::eventually,
};

/// What is kept begins so.
const OURS: &str = "polar-signin:";

/// A new browser in which this person has just signed in.
///
/// # Errors
/// If that does not work.
pub async fn signed_in_as(stage: &Stage, person: &str) -> Result<SignedInPage> {
    let tab = stage.tab().await?;
    StartPage::open(stage, &tab).await?.sign_in().await?.allow_as(person).await
}

/// A new browser in which this person has just tried to sign in, in vain.
///
/// # Errors
/// If that does not lead to an error page.
pub async fn refused_as(stage: &Stage, person: &str) -> Result<ErrorPage> {
    let tab = stage.tab().await?;
    StartPage::open(stage, &tab).await?.sign_in().await?.allow_in_vain(person).await
}

/// Allows whatever the provider asks of this person until the app has somebody signed in. The
/// provider may ask for everything, or, of a person it knows, for nothing.
///
/// # Errors
/// If nobody is signed in in the end.
pub async fn pass_the_provider(tab: &Tab, person: &str) -> Result<SignedInPage> {
    let steps = [format!("button[name=person][value={person}]"), "button[name=decision][value=allow]".to_owned()];
    let next = format!("{}, {}, main[data-view=signed-in]:not(#shell)", steps[0], steps[1]);
    loop {
        tab.wait_for(&next).await?;
        let mut asked = false;
        for step in &steps {
            if tab.has(step).await? {
                tab.click(step).await?;
                tab.until("the provider goes on", "return document.querySelector(arguments[0]) === null", &[step])
                    .await?;
                asked = true;
            }
        }
        if !asked {
            return SignedInPage::wait(tab).await;
        }
    }
}

/// A browser that signs in again and again, at a provider that knows Olive and asks her nothing.
#[derive(Debug)]
pub struct Repeated {
    stage: Stage,
    tab: Tab,
}

impl Repeated {
    /// Nobody has signed in yet.
    ///
    /// # Errors
    /// If the browser does not start.
    pub async fn new(stage: &Stage) -> Result<Self> {
        stage.provider().settings(json!({ "auto_sign_in": "olive", "auto_consent": true })).await?;
        Ok(Self { stage: stage.clone(), tab: stage.tab().await? })
    }

    /// The browser's tab.
    #[must_use]
    pub fn tab(&self) -> &Tab {
        &self.tab
    }

    /// Presses the button, wherever that leads.
    ///
    /// # Errors
    /// If there is no start page with a button.
    pub async fn begin(&self) -> Result {
        StartPage::open(&self.stage, &self.tab).await?;
        self.tab.click("#sign-in").await
    }

    /// Signs in with this fault in the way, and says how that was refused: with one request that
    /// has the code, none for userinfo, and nothing kept.
    ///
    /// # Errors
    /// If it was not refused, or not so.
    pub async fn refused(&self, fault: Value) -> Result<String> {
        let posts = self.stage.provider().code_posts().await?.len();
        let userinfos = self.stage.provider().requests_to("GET", USERINFO).await?.len();
        self.stage.provider().fault(fault).await?;
        self.begin().await?;
        let page = ErrorPage::wait(&self.tab).await?;
        codes_were_sent(&self.stage, posts + 1).await?;
        nothing_is_kept(&self.tab).await?;
        if !page.offers_a_way_on().await? {
            return Err(Failure::new("there is no way on"));
        }
        if self.stage.provider().requests_to("GET", USERINFO).await?.len() != userinfos {
            return Err(Failure::new("userinfo was asked for"));
        }
        page.code().await
    }

    /// Signs in.
    ///
    /// # Errors
    /// If that does not work.
    pub async fn accepted(&self) -> Result<SignedInPage> {
        self.begin().await?;
        SignedInPage::wait(&self.tab).await
    }
}

/// Waits until the provider got so many requests of this method for this path.
///
/// # Errors
/// If it does not get as many, or gets more.
pub async fn asked_for(stage: &Stage, method: &str, path: &str, times: usize) -> Result {
    eventually(format!("waiting for {method} {path}, {times} times"), async || {
        match stage.provider().requests_to(method, path).await?.len() {
            seen if seen == times => Ok(()),
            seen => Err(Failure::new(format!("seen {seen} times"))),
        }
    })
    .await
}

/// The keys of what this tab keeps: `session`, `transaction:…`.
///
/// # Errors
/// If the page does not answer.
pub async fn kept(tab: &Tab) -> Result<Vec<String>> {
    let keys = session_records(tab).await?.into_iter().map(|(key, _)| key);
    // The third part is a hash of provider and client.
    Ok(keys
        .filter(|key| key.starts_with(OURS))
        .filter_map(|key| key.splitn(4, ':').nth(3).map(str::to_owned))
        .collect())
}

/// That this tab keeps a session and nothing else.
///
/// # Errors
/// If it does not.
pub async fn only_a_session_is_kept(tab: &Tab) -> Result {
    match kept(tab).await?.as_slice() {
        [one] if one == "session" => Ok(()),
        other => Err(Failure::new(format!("the tab keeps {other:?}"))),
    }
}

/// That this tab keeps nothing of ours.
///
/// # Errors
/// If it does.
pub async fn nothing_is_kept(tab: &Tab) -> Result {
    match kept(tab).await?.as_slice() {
        [] => Ok(()),
        some => Err(Failure::new(format!("the tab keeps {some:?}"))),
    }
}

/// That the provider got exactly so many codes.
///
/// # Errors
/// If it got more or fewer.
pub async fn codes_were_sent(stage: &Stage, times: usize) -> Result {
    match stage.provider().code_posts().await?.len() {
        sent if sent == times => Ok(()),
        sent => Err(Failure::new(format!("{sent} requests to the token endpoint, expected {times}"))),
    }
}
