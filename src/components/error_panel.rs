//! What went wrong, in words; what to do about it; and the facts for whoever mends it.

use leptos::prelude::*;
use polar_signin_core::error::{Detail, Error, Retry};

use super::Auth;
use crate::{client::SignIn, text::en};

/// The page of an error.
#[must_use]
pub fn error_panel(auth: Auth, error: &Error) -> AnyView {
    let provider = auth.client().config().provider().name().to_owned();
    let still = auth.account(super::account::display_name);
    let label = match error.code().retry() {
        Retry::SignIn | Retry::Later => ["Sign in with ", &provider].concat(),
        Retry::Never => "Try again".to_owned(),
    };
    let again = move |_| auth.client().sign_in(SignIn::default());
    let (class, still) = match still {
        Some(name) => {
            ("", Some(view! { <p class="notice">"You are still signed in as "<strong>{name}</strong>"."</p> }))
        }
        None => ("primary", None),
    };
    let dismiss = if still.is_some() { "Continue" } else { "Back" };
    view! {
        <section class="card narrow" role="alert" data-error-code=error.code().name()>
            {words(error)}
            {still}
            <div class="actions">
                <button type="button" id="try-again" class=class on:click=again>{label}</button>
                <button type="button" id="dismiss" on:click=move |_| auth.client().dismiss_error()>{dismiss}</button>
            </div>
            {facts(error)}
        </section>
    }
    .into_any()
}

/// An error before there is a session: the settings cannot be read.
#[must_use]
pub fn start_failed(error: &Error) -> AnyView {
    let reload = |_| crate::browser::navigation::reload();
    view! {
        <section class="card narrow" role="alert" data-error-code=error.code().name()>
            {words(error)}
            <div class="actions"><button type="button" id="try-again" class="primary" on:click=reload>"Reload"</button></div>
            {facts(error)}
        </section>
    }
    .into_any()
}

fn words(error: &Error) -> AnyView {
    let words = en::error(error.code());
    view! {
        <h1 tabindex="-1">{words.title}</h1>
        <p class="lead">{words.what}" "{words.todo}</p>
    }
    .into_any()
}

/// For the developer: code, phase, whose fault, a hint, and the provider's own words as such.
fn facts(error: &Error) -> AnyView {
    let detail = match error.detail() {
        Detail::None | Detail::Provider(_) => None,
        Detail::Status(status) => Some(("status", status.to_string())),
        Detail::Skew(seconds) => Some(("clock is behind by", [&seconds.to_string(), " s"].concat())),
        Detail::Name(name) => Some(("about", (*name).to_owned())),
    };
    let said = error.provider().map(|said| {
        let words = [said.error(), said.description().unwrap_or_default()].join(" ");
        ("the provider’s words", words)
    });
    let rows = [
        Some(("code", error.code().name().to_owned())),
        Some(("phase", error.phase().name().to_owned())),
        Some(("fault", error.code().fault().name().to_owned())),
        detail,
        said,
        Some(("hint", error.code().hint().to_owned())),
    ];
    let rows: Vec<_> =
        rows.into_iter().flatten().map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> }).collect();
    view! {
        <details class="section">
            <summary>"Details for the developer"</summary>
            <dl class="raw">{rows}</dl>
        </details>
    }
    .into_any()
}
