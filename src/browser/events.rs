//! A listener as a handle: it listens for as long as the handle lives.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget};

/// Listens until it is dropped.
#[must_use = "dropping the handle removes the listener"]
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    closure: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Calls back for every event of this kind at the target.
    pub fn new(target: &EventTarget, kind: &'static str, callback: impl Fn(Event) + 'static) -> Self {
        Self::boxed(target, kind, Box::new(callback))
    }

    /// As [`Listener::new`] where the target may be missing: then there is nothing to hear.
    pub(super) fn maybe<T: AsRef<EventTarget>>(
        target: Option<T>,
        kind: &'static str,
        callback: impl Fn(Event) + 'static,
    ) -> Option<Self> {
        target.map(|target| Self::boxed(target.as_ref(), kind, Box::new(callback)))
    }

    fn boxed(target: &EventTarget, kind: &'static str, callback: Box<dyn Fn(Event)>) -> Self {
        let closure = Closure::wrap(callback);
        let _ = target.add_event_listener_with_callback(kind, closure.as_ref().unchecked_ref());
        Self { target: target.clone(), kind, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.kind, self.closure.as_ref().unchecked_ref());
    }
}
