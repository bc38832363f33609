//! A token that was made in the provider's settings: pasting it, what it reaches, forgetting it.

use leptos::prelude::*;
use polar_signin_core::{
    api::Listing,
    organization::{self, Organization},
    secret::AccessToken,
    snapshot::Loadable,
    token::pasted_access_token,
};

use super::{
    Auth,
    element::{button, el, live, nothing, say, text},
    error_panel::notice,
};
use crate::{
    browser::dom,
    client::api::{Fetching, Heard},
    text::en,
};

/// So many organizations are named.
const NAMED: usize = 5;

/// A token that was pasted, if any: a handle that can be copied. It is never shown again.
#[derive(Clone, Copy)]
pub struct PastedToken {
    auth: Auth,
    token: RwSignal<Option<AccessToken>, LocalStorage>,
    kept: RwSignal<bool, LocalStorage>,
    /// How many organizations it reaches, and the first of them.
    reach: RwSignal<Loadable<(u64, Vec<Organization>)>, LocalStorage>,
    /// Held while that is looked up.
    fetching: StoredValue<Option<Fetching>, LocalStorage>,
}

impl PastedToken {
    /// The one that this tab has kept, or none.
    #[must_use]
    pub fn new(auth: Auth) -> Self {
        let kept = auth.client().pasted_token();
        let pasted = Self {
            auth,
            kept: RwSignal::new_local(kept.is_some()),
            token: RwSignal::new_local(None),
            reach: RwSignal::new_local(Loadable::Absent),
            fetching: StoredValue::new_local(None),
        };
        on_cleanup(move || pasted.fetching.set_value(None));
        if let Some(token) = kept {
            pasted.take(token);
        }
        pasted
    }

    /// Whether there is one, and follows it.
    #[must_use]
    pub fn is_there(self) -> bool {
        self.token.with(Option::is_some)
    }

    /// The token, to send it.
    #[must_use]
    pub fn get_untracked(self) -> Option<AccessToken> {
        self.token.get_untracked()
    }

    /// The organizations that it reaches, as far as they are known, and follows them.
    pub fn organizations<T>(self, read: impl FnOnce(&[Organization]) -> T) -> T {
        self.reach.with(|reach| match reach {
            Loadable::Ready((_, listed)) => read(listed),
            _ => read(&[]),
        })
    }

    /// The place to paste one, or to forget it. The function is called before either.
    #[must_use]
    pub fn view(self, change: impl Fn() + Copy + Send + 'static) -> AnyView {
        let content = move || if self.is_there() { self.in_use(change) } else { paste(self, change) };
        let mut attributes = vec![("id", "own-token")];
        // Whoever comes back sees at once that requests go out with it.
        attributes.extend(self.token.with_untracked(Option::is_some).then_some(("open", "")));
        el("details", &attributes, vec![say("summary", &[], en::OTHER_TOKEN), live(Box::new(content))])
    }

    fn in_use(self, change: impl Fn() + Copy + Send + 'static) -> AnyView {
        let forget = move || {
            change();
            self.forget();
        };
        let kept = if self.kept.get_untracked() { [" ", en::TOKEN_KEPT].concat() } else { String::new() };
        el(
            "div",
            &[],
            vec![
                el(
                    "p",
                    &[("class", "notice"), ("data-pasted", "")],
                    vec![
                        text(en::TOKEN_IN_USE),
                        text(&kept),
                        text(" "),
                        button("forget-token", "small", en::FORGET_TOKEN, Box::new(forget)),
                    ],
                ),
                el("div", &[("aria-live", "polite")], vec![live(Box::new(move || self.reach.with(reached)))]),
            ],
        )
    }

    fn take(self, token: AccessToken) {
        self.token.set(Some(token.clone()));
        let client = self.auth.client();
        let provider = client.config().provider();
        let Some(endpoint) = provider.organizations_endpoint() else { return };
        let list = Listing::new(endpoint.as_str());
        let Some(url) = list.next() else { return };
        self.reach.set(Loadable::Waiting);
        let transport = provider.transport();
        let hear = move |heard| {
            let Heard::Done(outcome) = heard else { return };
            let read = outcome.and_then(|answer| {
                let mut list = list.clone();
                let items = list.take(&answer)?;
                Ok((list.progress().1, organization::read(&items, transport)?))
            });
            self.reach.set(match read {
                Ok(reach) => Loadable::Ready(reach),
                Err(error) => Loadable::Failed(error),
            });
        };
        let fetching = client.fetch(url, Some(token), hear);
        self.fetching.set_value(Some(fetching));
    }

    fn forget(self) {
        self.fetching.set_value(None);
        self.auth.client().keep_pasted_token(None);
        self.kept.set(false);
        self.reach.set(Loadable::Absent);
        self.token.set(None);
    }
}

fn paste(pasted: PastedToken, change: impl Fn() + Copy + Send + 'static) -> AnyView {
    let attributes = [("type", "password"), ("id", "token"), ("autocomplete", "off"), ("spellcheck", "false")];
    let field = vec![say("label", &[("for", "token")], en::OWN_TOKEN), el("input", &attributes, vec![])];
    let keep = el("input", &[("type", "checkbox"), ("id", "keep-token")], vec![]);
    let take = move || {
        change();
        if let Some(token) = pasted_access_token(&dom::field("token")) {
            let keeps = dom::is_checked("keep-token");
            if keeps {
                pasted.auth.client().keep_pasted_token(Some(&token));
            }
            pasted.kept.set(keeps);
            pasted.take(token);
        }
    };
    el(
        "div",
        &[],
        vec![
            el("div", &[("class", "field")], field),
            el("label", &[("class", "tick")], vec![keep, say("span", &[], en::KEEP_TOKEN)]),
            say("p", &[("class", "fine")], en::OWN_TOKEN_HINT),
            el("div", &[("class", "actions")], vec![button("use-token", "small", en::USE_TOKEN, Box::new(take))]),
        ],
    )
}

fn reached(reach: &Loadable<(u64, Vec<Organization>)>) -> AnyView {
    match reach {
        Loadable::Absent => nothing(),
        Loadable::Waiting => say("p", &[("class", "fine"), ("role", "status")], en::LOOKING_UP),
        Loadable::Ready((total, listed)) => {
            let names: Vec<&str> = listed.iter().take(NAMED).map(|one| one.name.as_str()).collect();
            let count = total.to_string();
            say("p", &[("class", "fine"), ("data-token-reaches", &count)], &en::token_reaches(*total, &names))
        }
        Loadable::Failed(error) => notice(error, "data-token-failed"),
    }
}
