//! The page's own elements: what was typed, where the focus is, what is copied.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, HtmlElement, HtmlInputElement, window};

fn document() -> Option<Document> {
    window()?.document()
}

/// Copies a text. Browsers allow it in answer to a click, on https and on localhost.
pub fn copy(text: &str) {
    if let Some(window) = window().filter(web_sys::Window::is_secure_context) {
        // Whether it worked is only known later; the text stays selectable beside the button.
        let _ = window.navigator().clipboard().write_text(text);
    }
}

/// What stands in the input of this id, without white space around it.
#[must_use]
pub fn field(id: &str) -> String {
    let element = document().and_then(|document| document.get_element_by_id(id));
    let input = element.and_then(|element| element.dyn_into::<HtmlInputElement>().ok());
    input.map(|input| input.value().trim().to_owned()).unwrap_or_default()
}

/// What stands in an input.
#[must_use]
pub fn value(input: &HtmlInputElement) -> String {
    input.value()
}

/// Puts the focus on the first element that this selector finds.
pub fn focus(selector: &str) {
    let element = document().and_then(|document| document.query_selector(selector).ok().flatten());
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Removes the element of this id.
pub fn remove(id: &str) {
    if let Some(element) = document().and_then(|document| document.get_element_by_id(id)) {
        element.remove();
    }
}

/// A data attribute of the page's root element, taken away as it is read.
#[must_use]
pub fn take_mark(name: &str) -> Option<String> {
    let root = document()?.document_element()?;
    let name = ["data-", name].concat();
    let value = root.get_attribute(&name)?;
    let _ = root.remove_attribute(&name);
    Some(value)
}

/// A time as this person's browser writes it.
#[must_use]
pub fn local_time(millis: i64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(millis as f64));
    String::from(date.to_locale_string("default", &JsValue::UNDEFINED))
}
