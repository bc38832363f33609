//! Provider metadata (OpenID Connect Discovery 1.0 sections 3 and 4, RFC 8414).

use crate::{
    config::Config,
    error::{Code, Detail, Error, Phase},
    form,
    http::{HttpOutcome, HttpRequest, JsonType},
    json::{self, Object, ObjectWriter, Value},
    jws::Algorithm,
    url::{EndpointUrl, Transport},
};

/// What is used of a provider's metadata, checked against the expected issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// `authorization_endpoint`
    pub authorization_endpoint: EndpointUrl,
    /// `registration_endpoint`
    pub registration_endpoint: Option<EndpointUrl>,
    /// The endpoints that a sign-in takes along.
    pub endpoints: Endpoints,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 3)
    pub iss_parameter: bool,
    /// `token_endpoint_auth_methods_supported` names `none`. Many providers that accept public
    /// clients do not say so: worth a warning, no reason to stop.
    pub names_public_clients: bool,
    /// `dpop_signing_alg_values_supported` names ES256 (RFC 9449 5.1).
    pub dpop: bool,
}

/// The endpoints that a sign-in still needs when it comes back, and its session after that. They
/// are kept with both, so that neither needs discovery nor can be led elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// `token_endpoint`
    pub token: EndpointUrl,
    /// `jwks_uri`
    pub jwks: EndpointUrl,
    /// `userinfo_endpoint`
    pub userinfo: Option<EndpointUrl>,
    /// `revocation_endpoint` (RFC 7009), where a public client may use it.
    pub revocation: Option<EndpointUrl>,
    /// `end_session_endpoint` (OpenID Connect RP-Initiated Logout 1.0, 2.1)
    pub end_session: Option<EndpointUrl>,
}

impl Endpoints {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &EndpointUrl> {
        let Self { token, jwks, userinfo, revocation, end_session } = self;
        [token, jwks].into_iter().chain(userinfo).chain(revocation).chain(end_session)
    }

    /// Adds them to a record.
    pub(crate) fn write(&self, record: &mut ObjectWriter) {
        record
            .string("token_endpoint", self.token.as_str())
            .string("jwks_uri", self.jwks.as_str())
            .optional("userinfo_endpoint", self.userinfo.as_ref().map(EndpointUrl::as_str))
            .optional("revocation_endpoint", self.revocation.as_ref().map(EndpointUrl::as_str))
            .optional("end_session_endpoint", self.end_session.as_ref().map(EndpointUrl::as_str));
    }

    /// Reads them from a record. `None` if one is missing or is no endpoint's address.
    pub(crate) fn read(record: &Object<'_>, transport: Transport) -> Option<Self> {
        let required = |name| EndpointUrl::parse(record.str(name)?, transport);
        let optional = |name| record.get(name).map_or(Some(None), |_| required(name).map(Some));
        Some(Self {
            token: required("token_endpoint")?,
            jwks: required("jwks_uri")?,
            userinfo: optional("userinfo_endpoint")?,
            revocation: optional("revocation_endpoint")?,
            end_session: optional("end_session_endpoint")?,
        })
    }
}

/// The answer to [`request`] that is waited for.
#[derive(Debug)]
pub struct AwaitMetadata(());

/// Asks for the metadata.
#[must_use]
pub fn request(metadata_url: &EndpointUrl) -> (HttpRequest, AwaitMetadata) {
    (HttpRequest::get(metadata_url.as_str()), AwaitMetadata(()))
}

impl AwaitMetadata {
    /// Reads and checks the answer (Discovery 4.3; RFC 8414 3.3).
    ///
    /// # Errors
    /// A network or status error, or a `Metadata…` code.
    pub fn process(self, outcome: HttpOutcome, config: &Config) -> Result<Metadata, Error> {
        let response = outcome.answer(Phase::Discovery)?;
        let body = response.json(JsonType::Suffixed, Phase::Discovery, Code::MetadataMalformed)?;
        let provider = config.provider();
        let metadata = Metadata::parse(body, provider.issuer(), provider.transport(), config.algorithms())?;
        if config.dpop() && !metadata.dpop {
            let missing = Detail::Name("dpop_signing_alg_values_supported");
            return Err(refuse(Code::MetadataUnsupported).with(missing));
        }
        Ok(metadata)
    }
}

/// The registration endpoint alone, for a page that has no client yet.
///
/// # Errors
/// As [`AwaitMetadata::process`].
pub fn registration_endpoint(
    answer: HttpOutcome,
    issuer: &str,
    transport: Transport,
) -> Result<Option<EndpointUrl>, Error> {
    let response = answer.answer(Phase::Discovery)?;
    let body = response.json(JsonType::Suffixed, Phase::Discovery, Code::MetadataMalformed)?;
    Ok(Metadata::parse(body, issuer, transport, &[Algorithm::Rs256, Algorithm::Es256])?.registration_endpoint)
}

