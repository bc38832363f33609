//! The page's own address: reading it, cleaning it, leaving it, and coming back.

use js_sys::{Array, Object, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CustomEvent, CustomEventInit, Document, Location, PageTransitionEvent};

use super::{events::Listener, member};

/// The whole address of this page.
pub fn page_url() -> String {
    location().and_then(|location| location.href().ok()).unwrap_or_default()
}

/// The whole address that this page was opened at. A script that runs before ours may have cleaned
/// the address bar already; it hands the original over, once, to whoever asks by this event.
pub fn opened_at() -> String {
    ask("polar-signin:opened-at").as_string().unwrap_or_else(page_url)
}

/// What a script that runs before ours has of the settings, once: those that the page holds, or those that it has asked
/// the host for. Nothing if there is no such script, or if it got none.
pub async fn settings() -> Option<String> {
    let promise: Promise = ask("polar-signin:settings").dyn_into().ok()?;
    JsFuture::from(promise).await.ok()?.as_string()
}

/// Asks scripts that ran before ours, by an event; the first answer.
fn ask(event: &str) -> JsValue {
    let answers = Array::new();
    let init = CustomEventInit::new();
    init.set_detail(&answers);
    let event = CustomEvent::new_with_event_init_dict(event, &init);
    if let (Some(window), Ok(event)) = (web_sys::window(), event) {
        let _ = window.dispatch_event(&event);
    }
    answers.get(0)
}

/// The folder that this page lies in, with its closing `/`: what relative links are resolved
/// against. A `<base>` element counts; query and fragment do not.
pub fn base_url() -> String {
    let mut base = document().and_then(|document| document.base_uri().ok().flatten()).unwrap_or_default();
    if let Some(end) = base.find(['?', '#']) {
        base.truncate(end);
    }
    if let Some(slash) = base.rfind('/') {
        base.truncate(slash + 1);
    }
    base
}

/// Whether a browser without a network may reach this all the same: this machine itself, and the
/// page's own origin (which a service worker may serve). In doubt yes: then the browser decides.
pub(super) fn is_near(url: &str) -> bool {
    let own = location().and_then(|location| location.origin().ok());
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    own.is_some_and(|own| url.starts_with(&own))
        || host.is_none_or(|host| ["127.", "localhost", "[::1]"].iter().any(|near| host.starts_with(near)))
}

/// The fragment of the address, with its `#`; empty if there is none.
pub fn hash() -> String {
    location().and_then(|location| location.hash().ok()).unwrap_or_default()
}

/// Puts another address of the same origin in the address bar and in the history's entry, without
/// loading anything. What the host page keeps in `history.state` stays. Says whether the browser
/// did it: it refuses another origin, and too many calls in a short time.
pub fn replace_url(url: &str) -> bool {
    let Some(history) = web_sys::window().and_then(|window| window.history().ok()) else { return false };
    let state = history.state().unwrap_or(JsValue::NULL);
    history.replace_state_with_url(&state, "", Some(url)).is_ok()
}

/// Leaves for another page; the way back leads here. Says whether the browser took the address.
pub fn leave(url: &str) -> bool {
    location().is_some_and(|location| location.assign(url).is_ok())
}

/// Leaves for another page, which takes this one's place in the history. Says whether the browser
/// took the address.
pub fn replace(url: &str) -> bool {
    location().is_some_and(|location| location.replace(url).is_ok())
}

/// Loads this page anew.
pub fn reload() {
    if let Some(location) = location() {
        let _ = location.reload();
    }
}

/// Whether this page is shown inside another. If the browser will not say, it is.
pub fn is_framed() -> bool {
    let Some(window) = web_sys::window() else { return false };
    match window.top() {
        Ok(Some(top)) => !Object::is(&top, &window),
        Ok(None) | Err(_) => true,
    }
}

/// Whether the browser prepares this page ahead of a visit that may never come.
pub fn is_prerendering() -> bool {
    // Not in every browser; where it is missing, pages are not prepared. A page can have an image of this
    // name, which is no `true` either.
    document().is_some_and(|document| member(&document, "prerendering") == JsValue::TRUE)
}

/// Waits until a person visits this page; at once unless it is being prepared.
pub async fn activated() {
    let Some(document) = document() else { return };
    if !is_prerendering() {
        return;
    }
    let visited = Promise::new(&mut |resolve, _| {
        let _ = document.add_event_listener_with_callback("prerenderingchange", &resolve);
    });
    let _ = JsFuture::from(visited).await;
}

/// Calls back whenever the page is shown; with `true` if it comes back from the history just as
/// it was left, with everything in its memory as old as that.
pub fn on_page_show(callback: impl Fn(bool) + 'static) -> Option<Listener> {
    Listener::maybe(web_sys::window(), "pageshow", move |event| {
        callback(event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted));
    })
}

/// Calls back when this page is left, for another or for the browser's memory.
pub fn on_page_hide(callback: impl Fn() + 'static) -> Option<Listener> {
    Listener::maybe(web_sys::window(), "pagehide", move |_| callback())
}

/// Calls back whenever the fragment of the address changes.
pub fn on_hash_change(callback: impl Fn() + 'static) -> Option<Listener> {
    Listener::maybe(web_sys::window(), "hashchange", move |_| callback())
}

fn document() -> Option<Document> {
    web_sys::window().and_then(|window| window.document())
}

fn location() -> Option<Location> {
    web_sys::window().map(|window| window.location())
}
