//! What went wrong, in words; what to do about it; and the facts for whoever mends it.

use leptos::prelude::*;
use polar_signin_core::error::{Detail, Error};

use super::{
    Auth,
    element::{button, el, nothing, say, text},
    identities::name_of,
};
use crate::{browser::navigation, client::SignIn, text::en};

/// The page of an error.
#[must_use]
pub fn error_panel(auth: Auth, error: &Error) -> AnyView {
    let client = auth.client();
    let organization = auth.with(|snapshot| snapshot.for_organization);
    let again = Box::new(move || auth.client().sign_in(SignIn { organization, ..SignIn::default() }));
    let dismiss = Box::new(move || auth.client().dismiss_error());
    let label = en::sign_in_with(client.config().provider().name());
    match auth.account(name_of) {
        None => {
            let actions = vec![button("try-again", "primary", &label, again), button("dismiss", "", en::BACK, dismiss)];
            panel(error, nothing(), actions)
        }
        // Whoever is still signed in most likely wants to go on.
        Some(name) => {
            let still = vec![text(en::STILL_SIGNED_IN), say("strong", &[], &name), text(".")];
            let actions =
                vec![button("dismiss", "primary", en::CONTINUE, dismiss), button("try-again", "", &label, again)];
            panel(error, el("p", &[("class", "notice")], still), actions)
        }
    }
}

/// An error before there is a session: the settings cannot be read.
#[must_use]
pub fn start_failed(error: &Error) -> AnyView {
    panel(error, nothing(), vec![button("try-again", "primary", en::RELOAD, Box::new(navigation::reload))])
}

/// An error beside what works.
#[must_use]
pub fn notice(error: &Error, attribute: &'static str) -> AnyView {
    let words = en::error(error.code());
    let said = error.provider().map_or_else(nothing, |said| {
        say("p", &[("class", "code")], &[said.error(), said.description().unwrap_or_default()].join(" "))
    });
    el(
        "div",
        &[("class", "notice bad"), ("role", "alert"), (attribute, error.code().name())],
        vec![say("strong", &[], words.title), text(". "), text(words.what), text(" "), text(words.todo), said],
    )
}

fn panel(error: &Error, still: AnyView, actions: Vec<AnyView>) -> AnyView {
    let words = en::error(error.code());
    el(
        "section",
        &[("class", "card narrow"), ("role", "alert"), ("data-error-code", error.code().name())],
        vec![
            say("h1", &[("tabindex", "-1")], words.title),
            el("p", &[("class", "lead")], vec![text(words.what), text(" "), text(words.todo)]),
            still,
            el("div", &[("class", "actions")], actions),
            facts(error),
        ],
    )
}

/// For the developer: code, phase, whose fault, a hint, and the provider's own words as such.
fn facts(error: &Error) -> AnyView {
    let code = error.code();
    let mut rows = vec![
        ("code", code.name().to_owned()),
        ("phase", error.phase().name().to_owned()),
        ("fault", code.fault().name().to_owned()),
    ];
    match error.detail() {
        Detail::None => {}
        Detail::Status(status) => rows.push(("status", status.to_string())),
        Detail::Skew(seconds) => rows.push(("seconds behind", seconds.to_string())),
        Detail::Name(name) => rows.push(("about", (*name).to_owned())),
        Detail::Provider(said) => {
            rows.push(("the provider’s words", [said.error(), said.description().unwrap_or_default()].join(" ")));
        }
    }
    rows.push(("hint", code.hint().to_owned()));
    let rows = rows.iter().flat_map(|(name, value)| [say("dt", &[], name), say("dd", &[], value)]).collect();
    el(
        "details",
        &[("class", "section")],
        vec![say("summary", &[], en::FOR_DEVELOPERS), el("dl", &[("class", "raw")], rows)],
    )
}
