//! An app of one's own with a sign-in. All that has to be written for it is here.

use leptos::prelude::*;
use polar_signin::{
    client::{
        api::{Fetching, Heard},
        config::{self, Loaded},
    },
    components::{
        OrganizationSwitcher, SignInButton, SignInFailed, SignOutButton, SignedIn, SignedOut, SigningIn,
        provide_session, use_session,
    },
    text::en,
};
use polar_signin_core::{config::Config, error::Error, json::Value};

fn main() {
    wasm_bindgen_futures::spawn_local(async {
        // `config.json` beside the page. `Config::new` takes the same settings from anywhere else.
        match config::load().await {
            Ok(Loaded::Ready(config)) => mount_to_body(move || view! { <App config=*config /> }),
            Ok(Loaded::SetUp(_)) => mount_to_body(|| view! { <p>"Put a client_id into config.json."</p> }),
            Err(error) => mount_to_body(move || view! { <p>{en::error(error.code()).what}</p> }),
        }
    });
}

#[component]
fn App(config: Config) -> impl IntoView {
    // The session of this page. If it was opened as a callback, that is finished by itself.
    let session = provide_session(config);
    let name = move || session.account(|account| account.display_name().to_owned());
    let failed = move || session.error().map(|error| en::error(error.code()).what);
    view! {
        <header>
            <strong>"Tool shed"</strong>
            <SignedOut>
                <SignInButton class="primary" />
            </SignedOut>
            <SignedIn>
                <span id="name">{name}</span>
                <SignOutButton />
            </SignedIn>
        </header>
        <main>
            <SignedOut>
                <p>"Sign in to see your products."</p>
            </SignedOut>
            <SigningIn>
                <p role="status">"One moment…"</p>
            </SigningIn>
            <SignInFailed>
                <p role="alert">{failed}</p>
                <button type="button" on:click=move |_| session.client().dismiss_error()>"All right"</button>
            </SignInFailed>
            <SignedIn>
                <OrganizationSwitcher />
                <Organizations />
            </SignedIn>
        </main>
    }
}

/// A request with the access token of whoever is signed in. The token never comes near this code.
#[component]
fn Organizations() -> impl IntoView {
    let session = use_session();
    let names = RwSignal::new_local(None::<Result<Vec<String>, Error>>);
    let client = session.client();
    let request = client.config().provider().organizations_endpoint().map(|endpoint| {
        client.fetch(endpoint.as_str().to_owned(), None, move |heard| {
            if let Heard::Done(answer) = heard {
                names.set(Some(answer.map(|answer| names_in(&answer.json()))));
            }
        })
    });
    // Held while somebody looks: dropping it cancels the request.
    let _held: StoredValue<Option<Fetching>, LocalStorage> = StoredValue::new_local(request);
    let rows = move || match names.get() {
        None => view! { <li role="status">"One moment…"</li> }.into_any(),
        Some(Err(error)) => view! { <li role="alert">{en::error(error.code()).what}</li> }.into_any(),
        Some(Ok(names)) => names.into_iter().map(|name| view! { <li>{name}</li> }).collect_view().into_any(),
    };
    view! { <ul id="organizations-by-request">{rows}</ul> }
}

fn names_in(answer: &Value<'_>) -> Vec<String> {
    let items = answer.as_object().and_then(|page| page.get("items")).and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(|item| item.as_object()?.str("name").map(str::to_owned)).collect()
}
