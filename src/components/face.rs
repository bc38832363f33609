//! A round picture, or the first letter of a name where there is none.

use leptos::prelude::*;

/// The picture is decoration: the name stands beside it.
#[must_use]
pub fn face(picture: Option<&str>, name: &str) -> AnyView {
    let inside = match picture {
        Some(url) => view! { <img src=url.to_owned() alt="" referrerpolicy="no-referrer" loading="lazy"/> }.into_any(),
        None => name.chars().next().unwrap_or('?').to_ascii_uppercase().to_string().into_any(),
    };
    view! { <span class="face" aria-hidden="true">{inside}</span> }.into_any()
}
