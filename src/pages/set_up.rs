//! Before there is a client: what to enter at Polar, one click that enters it, or an id that is
//! there already.

use leptos::{prelude::*, task::spawn_local};
use polar_signin::{
    browser::{
        dom::{copy, field},
        navigation,
    },
    client::set_up::{SetUp, remember},
    components::face::face,
    text::en,
};
use polar_signin_core::{
    config::{Preset, check_redirect_uri},
    error::Error,
    registration::{ClientForm, RegisteredClient},
};

const SCOPE: &str = "openid profile email organizations:read";

/// What came of the click.
#[derive(Clone)]
enum Created {
    Not,
    Asking,
    Done(std::rc::Rc<RegisteredClient>),
    Failed(Error),
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Form {
    set_up: StoredValue<SetUp, LocalStorage>,
    preset: RwSignal<Preset>,
    created: RwSignal<Created, LocalStorage>,
}

pub(crate) fn set_up(set_up: SetUp) -> AnyView {
    let form = Form {
        preset: RwSignal::new(set_up.preset()),
        created: RwSignal::new_local(Created::Not),
        set_up: StoredValue::new_local(set_up),
    };
    view! {
        <section class="card">
            <h1 tabindex="-1">"Set this page up"</h1>
            <p class="lead">"It needs to be known at Polar as a public client. That takes a minute, and no secret."</p>
            {provider(form)}
            {what_to_enter(form)}
            {move || result(form)}
            {existing(form)}
        </section>
    }
    .into_any()
}

/// Production, sandbox, or the provider that `config.json` names.
fn provider(form: Form) -> AnyView {
    let own = form.set_up.with_value(SetUp::preset);
    let mut choices = vec![Preset::Polar, Preset::PolarSandbox];
    if !choices.contains(&own) {
        choices.insert(0, own);
    }
    let choices: Vec<_> = choices
        .into_iter()
        .map(|preset| {
            let id = ["preset-", preset.name()].concat();
            let name = form.set_up.with_value(|set_up| set_up.provider(preset).map(|p| p.name().to_owned()));
            view! {
                <label class="choice">
                    <input type="radio" name="preset" id=id checked=preset == own on:change=move |_| form.preset.set(preset)/>
                    {name.unwrap_or_else(|_| preset.name().to_owned())}
                </label>
            }
        })
        .collect();
    view! { <div class="section"><fieldset><legend>"Where"</legend>{choices}</fieldset></div> }.into_any()
}

fn what_to_enter(form: Form) -> AnyView {
    let (redirect_uri, page) =
        form.set_up.with_value(|set_up| (set_up.redirect_uri().to_owned(), set_up.page().to_owned()));
    let (class, check) = match check_redirect_uri(&redirect_uri) {
        Ok(()) => ("good", "This address is allowed."),
        Err(problem) => ("wrong", en::redirect_uri_problem(problem)),
    };
    let to_copy = redirect_uri.clone();
    let settings = move || {
        let provider = form.set_up.with_value(|set_up| set_up.provider(form.preset.get()));
        let url = provider.ok().and_then(|provider| provider.settings_url());
        url.map(|url| view! { <p>"By hand: enter the same in "<a href=url rel="noopener" target="_blank">"Polar’s settings"</a>"."</p> })
    };
    let create = move |_| {
        let own = form.set_up.with_value(|set_up| set_up.redirect_uri().to_owned());
        let optional = |id| Some(field(id)).filter(|text| !text.is_empty());
        let client = ClientForm {
            client_name: field("client-name"),
            redirect_uri: own,
            scope: SCOPE.to_owned(),
            client_uri: field("client-uri"),
            logo_uri: optional("logo-uri"),
            tos_uri: optional("tos-uri"),
            policy_uri: optional("policy-uri"),
        };
        let (set_up, preset) = (form.set_up.get_value(), form.preset.get_untracked());
        form.created.set(Created::Asking);
        spawn_local(async move {
            form.created.set(match set_up.register(preset, &client).await {
                Ok(client) => Created::Done(std::rc::Rc::new(client)),
                Err(error) => Created::Failed(error),
            });
        });
    };
    let busy = move || form.created.with(|created| matches!(created, Created::Asking));
    view! {
        <section class="section" aria-labelledby="enter">
            <h2 id="enter">"A new client"</h2>
            {input("client-name", "Application name", "What people see when they consent.", "My app")}
            <div class="field">
                <span>"Redirect URI"</span>
                <span class="value">
                    <code data-field="redirect-uri">{redirect_uri}</code>
                    <button type="button" class="small" on:click=move |_| copy(&to_copy)>"Copy"</button>
                </span>
                <small class=class data-field="redirect-check">{check}</small>
            </div>
            <div class="field"><span>"Client type"</span><span>"Public"</span></div>
            <div class="field"><span>"Scopes"</span><code>{SCOPE}</code></div>
            {input("client-uri", "Homepage", "", &page)}
            <details>
                <summary>"Logo, terms, privacy"</summary>
                {input("logo-uri", "Logo address", "", "")}
                {input("tos-uri", "Terms address", "", "")}
                {input("policy-uri", "Privacy address", "", "")}
            </details>
            <div class="actions">
                <button type="button" class="primary" id="create-client" disabled=busy on:click=create>"Create the client for me"</button>
            </div>
            {settings}
        </section>
    }
    .into_any()
}

fn input(id: &'static str, label: &'static str, hint: &'static str, value: &str) -> AnyView {
    let hint = (!hint.is_empty()).then(|| view! { <small>{hint}</small> });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input type="text" id=id value=value.to_owned() autocomplete="off"/>
            {hint}
        </div>
    }
    .into_any()
}

