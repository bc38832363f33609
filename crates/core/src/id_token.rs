//! ID token validation (OpenID Connect Core 3.1.3.7): from a text that anybody could have sent
//! to the one value that opens a session.
//!
//! The order is fixed: read strictly, find the keys, verify the signature (as data that leaves
//! the core and comes back as yes or no), and only then look at a claim.

use sha2::{Digest, Sha256};

use crate::{
    base64url,
    error::{Code, Detail, Error, Phase},
    json::{self, Object, Value},
    jws::{Algorithm, SignatureVerified, SignedToken},
    secret::{AccessToken, IdTokenText, Nonce},
    time::UnixTime,
};

/// How far a clock may be off for `exp` and `nbf`, in milliseconds.
const LEEWAY: i64 = 60_000;
/// How far in the future `iat` may lie: slow clocks of devices are common.
const IAT_AHEAD: i64 = 300_000;
/// How long ago `iat` may lie.
const IAT_BEHIND: i64 = 86_400_000;

/// What the claims are held against.
pub struct Expected<'a> {
    /// The issuer, byte for byte.
    pub issuer: &'a str,
    /// This client.
    pub client_id: &'a str,
    /// Audiences besides this client that may stand in `aud`. Normally none.
    pub trusted_audiences: &'a [String],
    /// Which `nonce` it has to have.
    pub nonce: ExpectedNonce<'a>,
    /// The access token that came with it, for `at_hash`.
    pub access_token: &'a AccessToken,
    /// The subject that the answer must be about, where the request named one (`id_token_hint`,
    /// `prompt=none`, a refresh).
    pub subject: Option<&'a str>,
    /// The `max_age` that was asked for, in seconds.
    pub max_age: Option<u32>,
    /// The `acr` that was asked for as essential.
    pub acr: Option<&'a str>,
}

/// Which `nonce` an ID token has to have.
#[derive(Clone, Copy)]
pub enum ExpectedNonce<'a> {
    /// That of the transaction, without fail.
    Of(&'a Nonce),
    /// A renewal's (Core 12.2): none, or the first one's.
    AsBefore(&'a Nonce),
}

impl ExpectedNonce<'_> {
    fn allows(self, claims: &Object<'_>) -> bool {
        match self {
            Self::Of(nonce) => claims.str("nonce").is_some_and(|claimed| nonce.is(claimed)),
            Self::AsBefore(first) => {
                claims.member("nonce").is_none_or(|claimed| claimed.as_str().is_some_and(|claimed| first.is(claimed)))
            }
        }
    }
}

/// An ID token that passed every check: the only door to being signed in. Nothing but
/// [`validate`] can make one.
#[derive(Debug)]
pub struct VerifiedIdToken {
    text: IdTokenText,
    claims: String,
    subject: String,
    issued_at: UnixTime,
}

impl VerifiedIdToken {
    /// `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `iat`.
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// All claims, as the signed JSON text.
    #[must_use]
    pub fn claims(&self) -> &str {
        &self.claims
    }

    /// The token as it came: for `id_token_hint`.
    #[must_use]
    pub fn text(&self) -> &IdTokenText {
        &self.text
    }
}

/// Checks the claims of a token whose signature is proven.
///
/// # Errors
/// An `IdToken…` code or `ClockSkew`, one for each step.
pub fn validate(
    token: SignedToken,
    proof: &SignatureVerified,
    expected: &Expected<'_>,
    now: UnixTime,
) -> Result<VerifiedIdToken, Error> {
    let algorithm = token.algorithm();
    let (payload, text) = token.verified(proof)?;
    let claims = json::parse_object(&payload).map_err(|_| refuse(Code::IdTokenMalformed))?;

    // A logout token has everything but the right meaning (RFC 8725 3.12).
    if claims.member("events").is_some() {
        return Err(refuse(Code::IdTokenUnsupported));
    }
    // 2. The issuer, as bytes.
    if claims.str("iss") != Some(expected.issuer) {
        return Err(refuse(Code::IdTokenIssuer));
    }
    let subject = subject(&claims)?;
    // 3.1.2.1: whoever was hinted at, or nobody.
    if expected.subject.is_some_and(|hinted| hinted != subject) {
        return Err(refuse(Code::IdTokenSubject));
    }
    // 3. The audience is this client; 4 and 5. The authorized party.
    audience(&claims, expected)?;
    // 6. The signature: proven above. 7 and 8. The algorithm: on the allow-list, never a MAC.
    // 9. and 10. The times.
    let issued_at = times(&claims, now)?;
    // 11. The nonce.
    if !expected.nonce.allows(&claims) {
        return Err(refuse(Code::IdTokenNonce));
    }
    // 12. acr.
    if expected.acr.is_some() && claims.str("acr") != expected.acr {
        return Err(refuse(Code::IdTokenAuthContext));
    }
    // 13. auth_time.
    if let Some(max_age) = expected.max_age {
        auth_time(&claims, max_age, now)?;
    }
    // 3.1.3.8: at_hash, if it is there.
    if let Some(at_hash) = claims.member("at_hash")
        && at_hash.as_str() != Some(&access_token_hash(algorithm, expected.access_token))
    {
        return Err(refuse(Code::IdTokenAccessTokenHash));
    }
    let claims = String::from_utf8(payload).map_err(|_| refuse(Code::IdTokenMalformed))?;
    Ok(VerifiedIdToken { text, claims, subject, issued_at })
}

