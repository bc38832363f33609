//! Userinfo (OpenID Connect Core 5.3): more about the subject, if it is about the same one.

use crate::{
    error::{Code, Error, Phase},
    http::{HttpOutcome, HttpRequest, JsonType, KeyName},
    json::{self, Object, Value},
    secret::AccessToken,
    url::{EndpointUrl, Transport},
};

/// Userinfo whose `sub` equals the ID token's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Userinfo {
    /// `sub`.
    pub subject: String,
    /// The claims that are shown.
    pub profile: Profile,
    /// Every member, in the answer's order, as text to show.
    pub claims: Vec<(String, String)>,
}

/// The standard claims that an interface shows (Core 5.1). Text to show, nothing to rely on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// `name`, at most 256 characters.
    pub name: Option<String>,
    /// `email`: never an account key.
    pub email: Option<String>,
    /// `email_verified`: true only for the JSON `true`.
    pub email_verified: bool,
    /// `picture`, only if it is an https address.
    pub picture: Option<String>,
}

impl Profile {
    pub(crate) fn of(claims: &Object<'_>) -> Self {
        let text = |name| claims.str(name).filter(|text| !text.is_empty()).map(|text| text.chars().take(256).collect());
        Self {
            name: text("name"),
            email: text("email"),
            email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
            picture: claims
                .str("picture")
                .filter(|url| EndpointUrl::parse(url, Transport::Https).is_some())
                .map(str::to_owned),
        }
    }
}

/// Every claim as text to show, in order, each cut to 1,024 characters. The `nonce` has done its
/// work when it is compared: it is no one's to read.
pub(crate) fn shown(claims: &Object<'_>) -> Vec<(String, String)> {
    let cut = |text: &str| text.chars().take(1024).collect();
    let text = |name, value: &Value<'_>| if name == "nonce" { "…".to_owned() } else { cut(&value.to_display()) };
    claims.iter().take(200).map(|(name, value)| (cut(name), text(name, value))).collect()
}

/// The answer to [`request`] that is waited for.
#[derive(Debug)]
pub struct AwaitUserinfo(());

/// Asks for userinfo, the token in the header alone (RFC 6750 2.1).
#[must_use]
pub fn request(
    userinfo_endpoint: &EndpointUrl,
    token: &AccessToken,
    key: Option<&KeyName>,
) -> (HttpRequest, AwaitUserinfo) {
    (HttpRequest::get_with(userinfo_endpoint.as_str(), token).proven_by(key), AwaitUserinfo(()))
}

impl AwaitUserinfo {
    /// Reads the answer and holds it against the verified subject (Core 5.3.2). Its claims never
    /// replace those of the ID token, and nothing that it points to is fetched.
    ///
    /// # Errors
    /// A network or status error, or a `Userinfo…` code.
    pub fn process(self, outcome: HttpOutcome, subject: &str) -> Result<Userinfo, Error> {
        let response = outcome.answer(Phase::Userinfo)?;
        match response.status {
            401 => return Err(refuse(Code::UserinfoUnauthorized)),
            403 => return Err(refuse(Code::InsufficientScope)),
            _ => {}
        }
        let body = response.json(JsonType::Plain, Phase::Userinfo, Code::UserinfoMalformed)?;
        let claims = json::parse_object(body).map_err(|_| refuse(Code::UserinfoMalformed))?;
        match claims.str("sub") {
            None | Some("") => Err(refuse(Code::UserinfoMalformed)),
            Some(other) if other != subject => Err(refuse(Code::UserinfoSubject)),
            Some(_) => {
                Ok(Userinfo { subject: subject.to_owned(), profile: Profile::of(&claims), claims: shown(&claims) })
            }
        }
    }
}

fn refuse(code: Code) -> Error {
    Error::new(code, Phase::Userinfo)
}
