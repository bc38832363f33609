//! What the JavaScript package calls: one page's client, without any interface.
//!
//! Everything that crosses is a text, a number or a function. Structured data is JSON, written by the
//! core's own writer, so that nothing is looked up on objects that a page could have prepared.
//! Whoever listens hears a snapshot, in which no type can hold a secret; the access token goes to the
//! function that asked for it and nowhere else.
//!
//! # What this crate does not do
//! It decides nothing, shows nothing and keeps nothing. The element is JavaScript (`js/`).

mod view;

use js_sys::Function;
use polar_signin::{
    browser::http,
    client::{Client, Prompt, SignIn},
};
#[cfg(feature = "dpop")]
use polar_signin_core::http::KeyName;
use polar_signin_core::{
    config::{Config, Options},
    error::{Code, Detail, Error, Phase},
    identities::Slot,
    json::{self, Object, Value},
    session::Grant,
};
use wasm_bindgen::prelude::*;
use web_sys::Window;

/// The client of this page.
#[wasm_bindgen]
pub struct Engine(Client);

/// How the keys begin that these options keep something under.
///
/// # Errors
/// The error (JSON) of options that are not valid.
#[wasm_bindgen]
pub fn namespace(options: &str, page: &str) -> Result<String, JsValue> {
    let namespace = config(options, page)?.namespace();
    // Without the place of the identity: any of them may have begun it.
    Ok(namespace.trim_end_matches(':').to_owned())
}

/// Opens the session of this page. The listener gets a snapshot (JSON) at once and with every change.
///
/// # Errors
/// The error (JSON) of options that are not valid.
#[wasm_bindgen]
pub fn start(options: &str, page: &str, listener: Function) -> Result<Engine, JsValue> {
    http::capture();
    let config = config(options, page)?;
    let provider = view::Provider::of(&config);
    let client = Client::start(config, move |overview| {
        // Whoever listens has to see to its own exceptions.
        let _ = listener.call1(&JsValue::NULL, &JsValue::from_str(&view::overview(&overview, &provider)));
    });
    Ok(Engine(client))
}

#[wasm_bindgen]
impl Engine {
    /// Leaves for the provider. The options are JSON.
    ///
    /// # Errors
    /// The error (JSON) of options that are not valid.
    pub fn sign_in(&self, options: &str) -> Result<(), JsValue> {
        match sign_in(options)? {
            (request, true) => self.0.add(request),
            (request, false) => self.0.sign_in(request),
        }
        Ok(())
    }

    /// The same in a window that was opened in the click itself; `undefined` if the browser opened none.
    ///
    /// # Errors
    /// The error (JSON) of options that are not valid.
    pub fn sign_in_popup(&self, options: &str, window: Option<Window>) -> Result<(), JsValue> {
        match sign_in(options)? {
            (request, true) => self.0.add_popup(request, window),
            (request, false) => self.0.sign_in_popup(request, window),
        }
        Ok(())
    }

    /// Ends an identity here, then at the provider as far as that offers it.
    pub fn sign_out(&self, identity: u8) {
        if let Some(slot) = Slot::new(identity) {
            self.0.sign_out(slot);
        }
    }

    /// From now on this identity is the active one, if it is signed in.
    pub fn switch_to(&self, identity: u8) {
        if let Some(slot) = Slot::new(identity) {
            self.0.switch(slot);
        }
    }

    /// A sign-in is likely.
    pub fn prepare(&self) {
        self.0.prepare();
    }

    /// Stays here after all.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// The error has been read.
    pub fn dismiss_error(&self) {
        self.0.dismiss_error();
    }

    /// Fetches userinfo and organizations again, where they are missing.
    pub fn retry_details(&self) {
        self.0.retry_details();
    }

