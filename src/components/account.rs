//! Who is signed in, and everything that this sign-in brought.

use leptos::prelude::*;
use polar_signin_core::snapshot::{Account, Loadable, SubjectKind};

use super::{Auth, face::face, organizations::organizations};
use crate::{
    browser::{
        clock::{self, Every},
        dom::local_time,
    },
    client::{Prompt, SignIn},
    text::en,
};

/// The signed-in page.
#[must_use]
pub fn account(auth: Auth) -> AnyView {
    let part = move |show: fn(Auth, &Account) -> AnyView| move || auth.account(|account| show(auth, account));
    let is_polar = auth.client().config().provider().preset().is_polar();
    let sign_in = move |request: SignIn| auth.client().sign_in(request);
    let organization = is_polar.then(|| {
        let request = || SignIn { organization: true, ..SignIn::default() };
        view! { <button type="button" id="choose-organization" on:click=move |_| sign_in(request())>"Choose an organization"</button> }
    });
    let other = || SignIn { prompt: Some(Prompt::Login), ..SignIn::default() };
    let kept = move || {
        auth.with(|snapshot| snapshot.memory_only).then(|| {
            view! { <p class="notice" role="status">"This browser keeps nothing for this site: a reload signs you out."</p> }
        })
    };
    view! {
        <section class="card">
            {part(who)}
            {kept}
            {organizations(auth)}
            {session(auth)}
            {part(userinfo)}
            {part(claims)}
            <div class="section actions">
                <button type="button" id="sign-out" on:click=move |_| auth.client().sign_out()>"Sign out"</button>
                {organization}
                <button type="button" id="sign-in-again" on:click=move |_| sign_in(other())>"Sign in as somebody else"</button>
            </div>
        </section>
    }
    .into_any()
}

/// The best name that there is: Polar names no people, so often an address.
#[must_use]
pub fn display_name(account: &Account) -> String {
    let userinfo = match &account.userinfo {
        Loadable::Ready(userinfo) => Some(&userinfo.profile),
        _ => None,
    };
    let profiles = || [Some(&account.profile), userinfo].into_iter().flatten();
    let name = profiles().find_map(|profile| profile.name.clone());
    let email = || profiles().find_map(|profile| profile.email.clone());
    name.or_else(email).unwrap_or_else(|| account.subject.clone())
}

fn who(_: Auth, account: &Account) -> AnyView {
    let profile = match &account.userinfo {
        Loadable::Ready(userinfo) if account.profile.email.is_none() => &userinfo.profile,
        _ => &account.profile,
    };
    let name = display_name(account);
    let verified = if profile.email_verified { "verified" } else { "not verified" };
    let email = profile.email.clone().map(|email| {
        view! {
            <p><span data-field="email">{email}</span>" "
                <span class=if profile.email_verified { "verified" } else { "fine" } data-field="email-verified">{verified}</span></p>
        }
    });
    let kind = match account.kind {
        SubjectKind::User => None,
        SubjectKind::Organization => Some(view! { <p>"Signed in as an organization"</p> }),
    };
    view! {
        <header class="who">
            {face(account.profile.picture.as_deref(), &name)}
            <div>
                <h1 tabindex="-1" data-field="name">{name.clone()}</h1>
                {email}
                {kind}
            </div>
        </header>
    }
    .into_any()
}

/// What was asked for, what was granted, and how long it lasts.
fn session(auth: Auth) -> AnyView {
    let (tick, set_tick) = signal(clock::now_ms());
    let every = StoredValue::new_local(Some(Every::new(1000, move || set_tick.set(clock::now_ms()))));
    on_cleanup(move || every.set_value(None));
    let left = move || {
        let end = auth.account(|account| account.expires_at).flatten();
        end.map_or_else(|| "unknown".to_owned(), |end| en::remaining(end.as_millis() - tick.get()))
    };
    let facts = move || {
        auth.account(|account| {
            let granted: Vec<_> = account
                .scope_granted
                .iter()
                .map(|scope| view! { <li data-scope-granted="">{scope.clone()}</li> })
                .collect();
            let requested: Vec<_> = account
                .scope_requested
                .iter()
                .map(|scope| {
                    let class = if account.scope_granted.contains(scope) { "" } else { "missing" };
                    view! { <li class=class data-scope-requested="">{scope.clone()}</li> }
                })
                .collect();
            let renewable = if account.renewable { "yes" } else { "no" };
            view! {
                <dt>"Asked for"</dt><dd><ul class="chips">{requested}</ul></dd>
                <dt>"Granted"</dt><dd><ul class="chips">{granted}</ul></dd>
                <dt>"Signed in"</dt><dd data-field="signed-in-at">{local_time(account.signed_in_at.as_millis())}</dd>
                <dt>"Can be renewed"</dt><dd>{renewable}</dd>
            }
        })
    };
    view! {
        <section class="section" aria-labelledby="session">
            <h2 id="session">"This sign-in"</h2>
            <dl>
                <dt>"Ends in"</dt><dd role="timer" aria-live="off" data-field="expires">{left}</dd>
                {facts}
            </dl>
        </section>
    }
    .into_any()
}

fn userinfo(auth: Auth, account: &Account) -> AnyView {
    let content = match &account.userinfo {
        Loadable::Absent => view! { <p>"This provider has no userinfo."</p> }.into_any(),
        Loadable::Waiting => {
            view! { <div class="row skeleton" role="status" aria-label="Fetching userinfo">"."</div> }.into_any()
        }
        Loadable::Ready(userinfo) => table(&userinfo.claims, |name, value| {
            view! { <dt>{name.clone()}</dt><dd data-userinfo=name>{value}</dd> }.into_any()
        }),
        Loadable::Failed(error) => {
            let words = en::error(error.code());
            view! {
                <p class="notice bad" data-userinfo-failed=error.code().name()><strong>{words.title}</strong>". "{words.what}" "{words.todo}</p>
                <div class="actions"><button type="button" class="small" on:click=move |_| auth.client().retry_details()>"Try again"</button></div>
            }
            .into_any()
        }
    };
    view! { <section class="section" aria-labelledby="userinfo"><h2 id="userinfo">"Userinfo"</h2>{content}</section> }
        .into_any()
}

fn claims(_: Auth, account: &Account) -> AnyView {
    let table = table(&account.claims, |name, value| {
        view! { <dt>{name.clone()}</dt><dd data-claim=name>{value}</dd> }.into_any()
    });
    view! {
        <details class="section">
            <summary>"ID token claims, verified"</summary>
            <dl class="raw"><dt>"subject"</dt><dd data-field="subject">{account.subject.clone()}</dd></dl>
            {table}
        </details>
    }
    .into_any()
}

fn table(claims: &[(String, String)], row: fn(String, String) -> AnyView) -> AnyView {
    let rows: Vec<_> = claims.iter().map(|(name, value)| row(name.clone(), value.clone())).collect();
    view! { <dl class="raw">{rows}</dl> }.into_any()
}
