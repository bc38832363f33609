//! A round picture, or the first letter of a name where there is none.

use leptos::prelude::*;

use super::element::{el, text};

/// The picture is decoration: the name stands beside it.
#[must_use]
pub fn face(picture: Option<&str>, name: &str) -> AnyView {
    let inside = match picture {
        Some(url) => {
            el("img", &[("src", url), ("alt", ""), ("referrerpolicy", "no-referrer"), ("loading", "lazy")], vec![])
        }
        None => text(name.chars().next().unwrap_or('?').to_ascii_uppercase().encode_utf8(&mut [0; 4])),
    };
    el("span", &[("class", "face"), ("aria-hidden", "true")], vec![inside])
}
