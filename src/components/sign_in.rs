//! The way in: the buttons, and what is shown while the person waits.

use leptos::prelude::*;
use polar_signin_core::snapshot::Step;

use super::Auth;
use crate::client::{Prompt, SignIn, set_up};

/// Nobody is signed in.
#[must_use]
pub fn signed_out(auth: Auth) -> AnyView {
    let client = auth.client();
    let provider = client.config().provider().name().to_owned();
    let is_polar = client.config().provider().preset().is_polar();
    let signed_out = auth.with(|snapshot| snapshot.signed_out);
    let sign_in = move |request: SignIn| auth.client().sign_in(request);
    let lead = if signed_out {
        ["You are signed out of this app. ", &provider, " may still remember you: the next sign-in can be silent."]
            .concat()
    } else {
        ["Use your ", &provider, " account. There is no password to make here."].concat()
    };
    let organization = is_polar.then(|| {
        let request = move || SignIn { organization: true, ..SignIn::default() };
        view! { <button type="button" id="sign-in-organization" on:click=move |_| sign_in(request())>"Sign in for an organization"</button> }
    });
    let other = signed_out.then(|| {
        let request = move || SignIn { prompt: Some(Prompt::Login), ..SignIn::default() };
        view! { <button type="button" id="sign-in-again" on:click=move |_| sign_in(request())>"Sign in with another account"</button> }
    });
    let change = set_up::is_remembered().then(|| {
        let forget = |_| {
            set_up::forget();
            crate::browser::navigation::reload();
        };
        view! { <button type="button" class="small" id="forget-client" on:click=forget>"Use another client"</button> }
    });
    let blocked = auth.with(|snapshot| snapshot.memory_only).then(|| {
        view! { <p class="notice bad" role="status"><strong>"Storage is blocked"</strong>" for this site, so signing in would not find its way back here. Allow this site to store data."</p> }
    });
    view! {
        <section class="card narrow">
            <div class="mark" aria-hidden="true"></div>
            <h1 tabindex="-1">{if signed_out { "Signed out" } else { "Sign in" }}</h1>
            <p class="lead">{lead}</p>
            {blocked}
            <div class="actions">
                <button type="button" class="primary" id="sign-in"
                    on:click=move |_| sign_in(SignIn::default())
                    on:pointerenter=move |_| auth.client().prepare()
                    on:focus=move |_| auth.client().prepare()
                >{["Sign in with ", &provider].concat()}</button>
                {organization}
                {other}
            </div>
            <p class="fine">{["You sign in at ", &provider, " and come back here. This page never sees your password and keeps nothing after you close the tab."].concat()}</p>
            <div class="actions">{change}</div>
        </section>
    }
    .into_any()
}

/// The person waits.
#[must_use]
pub fn working(auth: Auth, step: Step) -> AnyView {
    let provider = auth.client().config().provider().name().to_owned();
    let (title, text) = match step {
        Step::Leaving => (["Going to ", &provider].concat(), "You sign in there and come back here."),
        Step::Completing => ("Signing you in".to_owned(), "Making sure that it is you."),
    };
    let cancel = (step == Step::Leaving).then(|| {
        view! { <div class="actions"><button type="button" id="cancel" on:click=move |_| auth.client().cancel()>"Stay here"</button></div> }
    });
    view! {
        <section class="card narrow" aria-busy="true">
            <div class="spinner" aria-hidden="true"></div>
            <h1 tabindex="-1">{title}</h1>
            <p class="lead" role="status">{text}</p>
            {cancel}
        </section>
    }
    .into_any()
}
