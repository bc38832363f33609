//! A window of its own: opened in a click, sent somewhere, listened to, closed.
//!
//! A page in such a window hands the query of its address to whoever opened it with [`relay`]. If
//! another page in between has cut the window off from its opener, that opener looks for nothing but
//! `closed`, which is true at once, and a message has nobody to go to. So what is said goes over a
//! channel as well.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, Function, JsString, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, Event, Location, Window};

use super::{clock::Every, events::Listener, member, options};

/// What a message says of itself.
const KIND: &str = "polar-signin:callback";
/// The longest query that is looked at, in UTF-16 units.
const LONGEST: u32 = 32 * 1024;
/// How often to look whether the window is still there, in milliseconds.
const LOOK_EVERY: i64 = 250;
/// So many looks must have found it elsewhere. A window that a page cuts off can look so for a moment too.
const LOOKS: u8 = 3;

/// Opens an empty window. Browsers allow that only in a click, before anything is waited for. The new
/// window has a copy of what this tab keeps, and in it, and only there, something under this key.
#[must_use]
pub fn open(mark: &str) -> Option<Window> {
    let window = web_sys::window()?;
    let storage = window.session_storage().ok().flatten();
    if let Some(storage) = &storage {
        let _ = storage.set_item(mark, "1");
    }
    let features = "popup,width=480,height=720";
    let opened = window.open_with_url_and_target_and_features("about:blank", "_blank", features).ok().flatten();
    if let Some(storage) = &storage {
        let _ = storage.remove_item(mark);
    }
    opened
}

/// A window that was opened here. Dropping it closes it.
#[must_use = "dropping the handle closes the window"]
pub struct Popup(Window);

impl Popup {
    /// Takes a window over.
    pub fn new(window: Window) -> Self {
        Self(window)
    }

    /// Whether it is closed, or cut off from this page.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        is_closed(&self.0)
    }

    /// Sends it to this address, with no way back to the empty page. Says whether the browser took the
    /// address.
    pub fn send_to(&self, url: &str) -> bool {
        location(&self.0).replace(url).is_ok()
    }

    /// Calls back with each query that a page of this origin in this window relays, or that somebody
    /// says on the channel; and once when the window is closed, with `true` if it was seen open at
    /// another origin for a while before. Nothing of a message is copied before its origin, its window and its form
    /// are known to be right.
    pub fn watch(&self, channel: &str, heard: impl Fn(String) + 'static, closed: impl Fn(bool) + 'static) -> Watch {
        let (heard, own) = (Rc::new(heard), web_sys::window());
        let origin = own.as_ref().and_then(|own| own.location().origin().ok()).map(JsValue::from).unwrap_or_default();
        let (window, of_window) = (self.0.clone(), heard.clone());
        let messages = Listener::maybe(own, "message", move |event| {
            if Object::is(&member(&event, "origin"), &origin) && Object::is(&member(&event, "source"), &window) {
                query_of(&event).into_iter().for_each(|query| of_window(query));
            }
        });
        let line = BroadcastChannel::new(channel).ok().map(|line| {
            let listener = Listener::new(&line, "message", move |event| {
                query_of(&event).into_iter().for_each(|query| heard(query));
            });
            Line { line, _listener: listener }
        });
        let (window, away) = (self.0.clone(), Cell::new(0_u8));
        let every = Rc::new(RefCell::new(None));
        let own_every = Rc::downgrade(&every);
        *every.borrow_mut() = Some(Every::new(LOOK_EVERY, move || {
            if is_closed(&window) {
                // Once: from here on there is nothing to look at.
                let every = own_every.upgrade().and_then(|every| every.take());
                closed(away.get() >= LOOKS);
                drop(every);
            } else if is_away(&window) {
                away.set(away.get().saturating_add(1));
            }
        }));
        Watch { messages, _line: line, every }
    }
}

impl Drop for Popup {
    fn drop(&mut self) {
        let _ = self.0.close();
    }
}

/// Listens to a window and looks after it, until it is dropped.
#[must_use = "dropping the handle ends the watch"]
pub struct Watch {
    messages: Option<Listener>,
    _line: Option<Line>,
    every: Rc<RefCell<Option<Every>>>,
}

impl Watch {
    /// From now on only the channel is listened to.
    pub fn leave_window(&mut self) {
        self.messages = None;
        self.every.take();
    }
}

struct Line {
    line: BroadcastChannel,
    _listener: Listener,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.line.close();
    }
}

/// Hands a query to the page that opened this one, if it is of this origin, and to whoever listens on
/// the channel.
pub fn relay(query: &str, channel: &str) {
    let message = options(&[("v", 1.into()), ("type", KIND.into()), ("query", query.into())]);
    if let Some(window) = web_sys::window()
        && let (Ok(opener), Ok(origin)) = (window.opener(), window.location().origin())
        && let Ok(post) = member(&opener, "postMessage").dyn_into::<Function>()
    {
        // The browser delivers it to this origin alone, whoever the opener is by now.
        let _ = Reflect::apply(&post, &opener, &Array::of2(&message, &origin.into()));
    }
    if let Ok(line) = BroadcastChannel::new(channel) {
        let _ = line.post_message(&message);
        line.close();
    }
}

/// Closes the window that this page is in, if a page opened it.
pub fn close_own() {
    if let Some(window) = web_sys::window() {
        let _ = window.close();
    }
}

/// The query in a message, if it has exactly our form.
fn query_of(event: &Event) -> Option<String> {
    let data = member(event, "data").dyn_into::<Object>().ok()?;
    let own = |name: &str| {
        let property = Reflect::get_own_property_descriptor(&data, &name.into()).unwrap_or_default();
        member(&property, "value")
    };
    if own("v") != 1 || !Object::is(&own("type"), &KIND.into()) {
        return None;
    }
    let query = own("query").dyn_into::<JsString>().ok()?;
    (query.length() <= LONGEST).then(|| query.into())
}

fn is_closed(window: &Window) -> bool {
    window.closed().unwrap_or(true)
}

/// Whether it shows a page of another origin, whose address is not for us to read.
fn is_away(window: &Window) -> bool {
    location(window).href().is_err()
}

fn location(window: &Window) -> Location {
    // Another origin's window has one too, of which little can be used.
    member(window, "location").unchecked_into()
}
