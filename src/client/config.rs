//! How a deployed copy learns its settings: `config.json` beside the page, and what somebody
//! typed on the set-up page of this browser.

use polar_signin_core::{
    config::{Config, Options, Preset},
    error::{Code, Detail, Error, Phase},
    http::HttpOutcome,
};

use super::{
    drive,
    set_up::{self, SetUp},
};
use crate::browser::navigation;

/// What the settings come to.
pub enum Loaded {
    /// A client is configured.
    Ready(Box<Config>),
    /// None yet: the page says how to make one.
    SetUp(SetUp),
}

/// Reads the settings: those that the page holds, or `config.json`. Where the file is missing, everything has its
/// default.
///
/// # Errors
/// A network error, or `InvalidConfiguration` naming the setting.
pub async fn load() -> Result<Loaded, Error> {
    let page = navigation::base_url();
    let mut options = match navigation::settings().await {
        Some(text) => Options::from_json(text.as_bytes())?,
        None => fetch(&page).await?,
    };
    if options.client_id.is_none()
        && let Some((preset, client_id)) = set_up::remembered()
    {
        // What the file says of a provider holds for that provider alone.
        if options.provider.as_deref().unwrap_or("polar") != preset.name() {
            options = Options { redirect_uri: options.redirect_uri, ..Options::default() };
            options.provider = Some(preset.name().to_owned());
        }
        options.client_id = Some(client_id);
    }
    match options.client_id {
        Some(_) => Config::new(&options, &page).map(|config| Loaded::Ready(Box::new(config))),
        None => Ok(Loaded::SetUp(SetUp::new(options, page))),
    }
}

async fn fetch(page: &str) -> Result<Options, Error> {
    let request = polar_signin_core::http::HttpRequest::get(&[page, "config.json"].concat());
    match drive::send(request).await {
        HttpOutcome::Answered(response) if response.status == 200 => Options::from_json(&response.body),
        HttpOutcome::Answered(response) if response.status == 404 => Ok(Options::default()),
        HttpOutcome::Answered(response) => {
            let status = Detail::Status(response.status);
            Err(Error::new(Code::HttpStatus, Phase::Start).with(status))
        }
        HttpOutcome::NotSent(_) | HttpOutcome::Unknown(_) => Err(Error::new(Code::Network, Phase::Start)),
    }
}

/// The preset that `config.json` names, if it is one that needs no further settings.
pub(super) fn preset_of(options: &Options) -> Preset {
    options.provider.as_deref().and_then(Preset::from_name).unwrap_or(Preset::Polar)
}
