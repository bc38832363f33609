//! What must be true of every page after every test: a quiet console, and no secret where none
//! belongs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Context, Failure, Result, Stage, Tab,
    browser::{Browser, LogEntry},
    insert::overhear,
    provider::Seen,
};

/// Words in a console that no test may cause.
const ALARMS: [&str; 7] =
    ["panicked", "securitypolicyviolation", "unhandledrejection", "Uncaught", "RuntimeError", "Refused to", "violates"];

/// What the address of the provider's own page holds, by the standard.
const AT_PROVIDER: [&str; 2] = ["state", "nonce"];

/// Makes every later page of the site tell the console what it would keep to itself.
///
/// # Errors
/// If the browser refuses.
pub async fn watch(tab: &Tab, origin: &str) -> Result {
    if !tab.browser().engine().has_cdp() {
        tab.before_every_page(&overhear()).await?;
    }
    tab.before_every_page(&format!(
        "if (location.origin === {origin:?}) {{
            addEventListener('securitypolicyviolation', event =>
                console.error('securitypolicyviolation: ' + event.effectiveDirective + ' ' + event.blockedURI));
            addEventListener('unhandledrejection', event => console.error('unhandledrejection: ' + event.reason));
        }}"
    ))
    .await
}

/// Looks at every tab of a browser that is on the site.
///
/// # Errors
/// What is not as it should be.
pub async fn check(browser: &Browser, stage: &Stage) -> Result {
    let at_provider = format!("{}/oauth2/authorize?", stage.provider().origin());
    check_for(browser, stage, &Secrets::of_provider(stage).await?, &at_provider).await
}

/// The same for a provider that knows these secrets and whose page of authorization begins so.
///
/// # Errors
/// What is not as it should be.
pub(crate) async fn check_for(browser: &Browser, stage: &Stage, secrets: &Secrets, at_provider: &str) -> Result {
    let site = stage.gateway().origin();
    for handle in browser.windows().await? {
        let tab = Tab::new(browser.clone(), handle);
        if tab.url().await?.starts_with(&site) {
            let mut secrets = secrets.clone();
            secrets.add_kept(&tab).await?;
            check_places(&tab, &secrets, &site).await?;
        }
    }
    check_console(browser, secrets, at_provider).await
}

async fn check_console(browser: &Browser, secrets: &Secrets, at_provider: &str) -> Result {
    let console = browser.console().await?;
    if let Some(alarm) = alarm(&console) {
        return Err(Failure::new(alarm));
    }
    // What the browser itself says of the provider's pages begins with their address.
    for line in console {
        let ours = !line.message.starts_with(at_provider);
        let secrets = if ours { secrets.clone() } else { secrets.without(&AT_PROVIDER) };
        secrets.not_in(&line.message, "the console")?;
    }
    Ok(())
}

/// What no test may cause, if it is there.
pub(crate) fn alarm(console: &[LogEntry]) -> Option<String> {
    let is_alarm = |line: &&LogEntry| ALARMS.iter().any(|alarm| line.message.contains(alarm));
    console.iter().find(is_alarm).map(|line| format!("in the console: {}", line.message))
}

async fn check_places(tab: &Tab, secrets: &Secrets, site: &str) -> Result {
    let places = tab.eval(PLACES, &[]).await?;
    for (place, text) in places.as_object().context("no places")? {
        secrets.not_in(text.as_str().unwrap_or_default(), place)?;
    }
    for (key, record) in session_records(tab).await? {
        let belongs = match key.splitn(4, ':').nth(3) {
            Some("session") => &["access_token", "refresh_token", "id_token", "nonce"][..],
            Some(rest) if rest.starts_with("transaction:") => &["nonce", "code_verifier"][..],
            _ => &[][..],
        };
        secrets.without(belongs).not_in(&record, &format!("sessionStorage {key}"))?;
    }
    if tab.browser().engine().has_cdp() {
        let history = tab.cdp("Page.getNavigationHistory", Value::Object(serde_json::Map::new())).await?;
        for entry in history["entries"].as_array().context("no history")? {
            let url = entry["url"].as_str().unwrap_or_default();
            let ours = url.starts_with(site);
            if ours {
                secrets.not_in(url, "the history")?
            } else {
                secrets.without(&AT_PROVIDER).not_in(url, "the history")?
            }
        }
    }
    Ok(())
}