/// What came of the click.
fn result(form: Form) -> AnyView {
    match form.created.get() {
        Created::Not => ().into_any(),
        Created::Asking => view! { <p class="notice" role="status">"Creating the client…"</p> }.into_any(),
        Created::Failed(error) => {
            let words = en::error(error.code());
            let said = error.provider().map(|said| [said.error(), said.description().unwrap_or_default()].join(" "));
            view! {
                <div class="notice bad" role="alert" data-error-code=error.code().name()>
                    <strong>{words.title}</strong>". "{words.what}" "{words.todo}
                    <p class="code">{said}</p>
                </div>
            }
            .into_any()
        }
        Created::Done(client) => created(form, &client),
    }
}

fn created(form: Form, client: &RegisteredClient) -> AnyView {
    let id = client.client_id.clone();
    let token = client.registration_access_token.as_ref().map(|token| {
        let (shown, to_copy) = (token.expose().to_owned(), token.expose().to_owned());
        view! {
            <div class="field">
                <span>"Registration token"</span>
                <span class="value">
                    <code data-field="registration-token">{shown}</code>
                    <button type="button" class="small" on:click=move |_| copy(&to_copy)>"Copy"</button>
                </span>
                <small class="wrong">"Shown this once. Whoever has it can change or delete the client: keep it where you keep passwords."</small>
            </div>
        }
    });
    let managed = client.registration_client_uri.clone().map(|uri| view! { <small class="code">{uri}</small> });
    view! {
        <div class="notice" role="status">
            <p class="who">{face(None, "✓")}<strong>"The client was created"</strong></p>
            <div class="field"><span>"Client id"</span><code data-field="client-id">{id.clone()}</code></div>
            {token}
            {managed}
            {use_it(form, id)}
        </div>
    }
    .into_any()
}

/// The button that uses a client here, and the file that makes it lasting.
fn use_it(form: Form, id: String) -> AnyView {
    let preset = form.preset;
    let snippet = ["{ \"provider\": \"", preset.get_untracked().name(), "\", \"client_id\": \"", &id, "\" }"].concat();
    let go = move |_| {
        remember(preset.get_untracked(), &id);
        navigation::reload();
    };
    view! {
        <p class="fine">"For everyone who visits this page, put it into config.json beside index.html:"</p>
        <pre tabindex="0">{snippet}</pre>
        <div class="actions"><button type="button" class="primary" id="use-created" on:click=go>"Use it in this browser"</button></div>
    }
    .into_any()
}

/// An id that is there already.
fn existing(form: Form) -> AnyView {
    let go = move |_| {
        let id = field("client-id");
        if !id.is_empty() {
            remember(form.preset.get_untracked(), &id);
            navigation::reload();
        }
    };
    view! {
        <section class="section" aria-labelledby="existing">
            <h2 id="existing">"A client that is there already"</h2>
            {input("client-id", "Client id", "It begins with polar_ci_.", "")}
            <div class="actions"><button type="button" id="use-client" on:click=go>"Use this client"</button></div>
        </section>
    }
    .into_any()
}
