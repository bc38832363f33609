//! Requests and answers as values: what is to be sent, and what came of it.

use core::fmt;

use crate::{
    error::{Code, Detail, Error, Phase},
    secret::{AccessToken, RequestBody},
    time::UnixTime,
};

/// The largest body of a success, and of any other answer.
const MAX_BODY: usize = 256 * 1024;
const MAX_ERROR_BODY: usize = 16 * 1024;
/// The shortest and the longest wait that a server can ask for, in milliseconds.
const SHORTEST_WAIT: i64 = 1_000;
const LONGEST_WAIT: i64 = 300_000;

/// A request for the browser to send, once, with the members of its fetch that the adapter sets
/// for every request: no credentials, no redirects, no cache, no referrer.
pub struct HttpRequest {
    /// Where to.
    pub url: String,
    /// `Authorization`, if any: `Bearer`, or `DPoP` if there is a key. With it the browser asks for permission
    /// first (CORS).
    pub bearer: Option<AccessToken>,
    /// A body makes it a POST; without one it is a GET.
    pub body: Option<Body>,
    /// With a proof that its sender has this key.
    pub key: Option<KeyName>,
}

/// The name of a key that the browser keeps: no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// Takes the name that [`KeyName::as_str`] gave.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request's body.
pub enum Body {
    /// `application/x-www-form-urlencoded`: needs no CORS preflight.
    Form(RequestBody),
    /// `application/json`.
    Json(RequestBody),
}

impl HttpRequest {
    /// A plain GET.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self { url: url.to_owned(), bearer: None, body: None, key: None }
    }

    pub(crate) fn get_with(url: &str, token: &AccessToken) -> Self {
        Self { bearer: Some(token.clone()), ..Self::get(url) }
    }

    pub(crate) fn form(url: &str, pairs: &[(&str, &str)]) -> Self {
        let body = Body::Form(RequestBody::new(crate::form::encode_pairs(pairs)));
        Self { body: Some(body), ..Self::get(url) }
    }

    /// The same with a proof of this key, if there is one.
    pub(crate) fn proven_by(self, key: Option<&KeyName>) -> Self {
        Self { key: key.cloned(), ..self }
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.body.is_some() { "POST " } else { "GET " })?;
        f.write_str(crate::url::without_query(&self.url))
    }
}

/// A complete answer.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// `Content-Type`, if it can be read.
    pub content_type: Option<String>,
    /// `Retry-After`, if it can be read: across origins hardly ever.
    pub retry_after: Option<String>,
    /// What it says of proofs.
    pub dpop: Dpop,
    /// At most 256 KiB; at most 16 KiB of an answer that is no success.
    pub body: Vec<u8>,
}

/// What an answer says of proofs (RFC 9449), as far as it can be read.
#[derive(Clone, Default)]
pub struct Dpop {
    /// `DPoP-Nonce`.
    pub nonce: Option<String>,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// What came of a request. The three are never mixed: only what was certainly not sent may be
/// repeated without thought.
#[derive(Clone, Debug)]
pub enum HttpOutcome {
    /// The server answered, and the whole answer is here.
    Answered(HttpResponse),
    /// Nothing left this machine, or the server did not look at it.
    NotSent(Failure),
    /// The server may have acted on it.
    Unknown(Failure),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The browser gives no reason: offline, DNS, TLS, CORS, CSP, a redirect, a cut connection.
    Network,
    /// No complete answer before the deadline.
    Timeout,
    /// The answer went over the bound.
    TooLarge,
    /// The browser no longer has the key that the request has to be proven with.
    KeyLost,
    /// The server refuses to look at the request: the nonce in its proof is not the one that it wants.
    NonceDemanded,
}

/// Which media types are JSON for this kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonType {
    /// `application/json` alone.
    Plain,
    /// Also `application/*+json`.
    Suffixed,
    /// Also `application/jwk-set+json` (RFC 7517 8.5).
    KeySet,
}

impl HttpOutcome {
    /// How long the server asks to wait before the next try (RFC 9110 10.2.3), in milliseconds,
    /// from one second to five minutes. `None` if it does not say, or not in a form to rely on.
    #[must_use]
    pub fn wait(&self, now: UnixTime) -> Option<i64> {
        let Self::Answered(response) = self else { return None };
        let text = response.retry_after.as_deref()?.trim_matches([' ', '\t']);
        let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1000)
        } else {
            UnixTime::from_http_date(text)?.millis_since(now)
        };
        Some(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
    }

    /// The answer, or why there is none.
    pub(crate) fn answer(self, phase: Phase) -> Result<HttpResponse, Error> {
        match self {
            Self::Answered(response) => Ok(response),
            Self::NotSent(failure) | Self::Unknown(failure) => Err(Error::new(
                match failure {
                    Failure::Network => Code::Network,
                    Failure::Timeout => Code::Timeout,
                    Failure::TooLarge => Code::TooLarge,
                    Failure::KeyLost => Code::KeyLost,
                    Failure::NonceDemanded => Code::DpopNonce,
                },
                phase,
            )),
        }
    }
}

impl HttpResponse {
    /// Status 200, JSON by its content type, at most 256 KiB: the only form of success.
    pub(crate) fn json(&self, json: JsonType, phase: Phase, malformed: Code) -> Result<&[u8], Error> {
        if self.status != 200 {
            return Err(self.status_error(phase));
        }
        if self.is_too_large() {
            return Err(Error::new(Code::TooLarge, phase));
        }
        if !self.has_type(json) {
            return Err(Error::new(malformed, phase).with(Detail::Name("content-type")));
        }
        Ok(&self.body)
    }

    /// The `error` of an answer in OAuth's form, whatever else it is.
    #[cfg(feature = "dpop")]
    pub(crate) fn oauth_error(&self) -> Option<String> {
        let readable = self.has_type(JsonType::Plain) && !self.is_too_large();
        let object = crate::json::parse_object(&self.body).ok().filter(|_| readable)?;
        object.str("error").map(str::to_owned)
    }

    /// Whether the body is larger than anything that is looked at.
    pub(crate) fn is_too_large(&self) -> bool {
        self.body.len() > if self.status == 200 { MAX_BODY } else { MAX_ERROR_BODY }
    }

    /// The error for a status that is no success.
    pub(crate) fn status_error(&self, phase: Phase) -> Error {
        let code = match self.status {
            429 => Code::RateLimited,
            500..=599 => Code::ServerError,
            _ => Code::HttpStatus,
        };
        Error::new(code, phase).with(Detail::Status(self.status))
    }

    /// Whether the essence of `Content-Type` is JSON; parameters and case do not matter.
    pub(crate) fn has_type(&self, json: JsonType) -> bool {
        let Some(content_type) = &self.content_type else { return false };
        let essence = content_type.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
        let essence = essence.to_ascii_lowercase();
        essence == "application/json"
            || match json {
                JsonType::Plain => false,
                JsonType::Suffixed => essence.starts_with("application/") && essence.ends_with("+json"),
                JsonType::KeySet => essence == "application/jwk-set+json",
            }
    }
}