/// Everything that a page can read, but for session storage.
const PLACES: &str = "
    const places = {
        'the address': location.href,
        'the page': document.documentElement.outerHTML,
        'the fields': Array.from(document.querySelectorAll('input, textarea'), field => field.value).join('\\n'),
        'the title': document.title,
        'window.name': window.name,
        'history.state': JSON.stringify(history.state) ?? '',
        'the referrer': document.referrer,
    };
    try { places['cookies'] = document.cookie; } catch {}
    try { places['localStorage'] = JSON.stringify({ ...localStorage }); } catch {}
    try { places['the entries'] = navigation.entries().map(entry => entry.url).join('\\n'); } catch {}
    try { places['globals'] = Object.keys(window).map(name => typeof window[name] === 'string' ? window[name] : '').join('\\n'); } catch {}
    return places;";

/// What session storage holds: keys and values.
///
/// # Errors
/// If the page does not answer.
pub async fn session_records(tab: &Tab) -> Result<Vec<(String, String)>> {
    let script = "try { return { ...sessionStorage } } catch { return {} }";
    let records = tab.eval(script, &[]).await?;
    let records = records.as_object().context("no records")?;
    Ok(records.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
}

/// The real values of this test, by kind.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeSet<(String, String)>);

impl Secrets {
    /// Those that the provider has seen.
    ///
    /// # Errors
    /// If the provider does not answer.
    pub async fn of_provider(stage: &Stage) -> Result<Self> {
        Ok(Self::in_requests(&stage.provider().requests().await?))
    }

    /// Those in what a provider was asked for.
    pub(crate) fn in_requests(requests: &[Seen]) -> Self {
        let mut secrets = Self::default();
        for seen in requests {
            for (name, value) in &seen.query {
                if matches!(name.as_str(), "state" | "nonce") {
                    secrets.add(name, value);
                }
            }
            for (name, value) in seen.form() {
                if matches!(name.as_str(), "code" | "code_verifier" | "refresh_token") {
                    secrets.add(&name, &value);
                }
            }
            let authorization = seen.headers.get("authorization").and_then(|value| value.split_once(' '));
            if let Some(("Bearer" | "DPoP", token)) = authorization {
                secrets.add("access_token", token);
            }
            if let Some(proof) = seen.headers.get("dpop") {
                secrets.add("proof", proof);
            }
        }
        secrets
    }

    /// Those that a session of this tab holds.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn add_kept(&mut self, tab: &Tab) -> Result {
        for (_, record) in session_records(tab).await? {
            let record: Value = serde_json::from_str(&record).unwrap_or_default();
            for name in ["access_token", "refresh_token", "id_token", "nonce", "code_verifier"] {
                if let Some(value) = record[name].as_str() {
                    self.add(name, value);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, kind: &str, value: &str) {
        // Shorter texts are in a page by chance.
        if value.len() >= 16 {
            self.0.insert((kind.to_owned(), value.to_owned()));
        }
    }

    /// The kinds of which there is at least one.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(kind, _)| kind.as_str()).collect()
    }

    fn without(&self, kinds: &[&str]) -> Self {
        Self(self.0.iter().filter(|(kind, _)| !kinds.contains(&kind.as_str())).cloned().collect())
    }

    /// That none of them is in this text.
    ///
    /// # Errors
    /// The kind that is, and the place.
    pub fn not_in(&self, text: &str, place: &str) -> Result {
        match self.0.iter().find(|(_, value)| text.contains(value.as_str())) {
            None => Ok(()),
            Some((kind, _)) => Err(Failure::new(format!("the {kind} is in {place}"))),
        }
    }
}
