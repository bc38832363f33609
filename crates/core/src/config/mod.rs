//! Configuration: however it was written down, it becomes one validated [`Config`].

mod options;

use crate::{
    error::{Code, Detail, Error, Phase},
    identities::Slot,
    jws::Algorithm,
    pkce::short_hash,
    url::{EndpointUrl, Transport, is_loopback, without_query},
};

pub use options::Options;

/// Where the settings of a well-known provider come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Polar, production.
    Polar,
    /// Polar's sandbox. It names the same issuer as production: the two are told apart by the
    /// address of their metadata, here and in every key of the storage.
    PolarSandbox,
    /// The local provider of this project's demo.
    Local,
    /// Any other OpenID provider.
    Other,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Polar, Self::PolarSandbox, Self::Local, Self::Other];

    /// The name in `config.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Polar => "polar",
            Self::PolarSandbox => "polar-sandbox",
            Self::Local => "local",
            Self::Other => "oidc",
        }
    }

    /// What the button calls the provider.
    fn title(self) -> Option<&'static str> {
        match self {
            Self::Polar => Some("Polar"),
            Self::PolarSandbox => Some("Polar sandbox"),
            Self::Local => Some("Polar (local demo)"),
            Self::Other => None,
        }
    }

    /// The preset of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Whether the provider is Polar or behaves as Polar does.
    #[must_use]
    pub fn is_polar(self) -> bool {
        self != Self::Other
    }
}

/// A provider: who it is and where its metadata is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    preset: Preset,
    name: String,
    issuer: String,
    metadata_url: EndpointUrl,
    organizations_endpoint: Option<EndpointUrl>,
    transport: Transport,
}

impl Provider {
    /// The provider that these options describe, for a page at this address.
    ///
    /// # Errors
    /// `InvalidConfiguration`, naming the setting.
    pub fn new(options: &Options, page: &str) -> Result<Self, Error> {
        let preset = options.provider.as_deref().unwrap_or("polar");
        let preset = Preset::from_name(preset).ok_or_else(|| invalid("provider"))?;
        let transport = transport(options, page)?;
        let fixed = match preset {
            Preset::Polar => Some(("https://polar.sh", "https://api.polar.sh")),
            Preset::PolarSandbox => Some(("https://polar.sh", "https://sandbox-api.polar.sh")),
            // A page on the open web has no address of a demo in it: that one is always a setting.
            Preset::Local | Preset::Other => None,
        };
        // The issuer and the address of a known provider are facts, not settings.
        if fixed.is_some() && options.issuer.is_some() {
            return Err(invalid("issuer"));
        }
        if fixed.is_some() && options.metadata_url.is_some() {
            return Err(invalid("metadata_url"));
        }

        let issuer = options.issuer.as_deref().or_else(|| fixed.map(|(issuer, _)| issuer));
        let issuer = issuer.ok_or_else(|| invalid("issuer"))?;
        // Core 2: https, no query, no fragment.
        let issuer_url = EndpointUrl::parse(issuer, transport).filter(|url| url.query().is_none());
        let issuer_url = issuer_url.ok_or_else(|| invalid("issuer"))?;
        let metadata_url = match (&options.metadata_url, fixed) {
            (Some(url), _) => url.clone(),
            (None, Some((_, api))) => well_known(api),
            (None, None) => well_known(issuer),
        };
        let metadata_url = EndpointUrl::parse(&metadata_url, transport).filter(|url| url.query().is_none());
        let metadata_url = metadata_url.ok_or_else(|| invalid("metadata_url"))?;
        let organizations_endpoint = match &options.organizations_endpoint {
            Some(url) => Some(url.clone()),
            None if preset.is_polar() => Some(metadata_url.origin() + "/v1/organizations/"),
            None => None,
        };
        let organizations_endpoint = match organizations_endpoint {
            None => None,
            Some(url) => Some(EndpointUrl::parse(&url, transport).ok_or_else(|| invalid("organizations_endpoint"))?),
        };
        let name = options.name.clone().or_else(|| preset.title().map(str::to_owned));
        let name = name.unwrap_or_else(|| issuer_url.host());
        Ok(Self { preset, name, issuer: issuer.to_owned(), metadata_url, organizations_endpoint, transport })
    }

