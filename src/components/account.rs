//! Who is signed in, and everything that this sign-in brought.

use leptos::prelude::*;
use polar_signin_core::{
    curl,
    snapshot::{Account, Loadable, SubjectKind},
    userinfo::Profile,
};

use super::{
    Auth,
    element::{button, el, el_on, live, live_text, nothing, say, text},
    error_panel::notice,
    face::face,
    identities::{identities, name_of, picture_of},
    organizations::organizations,
};
use crate::{
    browser::{
        clock::{self, Every},
        dom::{self, local_time},
    },
    client::{Prompt, SignIn},
    text::en,
};

/// The signed-in page.
#[must_use]
pub fn account(auth: Auth) -> AnyView {
    let part = |show: fn(Auth, &Account) -> AnyView| {
        live(Box::new(move || auth.account(|account| show(auth, account)).unwrap_or_else(nothing)))
    };
    let go = move |organization, prompt| auth.client().sign_in(SignIn { organization, prompt, ..SignIn::default() });
    let mut actions = vec![button(
        "sign-out",
        "",
        en::SIGN_OUT,
        Box::new(move || {
            let client = auth.client();
            client.sign_out(client.active());
        }),
    )];
    if auth.client().config().provider().preset().is_polar() {
        actions.push(button("choose-organization", "", en::CHOOSE_ORGANIZATION, Box::new(move || go(true, None))));
    }
    actions.push(button("sign-in-again", "", en::SOMEBODY_ELSE, Box::new(move || go(false, Some(Prompt::Login)))));
    el(
        "section",
        &[("class", "card")],
        vec![
            who(auth),
            part(|auth, _| {
                let memory_only = auth.with(|snapshot| snapshot.memory_only);
                if memory_only {
                    say("p", &[("class", "notice"), ("role", "status")], en::NOTHING_KEPT)
                } else {
                    nothing()
                }
            }),
            part(|_, account| {
                let words = account.clock_skew.map(en::clock_is_wrong);
                let notice = |words: String| say("p", &[("class", "notice"), ("role", "status")], &words);
                words.map_or_else(nothing, notice)
            }),
            part(|auth, _| {
                let provider = auth.client().config().provider().name().to_owned();
                let gone = auth.with(|snapshot| snapshot.signed_out.clone());
                gone.map_or_else(nothing, |reached| {
                    say("p", &[("class", "notice"), ("role", "status")], &en::signed_out(&reached, &provider))
                })
            }),
            identities(auth),
            organizations(auth),
            session(auth, part(scopes)),
            part(userinfo),
            part(claims),
            part(with_curl),
            el("div", &[("class", "section actions")], actions),
        ],
    )
}

/// The best name that there is: Polar names no people, so often an address.
#[must_use]
pub fn display_name(account: &Account) -> String {
    account.display_name().to_owned()
}

/// What the ID token says first, then what userinfo adds.
fn profiles(account: &Account) -> impl Iterator<Item = &Profile> {
    let further = match &account.userinfo {
        Loadable::Ready(userinfo) => Some(&userinfo.profile),
        _ => None,
    };
    std::iter::once(&account.profile).chain(further)
}

/// The heading stays in place while its words fill in: it has the focus.
fn who(auth: Auth) -> AnyView {
    let name = move || auth.account(name_of).unwrap_or_default();
    let picture = move || {
        let face = auth.account(|account| face(picture_of(account), &name_of(account)));
        face.unwrap_or_else(nothing)
    };
    let below = move || auth.account(below_the_name).unwrap_or_else(nothing);
    el(
        "header",
        &[("class", "who")],
        vec![
            live(Box::new(picture)),
            el(
                "div",
                &[],
                vec![
                    el("h1", &[("tabindex", "-1"), ("data-field", "name")], vec![live_text(Box::new(name))]),
                    live(Box::new(below)),
                ],
            ),
        ],
    )
}

fn below_the_name(account: &Account) -> AnyView {
    let email = profiles(account).find_map(|profile| Some((profile.email.as_deref()?, profile.email_verified)));
    match (email, account.kind) {
        (Some((email, verified)), _) => {
            let (class, words) = if verified { ("verified", en::VERIFIED) } else { ("", en::NOT_VERIFIED) };
            let email = say("span", &[("data-field", "email")], email);
            el(
                "p",
                &[],
                vec![email, " ".into_any(), say("span", &[("class", class), ("data-field", "email-verified")], words)],
            )
        }
        (None, SubjectKind::Organization) => say("p", &[], en::AS_ORGANIZATION),
        (None, SubjectKind::User) => nothing(),
    }
}

