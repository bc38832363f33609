//! The time, timers, and the two signals that a sleeping page wakes by.
//!
//! A timer in a browser may be late by any amount: hidden pages are throttled, machines sleep.
//! So nothing may conclude from a timer that its time has come: ask [`now_ms`], or listen with
//! [`on_visible`] as well.

use js_sys::{Date, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::VisibilityState;

use super::events::Listener;

/// The wall clock: milliseconds since 1970. It can jump, both ways.
pub fn now_ms() -> i64 {
    Date::now() as i64
}

/// Whether the browser thinks that it has a network. `true` means little, `false` that nothing
/// but this machine itself can be reached.
pub fn is_online() -> bool {
    web_sys::window().is_none_or(|window| window.navigator().on_line())
}

/// Calls back whenever the page comes to be seen.
pub fn on_visible(callback: impl Fn() + 'static) -> Option<Listener> {
    let document = web_sys::window().and_then(|window| window.document());
    Listener::maybe(document.clone(), "visibilitychange", move |_| {
        if document.as_ref().is_some_and(|document| document.visibility_state() == VisibilityState::Visible) {
            callback();
        }
    })
}

/// Calls back whenever the browser comes to think that it has a network.
pub fn on_online(callback: impl Fn() + 'static) -> Option<Listener> {
    Listener::maybe(web_sys::window(), "online", move |_| callback())
}

/// Calls back once, unless it is dropped first.
#[must_use = "dropping the handle cancels the timer"]
pub struct Timer {
    id: Option<i32>,
    _closure: Closure<dyn FnMut()>,
}

impl Timer {
    /// After so many milliseconds; at once if that is negative.
    ///
    /// A browser counts in 31 bits and lets a larger number overflow, so that the timer fires at
    /// once. Here it fires after 2^31 − 1 ms (24.8 days) at the latest instead: whoever waits for
    /// longer looks at the clock and sets it again.
    pub fn after(ms: i64, callback: impl FnOnce() + 'static) -> Self {
        Self::boxed(ms, Box::new(callback))
    }

    /// At this time of [`now_ms`]; at once if it has passed. Bounded as [`Timer::after`] is.
    pub fn at(time_ms: i64, callback: impl FnOnce() + 'static) -> Self {
        Self::boxed(time_ms.saturating_sub(now_ms()), Box::new(callback))
    }

    fn boxed(ms: i64, callback: Box<dyn FnOnce()>) -> Self {
        let closure = Closure::once(callback);
        let id = web_sys::window().and_then(|window| {
            let function = closure.as_ref().unchecked_ref();
            window.set_timeout_with_callback_and_timeout_and_arguments_0(function, clamp(ms)).ok()
        });
        Self { id, _closure: closure }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let (Some(id), Some(window)) = (self.id, web_sys::window()) {
            window.clear_timeout_with_handle(id);
        }
    }
}

/// Waits so many milliseconds.
pub async fn pause(ms: i64) {
    let waited = Promise::new(&mut |resolve, _| {
        let set = web_sys::window()
            .map(|window| window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, clamp(ms)));
        if !matches!(set, Some(Ok(_))) {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    let _ = JsFuture::from(waited).await;
}

/// Calls back again and again until it is dropped.
#[must_use = "dropping the handle stops it"]
pub struct Every {
    id: Option<i32>,
    _closure: Closure<dyn Fn()>,
}

impl Every {
    /// Every so many milliseconds, for the first time after as many.
    pub fn new(ms: i64, callback: impl Fn() + 'static) -> Self {
        let closure = Closure::<dyn Fn()>::wrap(Box::new(callback));
        let id = web_sys::window().and_then(|window| {
            let function = closure.as_ref().unchecked_ref();
            window.set_interval_with_callback_and_timeout_and_arguments_0(function, clamp(ms)).ok()
        });
        Self { id, _closure: closure }
    }
}

impl Drop for Every {
    fn drop(&mut self) {
        if let (Some(id), Some(window)) = (self.id, web_sys::window()) {
            window.clear_interval_with_handle(id);
        }
    }
}

fn clamp(ms: i64) -> i32 {
    ms.clamp(0, i64::from(i32::MAX)) as i32
}