    /// The preset that it came from.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// What to call it on the screen.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issuer, expected byte for byte.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where its metadata is. Together with the client id this is the provider's identity here.
    #[must_use]
    pub fn metadata_url(&self) -> &EndpointUrl {
        &self.metadata_url
    }

    /// Where it lists organizations, in Polar's form.
    #[must_use]
    pub fn organizations_endpoint(&self) -> Option<&EndpointUrl> {
        self.organizations_endpoint.as_ref()
    }

    /// Where its API begins, in Polar's form: `…/v1/`.
    #[must_use]
    pub fn api(&self) -> Option<EndpointUrl> {
        let url = self.metadata_url.origin() + "/v1/";
        EndpointUrl::parse(&url, self.transport).filter(|_| self.preset.is_polar())
    }

    /// Where a person manages clients by hand.
    #[must_use]
    pub fn settings_url(&self) -> Option<&'static str> {
        match self.preset {
            Preset::Polar => Some("https://polar.sh/settings"),
            Preset::PolarSandbox => Some("https://sandbox.polar.sh/settings"),
            Preset::Local | Preset::Other => None,
        }
    }

    /// Which addresses its endpoints may have.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }
}

/// Everything that a sign-in needs to know beforehand, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    provider: Provider,
    client_id: String,
    redirect_uri: EndpointUrl,
    scope: Vec<String>,
    algorithms: Vec<Algorithm>,
    trusted_audiences: Vec<String>,
    rp_initiated_logout: bool,
    dpop: bool,
    slot: Slot,
}

impl Config {
    /// Checks the options for a page at this address (its directory, without query and fragment).
    ///
    /// # Errors
    /// `InvalidConfiguration`, naming the setting; `RedirectMismatch` if the redirect URI is not
    /// on this page's origin: what is kept here could not be found there.
    pub fn new(options: &Options, page: &str) -> Result<Self, Error> {
        let provider = Provider::new(options, page)?;
        let client_id = options.client_id.clone().unwrap_or_default();
        if client_id.is_empty() || client_id.len() > 512 || !client_id.bytes().all(|b| matches!(b, 0x21..=0x7e)) {
            return Err(invalid("client_id"));
        }
        // Where the page itself may be on http, so may its redirect URI.
        let page_url = EndpointUrl::parse(without_query(page), Transport::HttpsOrLoopback);
        let page_url = page_url.ok_or_else(|| invalid("page"))?;
        let redirect_uri = match &options.redirect_uri {
            None => page_url.clone(),
            Some(uri) => {
                let uri = EndpointUrl::parse(uri, Transport::HttpsOrLoopback);
                uri.ok_or_else(|| invalid("redirect_uri"))?
            }
        };
        if redirect_uri.origin() != page_url.origin() {
            return Err(Error::new(Code::RedirectMismatch, Phase::Start));
        }
        let default_scope =
            if provider.preset.is_polar() { "openid profile email organizations:read" } else { "openid profile email" };
        let scope = parse_scope(options.scope.as_deref().unwrap_or(default_scope)).ok_or_else(|| invalid("scope"))?;
        // Asked for where it was not built in: refused, not ignored.
        if options.dpop && !cfg!(feature = "dpop") {
            return Err(invalid("dpop"));
        }
        let algorithms = vec![Algorithm::Rs256, Algorithm::Es256];
        Ok(Self {
            provider,
            client_id,
            redirect_uri,
            scope,
            algorithms,
            trusted_audiences: Vec::new(),
            rp_initiated_logout: options.rp_initiated_logout.unwrap_or(true),
            dpop: options.dpop,
            slot: Slot::default(),
        })
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// `client_id`.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// `redirect_uri`, sent exactly so.
    #[must_use]
    pub fn redirect_uri(&self) -> &EndpointUrl {
        &self.redirect_uri
    }

    /// The scopes that are asked for; `openid` is among them.
    #[must_use]
    pub fn scope(&self) -> &[String] {
        &self.scope
    }

    /// The signature algorithms that are accepted: RS256 and ES256 unless more were allowed.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Accepts a further signature algorithm for this provider: PS256 or `EdDSA`.
    #[must_use]
    pub fn allow_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithms.push(algorithm);
        self
    }