/// What was asked for, what was granted, and how long it lasts.
fn session(auth: Auth, scopes: AnyView) -> AnyView {
    let (tick, set_tick) = signal(clock::now_ms());
    let every = StoredValue::new_local(Some(Every::new(1000, move || set_tick.set(clock::now_ms()))));
    on_cleanup(move || every.set_value(None));
    let left = move || match auth.account(|account| account.expires_at).flatten() {
        Some(end) => en::remaining(end.as_millis() - tick.get()),
        None => en::UNKNOWN.to_owned(),
    };
    let timer = &[("role", "timer"), ("aria-live", "off"), ("data-field", "expires")];
    let timer = el("span", timer, vec![live_text(Box::new(left))]);
    let ends = el("dl", &[], vec![say("dt", &[], en::ENDS_IN), el("dd", &[], vec![timer])]);
    el(
        "section",
        &[("class", "section"), ("aria-labelledby", "session")],
        vec![say("h2", &[("id", "session")], en::THIS_SIGN_IN), ends, scopes],
    )
}

fn scopes(_: Auth, account: &Account) -> AnyView {
    let chips = |scopes: &[String], attribute| {
        let chip = |scope: &String| {
            let class = if account.scope_granted.contains(scope) { "" } else { "missing" };
            say("li", &[("class", class), (attribute, "")], scope)
        };
        el("dd", &[], vec![el("ul", &[("class", "chips")], scopes.iter().map(chip).collect())])
    };
    el(
        "dl",
        &[],
        vec![
            say("dt", &[], en::ASKED_FOR),
            chips(&account.scope_requested, "data-scope-requested"),
            say("dt", &[], en::GRANTED),
            chips(&account.scope_granted, "data-scope-granted"),
            say("dt", &[], en::SIGNED_IN_AT),
            say("dd", &[("data-field", "signed-in-at")], &local_time(account.signed_in_at.as_millis())),
            say("dt", &[], en::RENEWABLE),
            say("dd", &[("data-field", "renewal")], en::renewal(&account.renewal)),
        ],
    )
}

fn userinfo(auth: Auth, account: &Account) -> AnyView {
    let content = match &account.userinfo {
        Loadable::Absent => say("p", &[], en::NO_USERINFO),
        Loadable::Waiting => {
            say("div", &[("class", "row skeleton"), ("role", "status"), ("aria-label", en::FETCHING_USERINFO)], ".")
        }
        Loadable::Ready(userinfo) => table(&userinfo.claims, "data-userinfo"),
        Loadable::Failed(error) => {
            let retry =
                button("retry-userinfo", "small", en::TRY_AGAIN, Box::new(move || auth.client().retry_details()));
            el("div", &[], vec![notice(error, "data-userinfo-failed"), el("div", &[("class", "actions")], vec![retry])])
        }
    };
    el(
        "section",
        &[("class", "section"), ("aria-labelledby", "userinfo")],
        vec![say("h2", &[("id", "userinfo")], en::USERINFO), content],
    )
}

fn claims(_: Auth, account: &Account) -> AnyView {
    let subject = vec![say("dt", &[], en::SUBJECT), say("dd", &[("data-field", "subject")], &account.subject)];
    el(
        "details",
        &[("class", "section")],
        vec![
            say("summary", &[], en::CLAIMS),
            el("dl", &[("class", "raw")], subject),
            table(&account.claims, "data-claim"),
        ],
    )
}

/// Each step of the flow as a command, with variables where secrets would be.
fn with_curl(auth: Auth, account: &Account) -> AnyView {
    let steps = curl::steps(auth.client().config(), account).into_iter().map(|(step, command)| {
        let copied = command.clone();
        let copy = move |_| dom::copy(&copied);
        let label = [en::COPY, ": ", en::step(step)].concat();
        let button = el_on(
            "button",
            &[("type", "button"), ("class", "small"), ("aria-label", &label)],
            vec![("click", Box::new(copy))],
            vec![text(en::COPY)],
        );
        el(
            "li",
            &[],
            vec![
                say("strong", &[], en::step(step)),
                el("pre", &[("class", "code"), ("tabindex", "0")], vec![say("code", &[], &command)]),
                button,
            ],
        )
    });
    el(
        "details",
        &[("class", "section"), ("id", "with-curl")],
        vec![
            say("summary", &[], en::WITH_CURL),
            say("p", &[("class", "fine")], en::WITH_CURL_LEAD),
            el("ol", &[("class", "steps")], steps.collect()),
        ],
    )
}

fn table(claims: &[(String, String)], attribute: &'static str) -> AnyView {
    let row = |(name, value): &(String, String)| [say("dt", &[], name), say("dd", &[(attribute, name)], value)];
    el("dl", &[("class", "raw")], claims.iter().flat_map(row).collect())
}
