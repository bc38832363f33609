//! The token endpoint (RFC 6749 4.1.3, 5 and 6; RFC 7636 4.5; OpenID Connect Core 3.1.3).

use crate::{
    error::{Code, Detail, Error, Phase, ProviderError},
    http::{HttpOutcome, HttpRequest, HttpResponse, JsonType, KeyName},
    json::{self, Object, Value},
    secret::{AccessToken, AuthorizationCode, IdTokenText, RefreshToken},
    time::UnixTime,
    transaction::Transaction,
    url::EndpointUrl,
};

/// A code together with the sign-in that it belongs to. Using it consumes it.
#[derive(Debug)]
pub struct Redeemable {
    pub(crate) code: AuthorizationCode,
    pub(crate) transaction: Transaction,
}

/// A token response in good form. Nothing of it is kept before its ID token is verified.
#[derive(Debug)]
pub struct TokenResponse {
    /// `access_token`
    pub access_token: AccessToken,
    /// `refresh_token`
    pub refresh_token: Option<RefreshToken>,
    /// `id_token`
    pub id_token: Option<IdTokenText>,
    /// `expires_in` in seconds; `None` if the lifetime is not known.
    pub expires_in: Option<i64>,
    /// `scope`; `None` means as requested.
    pub scope: Option<Vec<String>>,
}

/// The answer to [`code_request`] that is waited for; it holds what the answer is checked against.
#[derive(Debug)]
pub struct AwaitTokens {
    pub(crate) transaction: Transaction,
}

/// The one request that a code is for. Both are moved into it: a second one does not compile.
#[must_use]
pub fn code_request(redeemable: Redeemable) -> (HttpRequest, AwaitTokens) {
    let Redeemable { code, transaction } = redeemable;
    let request = HttpRequest::form(
        transaction.endpoints.token.as_str(),
        &[
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", transaction.redirect_uri.as_str()),
            ("client_id", &transaction.client_id),
            ("code_verifier", transaction.code_verifier.expose()),
        ],
    )
    .proven_by(transaction.key_name.as_ref());
    (request, AwaitTokens { transaction })
}

/// Asks for a new access token (RFC 6749 6): no scope, which means the same as before.
#[must_use]
pub fn refresh_request(
    token_endpoint: &EndpointUrl,
    client_id: &str,
    refresh_token: &RefreshToken,
    key: Option<&KeyName>,
) -> HttpRequest {
    HttpRequest::form(
        token_endpoint.as_str(),
        &[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose()), ("client_id", client_id)],
    )
    .proven_by(key)
}

impl AwaitTokens {
    /// Reads the answer. The ID token is there, since `openid` was asked for.
    ///
    /// # Errors
    /// A network or status error, what the provider refused with, or a `Token…` code.
    pub fn process(self, outcome: HttpOutcome) -> Result<(TokenResponse, IdTokenText, Transaction), Error> {
        let mut tokens = TokenResponse::process(outcome, self.transaction.key_name.is_some())?;
        let id_token = tokens.id_token.take().ok_or_else(|| refuse(Code::IdTokenMissing))?;
        Ok((tokens, id_token, self.transaction))
    }
}

/// What an endpoint refused with, in OAuth's words (RFC 6749 5.2), if it did.
pub(crate) fn oauth_error(response: &HttpResponse, phase: Phase) -> Option<Error> {
    // A page that happens to be JSON is no refusal by the provider.
    if !matches!(response.status, 200 | 400..=499) || !response.has_type(JsonType::Plain) || response.is_too_large() {
        return None;
    }
    let object = json::parse_object(&response.body).ok()?;
    let error = object.str("error").filter(|error| !error.is_empty())?;
    let code = match error {
        _ if response.status == 429 => Code::RateLimited,
        "invalid_grant" => Code::GrantRefused,
        "invalid_client" | "unauthorized_client" => Code::ClientRefused,
        "insufficient_scope" => Code::InsufficientScope,
        "invalid_dpop_proof" => Code::DpopProof,
        _ => Code::TokenRefused,
    };
    let said = ProviderError::new(error, object.str("error_description"));
    Some(Error::new(code, phase).said(said))
}

impl TokenResponse {
    /// Reads a token endpoint's answer, success or error (RFC 6749 5.1, 5.2). Tokens that were to be bound to
    /// a key have to be (RFC 9449 5): nobody who asked for that gets a bearer token instead.
    ///
    /// # Errors
    /// A network or status error, what the provider refused with, or a `Token…` code.
    pub fn process(outcome: HttpOutcome, bound: bool) -> Result<Self, Error> {
        let response = outcome.answer(Phase::Token)?;
        if let Some(error) = oauth_error(&response, Phase::Token) {
            return Err(error);
        }
        let body = response.json(JsonType::Plain, Phase::Token, Code::TokenMalformed)?;
        let object = json::parse_object(body).map_err(|_| refuse(Code::TokenMalformed))?;
        Self::parse(&object, if bound { "DPoP" } else { "Bearer" })
    }

    fn parse(object: &Object<'_>, token_type: &str) -> Result<Self, Error> {
        let access_token = object.str("access_token").filter(|token| is_sendable(token));
        let access_token = access_token.ok_or_else(|| malformed("access_token"))?;
        if !object.str("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case(token_type)) {
            return Err(refuse(Code::TokenType));
        }
        let text = |name| match object.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref()).filter(|text| !text.is_empty())),
            Some(_) => Err(malformed(name)),
        };
        Ok(Self {
            access_token: AccessToken::new(access_token),
            refresh_token: text("refresh_token")?.map(RefreshToken::new),
            id_token: object.str("id_token").filter(|token| !token.is_empty()).map(IdTokenText::new),
            expires_in: expires_in(object)?,
            scope: text("scope")?.map(|scope| scope.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect()),
        })
    }

    /// When the access token ends, counted from when its answer arrived.
    #[must_use]
    pub fn expires_at(&self, now: UnixTime) -> Option<UnixTime> {
        self.expires_in.map(|seconds| now.plus_seconds(seconds))
    }
}

fn refuse(code: Code) -> Error {
    Error::new(code, Phase::Token)
}

fn malformed(name: &'static str) -> Error {
    refuse(Code::TokenMalformed).with(Detail::Name(name))
}

/// An access token that somebody pasted, made in the provider's settings: white space around it is
/// no part of it. `None` if it cannot be one.
#[must_use]
pub fn pasted_access_token(text: &str) -> Option<AccessToken> {
    let token = text.trim();
    (is_sendable(token) && token.len() <= 4096).then(|| AccessToken::new(token))
}

/// What can stand in an `Authorization` header: wider than RFC 6750's b64token, since real
/// servers are.
fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| matches!(b, 0x21..=0x7e))
}

/// Seconds, never read as "for ever" where it makes no sense.
fn expires_in(object: &Object<'_>) -> Result<Option<i64>, Error> {
    let seconds = match object.get("expires_in") {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_fixed(0),
        Some(Value::String(text)) if (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().ok()
        }
        Some(_) => None,
    };
    seconds.filter(|seconds| *seconds >= 0).map(Some).ok_or_else(|| malformed("expires_in"))
}
