//! JSON as a tree that can be unfolded.

use leptos::prelude::*;
use polar_signin_core::json::Value;

use super::element::{el, say, text};

/// More members of one value than this are counted, not shown.
const MANY: usize = 200;

/// A value, with everything below the first levels folded away.
#[must_use]
pub fn json_tree(value: &Value<'_>) -> AnyView {
    el("div", &[("class", "tree"), ("data-json", "")], vec![node(None, value, 0)])
}

fn node(name: Option<&str>, value: &Value<'_>, depth: usize) -> AnyView {
    let (open, close, length) = match value {
        Value::Array(items) if !items.is_empty() => ("[", "]", items.len()),
        Value::Object(object) if object.iter().next().is_some() => ("{", "}", object.iter().count()),
        _ => return leaf(name, value),
    };
    let mut children: Vec<AnyView> = match value {
        Value::Array(items) => items.iter().take(MANY).map(|item| node(None, item, depth + 1)).collect(),
        Value::Object(object) => object.iter().take(MANY).map(|(name, v)| node(Some(name), v, depth + 1)).collect(),
        _ => Vec::new(),
    };
    if length > MANY {
        children.push(say("div", &[("class", "fine")], &["… ", &(length - MANY).to_string(), " more"].concat()));
    }
    let mut head = label(name);
    head.push(say("small", &[], &[open, &length.to_string(), close].concat()));
    let attributes: &[(&str, &str)] = if depth < 2 { &[("open", "")] } else { &[] };
    el("details", attributes, vec![el("summary", &[], head), el("div", &[], children)])
}

fn leaf(name: Option<&str>, value: &Value<'_>) -> AnyView {
    let class = match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        _ => "word",
    };
    let mut shown = String::new();
    value.write(&mut shown);
    let mut line = label(name);
    line.push(say("span", &[("class", class)], &shown));
    el("div", &[("class", "leaf")], line)
}

fn label(name: Option<&str>) -> Vec<AnyView> {
    name.map_or_else(Vec::new, |name| vec![say("b", &[], name), text(": ")])
}