impl Metadata {
    /// The origins that a page talks to, for `connect-src` in its Content-Security-Policy.
    #[must_use]
    pub fn connect_sources(&self, metadata_url: &EndpointUrl) -> Vec<String> {
        let Endpoints { token, jwks, userinfo, revocation, end_session: _ } = &self.endpoints;
        let further = userinfo.iter().chain(revocation).chain(&self.registration_endpoint);
        let mut origins: Vec<String> = Vec::new();
        for origin in [metadata_url, token, jwks].into_iter().chain(further).map(EndpointUrl::origin) {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        origins
    }

    /// Reads a metadata document.
    ///
    /// # Errors
    /// `MetadataMalformed`, `MetadataIssuer`, `MetadataEndpoint` or `MetadataUnsupported`.
    pub fn parse(text: &[u8], issuer: &str, transport: Transport, allowed: &[Algorithm]) -> Result<Self, Error> {
        let malformed = |name| refuse(Code::MetadataMalformed).with(Detail::Name(name));
        let unsupported = |name| refuse(Code::MetadataUnsupported).with(Detail::Name(name));
        let document = json::parse_object(text).map_err(|_| refuse(Code::MetadataMalformed))?;
        if document.str("issuer") != Some(issuer) {
            return Err(refuse(Code::MetadataIssuer));
        }
        let optional = |name| document.str(name).and_then(|url| EndpointUrl::parse(url, transport));
        let required = |name| optional(name).ok_or_else(|| refuse(Code::MetadataEndpoint).with(Detail::Name(name)));

        let authorization_endpoint = required("authorization_endpoint")?;
        if authorization_endpoint.query().is_some_and(has_own_parameters) {
            return Err(refuse(Code::MetadataEndpoint).with(Detail::Name("authorization_endpoint")));
        }
        let list = |name| texts(&document, name).map_err(|()| malformed(name));
        let names_none = |name| list(name).ok().flatten().map(|methods| methods.contains(&"none"));
        let names_public_clients = names_none("token_endpoint_auth_methods_supported").unwrap_or(false);
        // RFC 8414 2: without the list, only clients with a secret may revoke. Some providers that welcome public
        // clients forget to say so here; asking them harms nobody, and what they answer is what the person reads.
        let may_revoke = names_none("revocation_endpoint_auth_methods_supported").unwrap_or(names_public_clients);
        let endpoints = Endpoints {
            token: required("token_endpoint")?,
            jwks: required("jwks_uri")?,
            userinfo: optional("userinfo_endpoint"),
            revocation: optional("revocation_endpoint").filter(|_| may_revoke),
            end_session: optional("end_session_endpoint"),
        };
        if list("response_types_supported")?.is_some_and(|types| !types.contains(&"code")) {
            return Err(unsupported("response_types_supported"));
        }
        // Many providers do S256 without saying so; one that names its methods must name S256.
        if list("code_challenge_methods_supported")?.is_some_and(|methods| !methods.contains(&"S256")) {
            return Err(unsupported("code_challenge_methods_supported"));
        }
        let acceptable = |name: &&str| Algorithm::from_name(name).is_some_and(|algorithm| allowed.contains(&algorithm));
        if list("id_token_signing_alg_values_supported")?.is_some_and(|names| !names.iter().any(acceptable)) {
            return Err(unsupported("id_token_signing_alg_values_supported"));
        }
        let iss_parameter = match document.get("authorization_response_iss_parameter_supported") {
            None => false,
            Some(Value::Bool(supported)) => *supported,
            Some(_) => return Err(malformed("authorization_response_iss_parameter_supported")),
        };
        let proofs = list("dpop_signing_alg_values_supported").ok().flatten();
        Ok(Self {
            authorization_endpoint,
            registration_endpoint: optional("registration_endpoint"),
            endpoints,
            iss_parameter,
            names_public_clients,
            dpop: proofs.is_some_and(|algorithms| algorithms.contains(&"ES256")),
        })
    }
}

fn refuse(code: Code) -> Error {
    Error::new(code, Phase::Discovery)
}

/// Whether an authorization endpoint's own query holds a parameter that the request sets.
fn has_own_parameters(query: &str) -> bool {
    form::parts(query).any(|(_, name)| crate::authorization::OWN_PARAMETERS.contains(&name.as_str()))
}

/// A list of texts; `None` if the member is absent.
fn texts<'a>(document: &'a Object<'_>, name: &str) -> Result<Option<Vec<&'a str>>, ()> {
    match document.get(name) {
        None => Ok(None),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect::<Option<_>>().map(Some).ok_or(()),
        Some(_) => Err(()),
    }
}
