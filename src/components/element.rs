//! Elements of one type.
//!
//! The `view!` macro gives every piece of markup a type of its own, and with it functions of its
//! own that build, rebuild and remove it: for this app that was 60 KB of brotli out of 150. It
//! also writes unchanging markup through `innerHTML`, which a page that enforces Trusted Types
//! refuses. Here every element is the same type, made of calls.

use leptos::{
    ev::Custom,
    prelude::*,
    tachys::html::{
        attribute::{any_attribute::AnyAttribute, custom::custom_attribute},
        element::custom,
        event::on,
    },
};

/// Names and values of attributes.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

/// What is done at an event.
pub type Handler = Box<dyn FnMut(web_sys::Event)>;

/// An element.
#[must_use]
pub fn el(tag: &'static str, attributes: Attributes<'_>, children: Vec<AnyView>) -> AnyView {
    build(tag, attributes.iter().map(|(name, value)| attribute(name, value)).collect(), children)
}

/// An element that does something at an event.
#[must_use]
pub fn el_on(
    tag: &'static str,
    attributes: Attributes<'_>,
    events: Vec<(&'static str, Handler)>,
    children: Vec<AnyView>,
) -> AnyView {
    let mut all: Vec<AnyAttribute> = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    for (event, handler) in events {
        all.push(on(Custom::<web_sys::Event>::new(event), handler).into_any_attr());
    }
    build(tag, all, children)
}

/// A button that does something when it is pressed.
#[must_use]
pub fn button(id: &'static str, class: &str, label: &str, press: Box<dyn Fn()>) -> AnyView {
    let attributes = [("type", "button"), ("id", id), ("class", class)];
    el_on("button", &attributes, vec![("click", Box::new(move |_| press()))], vec![text(label)])
}

/// An element that holds a text alone.
#[must_use]
pub fn say(tag: &'static str, attributes: Attributes<'_>, words: &str) -> AnyView {
    el(tag, attributes, vec![text(words)])
}

/// A text.
#[must_use]
pub fn text(words: &str) -> AnyView {
    words.to_owned().into_any()
}

/// A text that follows signals.
#[must_use]
pub fn live_text(read: Box<dyn FnMut() -> String + Send>) -> AnyView {
    read.into_any()
}

/// A part that is made anew when a signal that it read changes.
#[must_use]
pub fn live(read: Box<dyn FnMut() -> AnyView + Send>) -> AnyView {
    read.into_any()
}

/// Nothing.
#[must_use]
pub fn nothing() -> AnyView {
    ().into_any()
}

fn attribute(name: &'static str, value: &str) -> AnyAttribute {
    custom_attribute(name, value.to_owned()).into_any_attr()
}

fn build(tag: &'static str, attributes: Vec<AnyAttribute>, children: Vec<AnyView>) -> AnyView {
    custom(tag).add_any_attr(attributes).child(children).into_any()
}
