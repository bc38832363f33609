//! The browser's capabilities, one a file, as thin as they can be.
//!
//! Nothing in here knows what is being asked for, kept or checked: there is no word of any
//! protocol in these files, and no user interface. Each file wraps one capability, returns plain
//! values, and gives handles that clean up when they are dropped. Nothing panics, whatever the
//! page around us has done to its globals before we came; a capability that is missing or
//! blocked is a value to be matched.
//!
//! | file | capability |
//! |---|---|
//! | [`http`] | one request, bounded in time and size |
//! | [`storage`] | text kept for this tab, or in memory where that is blocked |
//! | [`crypto`] | signatures checked, messages sealed, random bytes |
//! | `keys` | keys that sign and that nobody can read |
//! | [`channel`] | what the pages of one origin say to each other, sealed |
//! | [`locks`] | locks between them |
//! | [`dom`] | fields, focus, the clipboard |
//! | [`layout`] | how large things are, and how far they are scrolled |
//! | [`popup`] | a window of its own, and what it says |
//! | [`navigation`] | the page's own address, leaving it, coming back to it |
//! | [`clock`] | the time, timers, being seen, being online |
//! | [`events`] | the handle that the others give for a listener |

pub mod channel;
pub mod clock;
pub mod crypto;
pub mod dom;
pub mod events;
pub mod http;
#[cfg(feature = "dpop")]
pub mod keys;
pub mod layout;
pub mod locks;
pub mod navigation;
pub mod popup;
pub mod storage;

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// An options object for a browser function: no prototype, own members alone. A plain `{}` also
/// has whatever somebody put on `Object.prototype`, and `fetch` and `importKey` would obey that.
fn options(members: &[(&str, JsValue)]) -> Object {
    let object = Object::create(JsValue::NULL.unchecked_ref());
    for (name, value) in members {
        // Cannot fail: the object is ours, ordinary and extensible.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object
}

/// A member of something that we did not make; `undefined` also if reading it throws.
fn member(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}
