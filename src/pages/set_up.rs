//! Before there is a client: what to enter at Polar, one click that enters it, or an id that is
//! there already.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};
use polar_signin::{
    browser::{
        dom::{copy, field},
        navigation,
    },
    client::set_up::{SetUp, remember},
    components::{
        element::{Handler, button, el, el_on, live, nothing, say, text},
        error_panel::notice,
    },
    text::en,
};
use polar_signin_core::{
    config::Preset,
    error::Error,
    redirect_uri::check_redirect_uri,
    registration::{ClientForm, RegisteredClient},
};

const SCOPE: &str = "openid profile email organizations:read";

/// What came of the click.
#[derive(Clone)]
enum Created {
    Not,
    Asking,
    Done(Rc<RegisteredClient>),
    Failed(Error),
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Form {
    set_up: StoredValue<SetUp, LocalStorage>,
    preset: RwSignal<Preset, LocalStorage>,
    created: RwSignal<Created, LocalStorage>,
}

pub(crate) fn set_up(set_up: SetUp) -> AnyView {
    let form = Form {
        preset: RwSignal::new_local(set_up.preset()),
        created: RwSignal::new_local(Created::Not),
        set_up: StoredValue::new_local(set_up),
    };
    el(
        "section",
        &[("class", "card")],
        vec![
            say("h1", &[("tabindex", "-1")], en::SET_UP),
            say("p", &[("class", "lead")], en::SET_UP_LEAD),
            provider(form),
            what_to_enter(form),
            live(Box::new(move || result(form))),
            existing(form),
        ],
    )
}

/// Production, sandbox, or the provider that `config.json` names.
fn provider(form: Form) -> AnyView {
    let own = form.set_up.with_value(SetUp::preset);
    let mut presets = vec![Preset::Polar, Preset::PolarSandbox];
    if !presets.contains(&own) {
        presets.insert(0, own);
    }
    let mut choices = vec![say("legend", &[], en::WHERE)];
    for preset in presets {
        let id = ["preset-", preset.name()].concat();
        let provider = form.set_up.with_value(|set_up| set_up.provider(preset));
        let name = provider.map_or_else(|_| preset.name().to_owned(), |provider| provider.name().to_owned());
        let mut attributes = vec![("type", "radio"), ("name", "preset"), ("id", id.as_str())];
        if preset == own {
            attributes.push(("checked", ""));
        }
        let choose: Handler = Box::new(move |_| form.preset.set(preset));
        let input = el_on("input", &attributes, vec![("change", choose)], vec![]);
        choices.push(el("label", &[("class", "choice")], vec![input, text(&name)]));
    }
    el("div", &[("class", "section")], vec![el("fieldset", &[], choices)])
}

fn what_to_enter(form: Form) -> AnyView {
    let (redirect_uri, page) =
        form.set_up.with_value(|set_up| (set_up.redirect_uri().to_owned(), set_up.page().to_owned()));
    let (class, check) = match check_redirect_uri(&redirect_uri) {
        Ok(()) => ("good", en::REDIRECT_ALLOWED),
        Err(problem) => ("wrong", en::redirect_uri_problem(problem)),
    };
    let by_hand = move || {
        let provider = form.set_up.with_value(|set_up| set_up.provider(form.preset.get()));
        let Some(url) = provider.ok().and_then(|provider| provider.settings_url()) else { return nothing() };
        let link = say("a", &[("href", url), ("rel", "noopener"), ("target", "_blank")], en::POLAR_SETTINGS);
        el("p", &[("class", "fine")], vec![text(en::BY_HAND), link, text(".")])
    };
    let optional = vec![
        say("summary", &[], en::OPTIONAL),
        input("logo-uri", en::LOGO, "", ""),
        input("tos-uri", en::TERMS, "", ""),
        input("policy-uri", en::PRIVACY, "", ""),
    ];
    el(
        "section",
        &[("class", "section"), ("aria-labelledby", "enter")],
        vec![
            say("h2", &[("id", "enter")], en::NEW_CLIENT),
            input("client-name", en::CLIENT_NAME, en::CLIENT_NAME_HINT, en::CLIENT_NAME_VALUE),
            copyable(
                en::REDIRECT_URI,
                "redirect-uri",
                &redirect_uri,
                say("small", &[("class", class), ("data-field", "redirect-check")], check),
            ),
            fact(en::CLIENT_TYPE, "span", en::PUBLIC),
            fact(en::SCOPES, "code", SCOPE),
            input("client-uri", en::HOMEPAGE, "", &page),
            el("details", &[], optional),
            el(
                "div",
                &[("class", "actions")],
                vec![button("create-client", "primary", en::CREATE, Box::new(move || create(form)))],
            ),
            live(Box::new(by_hand)),
        ],
    )
}

/// Asks the provider for the client. A second click while it is asked does nothing.
fn create(form: Form) {
    if form.created.with_untracked(|created| matches!(created, Created::Asking)) {
        return;
    }
    let optional = |id| Some(field(id)).filter(|text| !text.is_empty());
    let set_up = form.set_up.get_value();
    let client = ClientForm {
        client_name: field("client-name"),
        redirect_uri: set_up.redirect_uri().to_owned(),
        scope: SCOPE.to_owned(),
        client_uri: field("client-uri"),
        logo_uri: optional("logo-uri"),
        tos_uri: optional("tos-uri"),
        policy_uri: optional("policy-uri"),
    };
    let preset = form.preset.get_untracked();
    form.created.set(Created::Asking);
    spawn_local(async move {
        form.created.set(match set_up.register(preset, &client).await {
            Ok(client) => Created::Done(Rc::new(client)),
            Err(error) => Created::Failed(error),
        });
    });
}

fn input(id: &str, label: &str, hint: &str, value: &str) -> AnyView {
    el(
        "div",
        &[("class", "field")],
        vec![
            say("label", &[("for", id)], label),
            el("input", &[("type", "text"), ("id", id), ("value", value), ("autocomplete", "off")], vec![]),
            if hint.is_empty() { nothing() } else { say("small", &[], hint) },
        ],
    )
}

fn fact(label: &str, tag: &'static str, value: &str) -> AnyView {
    el("div", &[("class", "field")], vec![say("span", &[], label), say(tag, &[], value)])
}

/// A value with a button that copies it.
fn copyable(label: &str, name: &str, value: &str, below: AnyView) -> AnyView {
    let to_copy = value.to_owned();
    let attributes = [("type", "button"), ("class", "small"), ("aria-label", &[en::COPY, " ", label].concat())];
    let press: Handler = Box::new(move |_| copy(&to_copy));
    let button = el_on("button", &attributes, vec![("click", press)], vec![text(en::COPY)]);
    let value = el("span", &[("class", "value")], vec![say("code", &[("data-field", name)], value), button]);
    el("div", &[("class", "field")], vec![say("span", &[], label), value, below])
}

/// What came of the click.
fn result(form: Form) -> AnyView {
    match form.created.get() {
        Created::Not => nothing(),
        Created::Asking => say("p", &[("class", "notice"), ("role", "status")], en::CREATING),
        Created::Failed(error) => notice(&error, "data-error-code"),
        Created::Done(client) => created(form, &client),
    }
}

fn created(form: Form, client: &RegisteredClient) -> AnyView {
    let id = client.client_id.clone();
    let preset = form.preset.get_untracked();
    let snippet = ["{ \"provider\": \"", preset.name(), "\", \"client_id\": \"", &id, "\" }"].concat();
    let token = client.registration_access_token.as_ref().map_or_else(nothing, |token| {
        let keep = say("small", &[("class", "wrong")], en::KEEP_IT);
        copyable(en::REGISTRATION_TOKEN, "registration-token", token.expose(), keep)
    });
    let managed = client.registration_client_uri.as_deref().unwrap_or_default();
    let client_id = copyable(en::CLIENT_ID, "client-id", &id, say("small", &[("class", "code")], managed));
    let go = move || {
        remember(preset, &id);
        navigation::reload();
    };
    el(
        "div",
        &[("class", "notice"), ("role", "status")],
        vec![
            say("strong", &[], en::CREATED),
            client_id,
            token,
            say("p", &[("class", "fine")], en::FOR_EVERYONE),
            say("pre", &[("tabindex", "0")], &snippet),
            el("div", &[("class", "actions")], vec![button("use-created", "primary", en::USE_IT, Box::new(go))]),
        ],
    )
}

/// An id that is there already.
fn existing(form: Form) -> AnyView {
    let go = move || {
        let id = field("client-id");
        if !id.is_empty() {
            remember(form.preset.get_untracked(), &id);
            navigation::reload();
        }
    };
    el(
        "section",
        &[("class", "section"), ("aria-labelledby", "existing")],
        vec![
            say("h2", &[("id", "existing")], en::EXISTING),
            input("client-id", en::CLIENT_ID, en::CLIENT_ID_HINT, ""),
            el("div", &[("class", "actions")], vec![button("use-client", "", en::USE_CLIENT, Box::new(go))]),
        ],
    )
}
