//! The way in: the buttons, and what is shown while the person waits.

use leptos::prelude::*;
use polar_signin_core::snapshot::Step;

use super::{
    Auth,
    element::{button, el, el_on, nothing, say, text},
};
use crate::{
    browser::navigation,
    client::{Prompt, SignIn, set_up},
    text::en,
};

/// Nobody is signed in.
#[must_use]
pub fn signed_out(auth: Auth) -> AnyView {
    let client = auth.client();
    let provider = client.config().provider().name();
    let (signed_out, blocked) = auth.with(|snapshot| (snapshot.signed_out.clone(), snapshot.memory_only));
    let go = move |organization, prompt| auth.client().sign_in(SignIn { organization, prompt, ..SignIn::default() });

    let prepare = move |_| auth.client().prepare();
    let mut actions = vec![el_on(
        "button",
        &[("type", "button"), ("class", "primary"), ("id", "sign-in")],
        vec![
            ("click", Box::new(move |_| go(false, None))),
            // What the click will need is fetched while the pointer is still on its way.
            ("pointerenter", Box::new(prepare)),
            ("focus", Box::new(prepare)),
        ],
        vec![text(&en::sign_in_with(provider))],
    )];
    if client.config().provider().preset().is_polar() {
        actions.push(button("sign-in-organization", "", en::FOR_AN_ORGANIZATION, Box::new(move || go(true, None))));
    }
    if signed_out.is_some() {
        actions.push(button(
            "sign-in-again",
            "",
            en::ANOTHER_ACCOUNT,
            Box::new(move || go(false, Some(Prompt::Login))),
        ));
    }
    let change = if set_up::is_remembered() {
        let forget = || {
            set_up::forget();
            navigation::reload();
        };
        el("div", &[("class", "actions")], vec![button("forget-client", "small", en::ANOTHER_CLIENT, Box::new(forget))])
    } else {
        nothing()
    };
    let notice =
        if blocked { say("p", &[("class", "notice bad"), ("role", "status")], en::STORAGE_BLOCKED) } else { nothing() };
    let (title, lead) = match &signed_out {
        Some(reached) => (en::SIGNED_OUT, en::signed_out(reached, provider)),
        None => (en::SIGN_IN, en::lead(provider)),
    };
    el(
        "section",
        &[("class", "card narrow")],
        vec![
            el("div", &[("class", "mark"), ("aria-hidden", "true")], vec![]),
            say("h1", &[("tabindex", "-1")], title),
            say("p", &[("class", "lead")], &lead),
            notice,
            el("div", &[("class", "actions")], actions),
            say("p", &[("class", "fine")], &en::what_happens(provider)),
            change,
        ],
    )
}

/// A window that was opened for a sign-in, if the browser does not close it.
#[must_use]
pub fn in_popup() -> AnyView {
    let words = vec![
        say("h1", &[("tabindex", "-1")], en::POPUP_IS_OVER),
        say("p", &[("class", "lead"), ("role", "status")], en::CLOSE_POPUP),
    ];
    el("section", &[("class", "card narrow")], words)
}

/// The person waits.
#[must_use]
pub fn working(auth: Auth, step: Step) -> AnyView {
    let client = auth.client();
    let (title, words, cancel) = match step {
        Step::Leaving => {
            let cancel = button("cancel", "", en::STAY, Box::new(move || auth.client().cancel()));
            (
                en::going_to(client.config().provider().name()),
                en::GOING,
                el("div", &[("class", "actions")], vec![cancel]),
            )
        }
        Step::InPopup => {
            let cancel = button("cancel", "", en::CANCEL, Box::new(move || auth.client().cancel()));
            (en::IN_POPUP.to_owned(), en::IN_POPUP_HOW, el("div", &[("class", "actions")], vec![cancel]))
        }
        Step::SigningOut => (en::SIGNED_OUT.to_owned(), en::SIGNING_OUT_THERE, nothing()),
        Step::Completing => (en::COMPLETING.to_owned(), en::MAKING_SURE, nothing()),
    };
    el(
        "section",
        &[("class", "card narrow"), ("aria-busy", "true")],
        vec![
            el("div", &[("class", "spinner"), ("aria-hidden", "true")], vec![]),
            say("h1", &[("tabindex", "-1")], &title),
            say("p", &[("class", "lead"), ("role", "status")], words),
            cancel,
        ],
    )
}
