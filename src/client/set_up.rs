//! Before there is a client: what to enter at the provider, creating one with a click, and
//! remembering its id in this browser. A client id is no secret.

use polar_signin_core::{
    config::{Options, Preset, Provider},
    discovery,
    error::{Code, Error, Phase},
    registration::{self, ClientForm, RegisteredClient},
};

use super::{config::preset_of, drive};
use crate::browser::storage::Preferences;

const KEY: &str = "polar-signin:v1:client";

/// What is known before there is a client.
#[derive(Clone)]
pub struct SetUp {
    options: Options,
    page: String,
}

impl SetUp {
    pub(super) fn new(options: Options, page: String) -> Self {
        Self { options, page }
    }

    /// The redirect URI to enter at the provider: this page's address, or the configured one.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.options.redirect_uri.as_deref().unwrap_or(&self.page)
    }

    /// This page's own address.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The provider that `config.json` names; Polar if none.
    #[must_use]
    pub fn preset(&self) -> Preset {
        preset_of(&self.options)
    }

    /// The provider of a preset. Further settings of `config.json` belong to its own preset.
    ///
    /// # Errors
    /// `InvalidConfiguration`, naming the setting.
    pub fn provider(&self, preset: Preset) -> Result<Provider, Error> {
        let mut options = if preset == self.preset() { self.options.clone() } else { Options::default() };
        options.provider = Some(preset.name().to_owned());
        Provider::new(&options, &self.page)
    }

    /// Creates a public client at the provider, which must offer registration to anyone.
    ///
    /// # Errors
    /// What discovery or the registration failed with; `RegistrationRefused` if there is no
    /// registration endpoint.
    pub async fn register(&self, preset: Preset, form: &ClientForm) -> Result<RegisteredClient, Error> {
        let provider = self.provider(preset)?;
        let (request, _) = discovery::request(provider.metadata_url());
        let answer = drive::send(request).await;
        let endpoint = discovery::registration_endpoint(answer, provider.issuer(), provider.transport())?;
        let endpoint = endpoint.ok_or_else(|| Error::new(Code::RegistrationRefused, Phase::Registration))?;
        let (request, waiting) = registration::request(&endpoint, form);
        waiting.process(drive::send(request).await)
    }
}

/// Remembers a client id in this browser.
pub fn remember(preset: Preset, client_id: &str) {
    Preferences::set(KEY, &[preset.name(), " ", client_id].concat());
}

/// Forgets it.
pub fn forget() {
    Preferences::remove(KEY);
}

/// Whether the client's id was typed in here, rather than deployed.
#[must_use]
pub fn is_remembered() -> bool {
    remembered().is_some()
}

/// What was remembered.
pub(super) fn remembered() -> Option<(Preset, String)> {
    let text = Preferences::get(KEY)?;
    let (preset, client_id) = text.split_once(' ')?;
    Some((Preset::from_name(preset)?, client_id.to_owned()))
}
