//! Locks between the pages of one origin (Web Locks). The browser itself gives them back when a page ends.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use super::{member, options};

/// A lock that is held or waited for. Dropping it gives it back, or ends the wait.
#[must_use = "dropping the handle gives the lock back"]
pub struct Lock {
    waiting: Option<AbortController>,
    release: Option<Function>,
    _granted: Option<Closure<dyn FnMut(JsValue) -> Promise>>,
}

impl Lock {
    /// Asks for the lock of this name; calls back once it is held. A browser without locks, or one
    /// that refuses (an opaque origin), calls back as well: the page is then on its own.
    pub fn request(name: &str, held: impl FnOnce() + 'static) -> Self {
        let locks = web_sys::window().map(|window| member(&window.navigator(), "locks")).unwrap_or_default();
        let Ok(request) = member(&locks, "request").dyn_into::<Function>() else {
            spawn_local(async move { held() });
            return Self { waiting: None, release: None, _granted: None };
        };
        let mut release = None;
        let released = Promise::new(&mut |resolve, _| release = Some(resolve));
        let held = std::rc::Rc::new(std::cell::Cell::new(Some(Box::new(held) as Box<dyn FnOnce()>)));
        let waiting = AbortController::new().ok();
        let signal = waiting.as_ref().map_or(JsValue::UNDEFINED, |controller| controller.signal().into());
        let first = held.clone();
        let granted = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_| {
            if let Some(held) = first.take() {
                held();
            }
            released.clone()
        });
        let settings = options(&[("mode", "exclusive".into()), ("signal", signal)]);
        let answer = Reflect::apply(&request, &locks, &js_sys::Array::of3(&name.into(), &settings, granted.as_ref()));
        let aborted = waiting.clone();
        spawn_local(async move {
            let failed = match answer.map(|answer| answer.dyn_into::<Promise>()) {
                Ok(Ok(promise)) => JsFuture::from(promise).await.is_err(),
                _ => true,
            };
            // Refused, and not because we gave up.
            let given_up = aborted.is_some_and(|controller| controller.signal().aborted());
            if let Some(held) = held.take().filter(|_| failed && !given_up) {
                held();
            }
        });
        Self { waiting, release, _granted: Some(granted) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
        // After the lock is held this does nothing.
        if let Some(waiting) = &self.waiting {
            waiting.abort();
        }
    }
}