    /// Calls back with an access token of this identity that can be used now and its generation, or with an
    /// error (JSON) as the third argument; the fourth is the name of the key that it is bound to, if it is.
    /// `refused` is the generation of one that was answered with 401.
    pub fn access_token(&self, identity: u8, refused: Option<f64>, then: Function) {
        let refused = refused.map(|generation| generation as u64);
        let hand_over = move |granted: Result<Grant, Error>| {
            let absent = JsValue::UNDEFINED;
            let (token, generation, error, key) = match granted {
                Ok(grant) => {
                    let token = JsValue::from_str(grant.access_token.expose());
                    let key = grant.key.map_or(JsValue::UNDEFINED, |key| JsValue::from_str(key.as_str()));
                    (token, JsValue::from_f64(grant.generation as f64), absent, key)
                }
                Err(error) => (absent.clone(), absent.clone(), JsValue::from_str(&view::error(&error)), absent),
            };
            let _ = then.call4(&JsValue::NULL, &token, &generation, &error, &key);
        };
        match Slot::new(identity) {
            Some(slot) => self.0.access_token(slot, refused, hand_over),
            None => hand_over(Err(invalid("identity"))),
        }
    }
}

#[cfg(feature = "dpop")]
#[wasm_bindgen]
impl Engine {
    /// Calls back with a proof (RFC 9449) for one request with this access token, or with an error (JSON).
    pub fn prove(&self, identity: u8, key: &str, method: String, url: String, token: String, then: Function) {
        let (client, key) = (self.0.clone(), KeyName::new(key));
        wasm_bindgen_futures::spawn_local(async move {
            let proof = match Slot::new(identity) {
                Some(slot) => client.prove(slot, &key, &method, &url, &token).await,
                None => Err(invalid("identity")),
            };
            let (proof, error) = match proof {
                Ok(proof) => (JsValue::from_str(proof.expose()), JsValue::UNDEFINED),
                Err(error) => (JsValue::UNDEFINED, JsValue::from_str(&view::error(&error))),
            };
            let _ = then.call2(&JsValue::NULL, &proof, &error);
        });
    }

    /// What a server at this address wants to see in the next proof.
    pub fn learn_nonce(&self, url: &str, nonce: &str) {
        self.0.learn_nonce(url, nonce);
    }
}

fn config(options: &str, page: &str) -> Result<Config, JsValue> {
    let config = Options::from_json(options.as_bytes()).and_then(|options| Config::new(&options, page));
    config.map_err(|error| JsValue::from_str(&view::error(&error)))
}

/// How a person wants to sign in, and whether besides whoever is there.
fn sign_in(options: &str) -> Result<(SignIn, bool), JsValue> {
    read_sign_in(options).map_err(|error| JsValue::from_str(&view::error(&error)))
}

/// One flat object, and no member that is not known.
fn read_sign_in(options: &str) -> Result<(SignIn, bool), Error> {
    let object = json::parse_object(options.as_bytes()).map_err(|_| invalid("options"))?;
    let (mut request, mut add) = (SignIn::default(), false);
    for (name, value) in object.iter() {
        match (name, value) {
            (_, Value::Null) => {}
            ("add", Value::Bool(besides)) => add = *besides,
            ("organization", Value::Bool(organization)) => request.organization = *organization,
            ("prompt", Value::String(prompt)) => request.prompt = Some(read_prompt(prompt)?),
            ("scope", Value::String(scope)) => {
                request.further_scope = scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
            }
            ("maxAge", Value::Number(_)) => request.max_age = Some(max_age(&object)?),
            ("loginHint", Value::String(hint)) => request.login_hint = Some(hint.to_string()),
            ("returnTo", Value::String(path)) => request.return_to = Some(path.to_string()),
            _ => return Err(invalid("options: a member that is not known, or of the wrong type")),
        }
    }
    Ok((request, add))
}

fn read_prompt(prompt: &str) -> Result<Prompt, Error> {
    match prompt {
        "login" => Ok(Prompt::Login),
        "consent" => Ok(Prompt::Consent),
        "select_account" => Ok(Prompt::SelectAccount),
        _ => Err(invalid("prompt")),
    }
}

fn max_age(object: &Object<'_>) -> Result<u32, Error> {
    let seconds = object.get("maxAge").and_then(Value::as_number).and_then(|number| number.to_fixed(0));
    seconds.and_then(|seconds| u32::try_from(seconds).ok()).ok_or_else(|| invalid("maxAge"))
}

fn invalid(name: &'static str) -> Error {
    Error::new(Code::InvalidConfiguration, Phase::Start).with(Detail::Name(name))
}
