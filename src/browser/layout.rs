//! How large an element is, and how far it is scrolled.

use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};

/// An element that scrolls what is in it.
#[derive(Clone)]
pub struct Scroller(HtmlElement);

impl Scroller {
    /// The element of this id, once it is in the page.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        web_sys::window()?.document()?.get_element_by_id(id)?.dyn_into().ok().map(Self)
    }

    /// The element itself.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.0
    }

    /// How much of its content it shows, in pixels.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.0.client_height().into()
    }

    /// How far it is scrolled down, in pixels.
    #[must_use]
    pub fn scrolled(&self) -> f64 {
        self.0.scroll_top().into()
    }

    /// Scrolls it.
    pub fn scroll_to(&self, pixels: f64) {
        self.0.set_scroll_top(pixels as i32);
    }

    /// Sets a custom property, for the style sheet to use. A policy that forbids style attributes allows it.
    pub fn set_property(&self, name: &str, value: &str) {
        let _ = self.0.style().set_property(name, value);
    }
}

/// How high an element is, in pixels.
#[must_use]
pub fn height(element: &Element) -> f64 {
    element.dyn_ref::<HtmlElement>().map_or(0.0, |element| element.offset_height().into())
}

/// Watches an element's size until it is dropped.
#[must_use = "dropping the handle ends the watch"]
pub struct Resized {
    observer: Option<ResizeObserver>,
    _closure: Closure<dyn Fn()>,
}

impl Resized {
    /// Calls back when the size has changed, before that is painted; and once in the beginning.
    pub fn watch(element: &Element, callback: impl Fn() + 'static) -> Self {
        let closure = Closure::<dyn Fn()>::wrap(Box::new(callback));
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref()).ok();
        if let Some(observer) = &observer {
            observer.observe(element);
        }
        Self { observer, _closure: closure }
    }
}

impl Drop for Resized {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}
