//! How far something has come.

use leptos::prelude::*;

use super::element::el;

/// A bar.
#[must_use]
pub fn progress((so_far, total): (u64, u64), label: &str) -> AnyView {
    let (value, most) = (so_far.to_string(), total.max(1).to_string());
    el("progress", &[("value", &value), ("max", &most), ("aria-label", label)], vec![])
}
