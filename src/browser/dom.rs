//! The page's own elements: what was typed, where the focus is, what is copied.

use js_sys::JsString;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, window};

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

/// Whether the box of this id is ticked.
#[must_use]
pub fn is_checked(id: &str) -> bool {
    let element = document().and_then(|document| document.get_element_by_id(id));
    element.and_then(|element| element.dyn_into::<HtmlInputElement>().ok()).is_some_and(|input| input.checked())
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

/// Whether the focus is on an element that this selector finds.
#[must_use]
pub fn is_focused(selector: &str) -> bool {
    let active = document().and_then(|document| document.active_element());
    active.is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// The id of the element that this selector finds, at an event's target or around it.
#[must_use]
pub fn id_around(event: &Event, selector: &str) -> Option<String> {
    let target: Element = event.target()?.dyn_into().ok()?;
    Some(target.closest(selector).ok()??.id())
}

/// Which key an event is about; nothing if it is held together with another that makes it a command.
#[must_use]
pub fn key(event: &Event) -> Option<String> {
    let event = event.dyn_ref::<KeyboardEvent>()?;
    let command = event.ctrl_key() || event.alt_key() || event.meta_key() || event.is_composing();
    (!command).then(|| event.key())
}

/// A text in a form in which case, and how accents are written, make no difference.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // The browser has the tables of Unicode. A sigma is written in another way where a word ends.
    let text = JsString::from(text).to_lower_case().normalize("NFC");
    String::from(text).replace('ς', "σ")
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

/// Has the browser load what it needs for [`local_time`]: it takes the first one 20 ms and more, which are to be had
/// while an answer is on its way.
pub fn prepare_local_time() {
    let _ = local_time(0);
}

/// A time as this person's browser writes it.
#[must_use]
pub fn local_time(millis: i64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(millis as f64));
    String::from(date.to_locale_string("default", &JsValue::UNDEFINED))
}
