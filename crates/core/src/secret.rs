//! Secrets as types: they cannot be printed, and what may be used once cannot be copied.
//!
//! `Debug` shows the kind alone; there is no `Display`, and no comparison but [`Secret::is`].
//! A [`AuthorizationCode`] and a [`CodeVerifier`] cannot be cloned: each is moved into the one
//! request that it is for.

use core::{fmt, marker::PhantomData};

/// A secret text of one kind.
pub struct Secret<K> {
    text: Box<str>,
    kind: PhantomData<K>,
}

/// What a secret is.
pub trait Kind {
    /// The name that `Debug` shows in place of the text.
    const NAME: &'static str;
}

/// A kind whose secrets are used more than once, and may be cloned.
pub trait Reusable: Kind {}

/// The kinds.
pub mod kind {
    use super::{Kind, Reusable};

    /// See [`super::AccessToken`].
    pub enum AccessToken {}
    /// See [`super::AuthorizationCode`].
    pub enum AuthorizationCode {}
    /// See [`super::AuthorizationUrl`].
    pub enum AuthorizationUrl {}
    /// See [`super::ChannelText`].
    pub enum ChannelText {}
    /// See [`super::DpopProof`].
    pub enum DpopProof {}
    /// See [`super::FamilyKey`].
    pub enum FamilyKey {}
    /// See [`super::CodeVerifier`].
    pub enum CodeVerifier {}
    /// See [`super::IdTokenText`].
    pub enum IdTokenText {}
    /// See [`super::Nonce`].
    pub enum Nonce {}
    /// See [`super::RecordText`].
    pub enum RecordText {}
    /// See [`super::RefreshToken`].
    pub enum RefreshToken {}
    /// See [`super::RegistrationAccessToken`].
    pub enum RegistrationAccessToken {}
    /// See [`super::RequestBody`].
    pub enum RequestBody {}
    /// See [`super::ServerNonce`].
    pub enum ServerNonce {}
    /// See [`super::State`].
    pub enum State {}

    impl Kind for AccessToken {
        const NAME: &'static str = "AccessToken";
    }
    impl Reusable for AccessToken {}
    impl Kind for AuthorizationCode {
        const NAME: &'static str = "AuthorizationCode";
    }
    impl Kind for AuthorizationUrl {
        const NAME: &'static str = "AuthorizationUrl";
    }
    impl Kind for ChannelText {
        const NAME: &'static str = "ChannelText";
    }
    impl Kind for DpopProof {
        const NAME: &'static str = "DpopProof";
    }
    impl Kind for FamilyKey {
        const NAME: &'static str = "FamilyKey";
    }
    impl Reusable for FamilyKey {}
    impl Kind for CodeVerifier {
        const NAME: &'static str = "CodeVerifier";
    }
    impl Kind for IdTokenText {
        const NAME: &'static str = "IdTokenText";
    }
    impl Kind for Nonce {
        const NAME: &'static str = "Nonce";
    }
    impl Kind for RecordText {
        const NAME: &'static str = "RecordText";
    }
    impl Kind for RefreshToken {
        const NAME: &'static str = "RefreshToken";
    }
    impl Kind for RegistrationAccessToken {
        const NAME: &'static str = "RegistrationAccessToken";
    }
    impl Reusable for RegistrationAccessToken {}
    impl Kind for RequestBody {
        const NAME: &'static str = "RequestBody";
    }
    impl Kind for ServerNonce {
        const NAME: &'static str = "ServerNonce";
    }
    impl Kind for State {
        const NAME: &'static str = "State";
    }
}

/// `access_token` (RFC 6749 1.4).
pub type AccessToken = Secret<kind::AccessToken>;
/// `code` (RFC 6749 1.3.1): moved into its one request.
pub type AuthorizationCode = Secret<kind::AuthorizationCode>;
/// The address to leave for; it carries `state` and `nonce`.
pub type AuthorizationUrl = Secret<kind::AuthorizationUrl>;
/// What one tab says to another: to be sealed with the [`FamilyKey`] before it leaves the page.
pub type ChannelText = Secret<kind::ChannelText>;
/// The header `DPoP` (RFC 9449 4.1): good for one request.
pub type DpopProof = Secret<kind::DpopProof>;
/// The key that the tabs of one session share: 32 bytes in base64url.
pub type FamilyKey = Secret<kind::FamilyKey>;
/// `code_verifier` (RFC 7636 4.1).
pub type CodeVerifier = Secret<kind::CodeVerifier>;
/// An `id_token` as it came.
pub type IdTokenText = Secret<kind::IdTokenText>;
/// `nonce` (OpenID Connect Core 3.1.2.1).
pub type Nonce = Secret<kind::Nonce>;
/// A record for session storage.
pub type RecordText = Secret<kind::RecordText>;
/// `refresh_token` (RFC 6749 1.5).
pub type RefreshToken = Secret<kind::RefreshToken>;
/// `registration_access_token` (RFC 7592): shown to the person once.
pub type RegistrationAccessToken = Secret<kind::RegistrationAccessToken>;
/// A request's body, which may hold any of the others.
pub type RequestBody = Secret<kind::RequestBody>;
/// `DPoP-Nonce` (RFC 9449 8): what a server wants to see in the next proof.
pub type ServerNonce = Secret<kind::ServerNonce>;
/// `state` (RFC 6749 4.1.1).
pub type State = Secret<kind::State>;

impl<K> Secret<K> {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// The text itself. Every call of this is a place to look at in a review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether the text is this one, byte for byte, in a time that depends on the length alone.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        let (a, b) = (self.text.as_bytes(), other.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
    }
}

impl<K: Reusable> Clone for Secret<K> {
    fn clone(&self) -> Self {
        Self::new(self.text.clone())
    }
}

impl<K: Kind> fmt::Debug for Secret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::NAME)?;
        f.write_str("(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_kind_alone() {
        assert_eq!(format!("{:?}", AccessToken::new("polar_at_u_very_secret")), "AccessToken(…)");
    }

    #[test]
    fn equal_means_equal_bytes() {
        let state = State::new("abc");
        assert!(state.is("abc"));
        for other in ["abd", "ab", "abcd", "", "ABC"] {
            assert!(!state.is(other), "{other}");
        }
    }
}