/// Whether a renewed ID token continues the session of the first one (Core 12.2): the same
/// authorized party, the same authentication, and not issued before it. Issuer, subject, audience
/// and nonce are [`validate`]'s to check.
///
/// # Errors
/// The `IdToken…` code of what has changed.
pub fn continues(first: &Object<'_>, renewed: &VerifiedIdToken) -> Result<(), Error> {
    let claims = json::parse_object(renewed.claims.as_bytes()).map_err(|_| refuse(Code::IdTokenMalformed))?;
    if claims.get("azp") != first.get("azp") {
        return Err(refuse(Code::IdTokenAuthorizedParty));
    }
    let issued = date(first, "iat");
    if claims.get("auth_time").is_some() {
        let signed_in = date(&claims, "auth_time");
        let same = match first.get("auth_time") {
            Some(_) => signed_in == date(first, "auth_time"),
            // The first one need not have said it. It was issued after the sign-in in any case.
            None => signed_in.is_some() && signed_in <= issued,
        };
        if !same {
            return Err(refuse(Code::IdTokenAuthTime));
        }
    }
    if issued.is_some_and(|issued| renewed.issued_at < issued) {
        return Err(refuse(Code::IdTokenIssuedAt));
    }
    Ok(())
}

/// `at_hash`: the left half of the access token's hash (Core 3.1.3.6).
#[must_use]
pub fn access_token_hash(algorithm: Algorithm, access_token: &AccessToken) -> String {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::Ps256 => left_half::<Sha256>(access_token.expose()),
        #[cfg(feature = "eddsa")]
        Algorithm::EdDsa => left_half::<sha2::Sha512>(access_token.expose()),
    }
}

/// The left half of a text's hash in base64url, by the hash function of a signature algorithm.
#[must_use]
pub fn left_half<D: Digest>(text: &str) -> String {
    let hash = D::digest(text);
    base64url::encode(&hash[..hash.len() / 2])
}

fn refuse(code: Code) -> Error {
    Error::new(code, Phase::IdToken)
}

fn subject(claims: &Object<'_>) -> Result<String, Error> {
    let subject = claims.str("sub").filter(|sub| (1..=255).contains(&sub.len()));
    subject.map(str::to_owned).ok_or_else(|| refuse(Code::IdTokenSubject))
}

fn audience(claims: &Object<'_>, expected: &Expected<'_>) -> Result<(), Error> {
    let wrong = || refuse(Code::IdTokenAudience);
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_ref()],
        Some(Value::Array(many)) => many.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    let is_client = |audience: &&str| *audience == expected.client_id;
    let is_trusted = |audience: &&str| expected.trusted_audiences.iter().any(|trusted| trusted == audience);
    if !audiences.iter().any(is_client) || !audiences.iter().all(|a| is_client(a) || is_trusted(a)) {
        return Err(wrong());
    }
    match claims.get("azp") {
        None if audiences.iter().all(is_client) => Ok(()),
        Some(azp) if azp.as_str() == Some(expected.client_id) => Ok(()),
        _ => Err(refuse(Code::IdTokenAuthorizedParty)),
    }
}

fn date(claims: &Object<'_>, name: &str) -> Option<UnixTime> {
    claims.get(name).and_then(Value::as_number).and_then(UnixTime::from_numeric_date)
}

fn times(claims: &Object<'_>, now: UnixTime) -> Result<UnixTime, Error> {
    let expires = date(claims, "exp").ok_or_else(|| refuse(Code::IdTokenExpired))?;
    let issued = date(claims, "iat").ok_or_else(|| refuse(Code::IdTokenIssuedAt))?;
    // A clock that is behind is told first: with it, every other time looks wrong too.
    let ahead = issued.millis_since(now);
    if ahead > IAT_AHEAD {
        return Err(refuse(Code::ClockSkew).with(Detail::Skew(ahead / 1000)));
    }
    if ahead < -IAT_BEHIND {
        return Err(refuse(Code::IdTokenIssuedAt));
    }
    // The leeway forgives a clock that is ahead. Of a token that has not even been issued by our
    // clock, and ends before it is, a clock is no excuse.
    if now.millis_since(expires) >= LEEWAY || expires <= issued && issued > now {
        return Err(refuse(Code::IdTokenExpired));
    }
    if claims.get("nbf").is_some() {
        let begins = date(claims, "nbf").filter(|nbf| nbf.millis_since(now) <= LEEWAY);
        begins.ok_or_else(|| refuse(Code::IdTokenNotYetValid))?;
    }
    Ok(issued)
}

fn auth_time(claims: &Object<'_>, max_age: u32, now: UnixTime) -> Result<(), Error> {
    let age = date(claims, "auth_time").map(|time| now.millis_since(time));
    let oldest = i64::from(max_age) * 1000 + LEEWAY;
    match age {
        Some(age) if (-IAT_AHEAD..=oldest).contains(&age) => Ok(()),
        _ => Err(refuse(Code::IdTokenAuthTime)),
    }
}
