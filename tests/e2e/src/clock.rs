//! A clock that a test can set. A page cannot set the machine's: its `Date.now` is replaced before
//! the app starts, by one that is ahead by what the tab's session storage says.
//!
//! Timers go on in real time, as they do in a browser whose machine's clock is set.

use serde_json::Value;

use crate::{Result, Tab};

/// Where the tab's own clock is ahead, in milliseconds. Copied with the tab.
const AHEAD: &str = "test:ahead";

/// Gives every later page of this tab such a clock.
///
/// # Errors
/// If the browser refuses.
pub async fn install(tab: &Tab) -> Result {
    tab.before_every_page(&format!(
        "{{ const real = Date.now.bind(Date);
            Date.now = () => {{
                let ahead = 0;
                try {{ ahead = Number(sessionStorage.getItem('{AHEAD}') ?? 0) }} catch {{}}
                return real() + ahead;
            }};
        }}"
    ))
    .await
}

/// Sets the tab's clock forward by so many seconds, or back. Nothing tells the page.
///
/// # Errors
/// If the page does not answer.
pub async fn jump(tab: &Tab, seconds: i64) -> Result {
    let script = format!(
        "sessionStorage.setItem('{AHEAD}', Number(sessionStorage.getItem('{AHEAD}') ?? 0) + Number(arguments[0]) * 1000)"
    );
    tab.eval(&script, &[&seconds.to_string()]).await.map(|_: Value| ())
}

/// What a browser tells its pages when it is woken or comes to be seen.
///
/// # Errors
/// If the page does not answer.
pub async fn wake(tab: &Tab) -> Result {
    // A tab behind others would say that it is not seen.
    let script = "Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'visible' });
        document.dispatchEvent(new Event('visibilitychange'))";
    tab.eval(script, &[]).await.map(|_| ())
}

/// Stops everything in a page, as a browser does with one that has not been seen for long.
///
/// # Errors
/// If the browser is no Chromium.
pub async fn freeze(tab: &Tab) -> Result {
    tab.cdp("Page.setWebLifecycleState", serde_json::json!({ "state": "frozen" })).await.map(|_| ())
}

/// Lets it go on.
///
/// # Errors
/// If the browser is no Chromium.
pub async fn thaw(tab: &Tab) -> Result {
    tab.cdp("Page.setWebLifecycleState", serde_json::json!({ "state": "active" })).await.map(|_| ())
}
