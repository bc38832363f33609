//! Dynamic client registration (RFC 7591) of a public client, as Polar offers it to anyone.

use crate::{
    error::{Code, Error, Phase, ProviderError},
    http::{Body, HttpOutcome, HttpRequest, HttpResponse, JsonType},
    json::{self, ObjectWriter, Value, write_string},
    secret::{RegistrationAccessToken, RequestBody},
    token::oauth_error,
    url::EndpointUrl,
};

/// What the client shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientForm {
    /// `client_name`: shown at consent.
    pub client_name: String,
    /// The one redirect URI.
    pub redirect_uri: String,
    /// `scope`, space-separated.
    pub scope: String,
    /// `client_uri`: the homepage.
    pub client_uri: String,
    /// `logo_uri`, if any.
    pub logo_uri: Option<String>,
    /// `tos_uri`, if any.
    pub tos_uri: Option<String>,
    /// `policy_uri`, if any.
    pub policy_uri: Option<String>,
}

/// A client that was created.
#[derive(Debug)]
pub struct RegisteredClient {
    /// `client_id`.
    pub client_id: String,
    /// `registration_client_uri`: where it can be changed.
    pub registration_client_uri: Option<String>,
    /// `registration_access_token`: to change it with. Shown once, kept by the person.
    pub registration_access_token: Option<RegistrationAccessToken>,
}

/// The answer to [`request`] that is waited for.
#[derive(Debug)]
pub struct AwaitClient(());

/// Asks for a public client: no secret is wanted, and none will come.
#[must_use]
pub fn request(registration_endpoint: &EndpointUrl, form: &ClientForm) -> (HttpRequest, AwaitClient) {
    let mut redirect_uris = String::from("[");
    write_string(&mut redirect_uris, &form.redirect_uri);
    redirect_uris.push(']');
    let mut body = ObjectWriter::default();
    body.string("client_name", &form.client_name)
        .raw("redirect_uris", &redirect_uris)
        .string("token_endpoint_auth_method", "none")
        .raw("grant_types", "[\"authorization_code\",\"refresh_token\"]")
        .raw("response_types", "[\"code\"]")
        .string("scope", &form.scope)
        .optional("client_uri", Some(form.client_uri.as_str()).filter(|uri| !uri.is_empty()))
        .optional("logo_uri", form.logo_uri.as_deref())
        .optional("tos_uri", form.tos_uri.as_deref())
        .optional("policy_uri", form.policy_uri.as_deref());
    let body = Some(Body::Json(RequestBody::new(body.finish())));
    (HttpRequest { body, bearer: None, key: None, url: registration_endpoint.as_str().to_owned() }, AwaitClient(()))
}

impl AwaitClient {
    /// Reads the answer (RFC 7591 3.2).
    ///
    /// # Errors
    /// A network or status error, `RegistrationRefused` with what the provider said, or
    /// `RegistrationMalformed`.
    pub fn process(self, outcome: HttpOutcome) -> Result<RegisteredClient, Error> {
        let malformed = || Error::new(Code::RegistrationMalformed, Phase::Registration);
        let response = outcome.answer(Phase::Registration)?;
        if !matches!(response.status, 200 | 201) {
            // Polar's own shape says more than its `error` alone.
            let said = validation_error(&response)
                .or_else(|| oauth_error(&response, Phase::Registration).and_then(|error| error.provider().cloned()));
            return Err(match said {
                Some(said) => Error::new(Code::RegistrationRefused, Phase::Registration).said(said),
                None => response.status_error(Phase::Registration),
            });
        }
        if response.is_too_large() {
            return Err(Error::new(Code::TooLarge, Phase::Registration));
        }
        if !response.has_type(JsonType::Plain) {
            return Err(malformed());
        }
        let client = json::parse_object(&response.body).map_err(|_| malformed())?;
        let text = |name| client.str(name).filter(|text| !text.is_empty());
        Ok(RegisteredClient {
            client_id: text("client_id").ok_or_else(malformed)?.to_owned(),
            registration_client_uri: text("registration_client_uri").map(str::to_owned),
            registration_access_token: text("registration_access_token").map(RegistrationAccessToken::new),
        })
    }
}

/// Polar's validation error: `{"error":"RequestValidationError","detail":[{"msg":…}]}`.
fn validation_error(response: &HttpResponse) -> Option<ProviderError> {
    if response.is_too_large() || !response.has_type(JsonType::Plain) {
        return None;
    }
    let object = json::parse_object(&response.body).ok()?;
    let first = object.get("detail")?.as_array()?.first()?.as_object()?;
    let message = first.get("msg").and_then(Value::as_str);
    Some(ProviderError::new(object.str("error").unwrap_or("RequestValidationError"), message))
}