    /// Audiences besides this client that may stand in an ID token's `aud`.
    #[must_use]
    pub fn trusted_audiences(&self) -> &[String] {
        &self.trusted_audiences
    }

    /// A weakening: accepts ID tokens that are meant for this client *and* for that one.
    #[must_use]
    pub fn trust_audience(mut self, audience: &str) -> Self {
        self.trusted_audiences.push(audience.to_owned());
        self
    }

    /// Whether signing out goes on at the provider, where that offers it.
    #[must_use]
    pub fn rp_initiated_logout(&self) -> bool {
        self.rp_initiated_logout
    }

    /// Whether tokens have to be bound to a key (RFC 9449).
    #[must_use]
    pub fn dpop(&self) -> bool {
        cfg!(feature = "dpop") && self.dpop
    }

    /// The same for an identity at this place of the tab.
    #[must_use]
    pub fn in_slot(&self, slot: Slot) -> Self {
        Self { slot, ..self.clone() }
    }

    /// The prefix of every key that is kept for this provider and client, and for the identity at this place.
    #[must_use]
    pub fn namespace(&self) -> String {
        [self.provider_and_client(), self.slot.separator()].concat()
    }

    /// Of which identity of this provider and client this key is.
    pub(crate) fn slot_of(&self, key: &str) -> Option<Slot> {
        Slot::at_start_of(key.strip_prefix(&self.provider_and_client())?)
    }

    fn provider_and_client(&self) -> String {
        let identity = [self.provider.metadata_url.as_str(), self.client_id.as_str()].join("\n");
        [KEY_PREFIX, &short_hash(&identity)].concat()
    }

    /// The key of an access token that somebody pasted and wants kept: it is of no identity.
    #[must_use]
    pub fn pasted_token_key(&self) -> String {
        let identity = self.provider_and_client();
        [KEY_PREFIX, "pasted:", identity.strip_prefix(KEY_PREFIX).unwrap_or_default()].concat()
    }

    /// The key of a sign-out that is under way at the provider.
    pub(crate) fn sign_out_key(&self) -> String {
        [&self.namespace(), "sign-out"].concat()
    }
}

/// The prefix of every key in session storage, of whatever provider and client.
pub const KEY_PREFIX: &str = "polar-signin:v1:";

/// What marks a window that was opened for a sign-in. A new window begins with a copy of its opener's
/// session storage. The opener keeps this right before it opens the window and removes it right after,
/// so that it stands in the copy alone.
pub const POPUP_KEY: &str = "polar-signin:v1:popup";

/// Splits a scope at spaces and puts `openid` first if it is missing (RFC 6749 3.3).
fn parse_scope(scope: &str) -> Option<Vec<String>> {
    let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let mut scopes: Vec<String> = Vec::new();
    for token in scope.split(' ').filter(|token| !token.is_empty()) {
        if !token.bytes().all(allowed) {
            return None;
        }
        if !scopes.iter().any(|scope| scope == token) {
            scopes.push(token.to_owned());
        }
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    Some(scopes)
}

/// Discovery 4.1: one trailing `/` of the issuer is left out before the well-known path.
fn well_known(issuer: &str) -> String {
    [issuer.strip_suffix('/').unwrap_or(issuer), "/.well-known/openid-configuration"].concat()
}

/// http on loopback only where the page itself is on loopback too.
fn transport(options: &Options, page: &str) -> Result<Transport, Error> {
    if !options.allow_http_on_loopback {
        return Ok(Transport::Https);
    }
    let page = EndpointUrl::parse(without_query(page), Transport::HttpsOrLoopback);
    let local = page.is_some_and(|page| is_loopback(&page.host()));
    if local { Ok(Transport::HttpsOrLoopback) } else { Err(invalid("allow_http_on_loopback")) }
}

fn invalid(name: &'static str) -> Error {
    Error::new(Code::InvalidConfiguration, Phase::Start).with(Detail::Name(name))
}
