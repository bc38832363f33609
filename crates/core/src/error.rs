//! What can go wrong: one code each, with the phase, whose fault it is and whether trying again helps.
//!
//! Words for the person at the screen live in the interface's `text/` (an exhaustive match on
//! [`Code`]); the hint for the developer stands here. No variant can hold a token, code,
//! verifier, nonce or state: the only text from outside is [`ProviderError`], which is filtered
//! and bounded, and which `Debug` leaves out.

use core::fmt;

/// A refusal or a failure. Small, clonable, free of secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    phase: Phase,
    detail: Detail,
}

/// What a code alone cannot say.
#[derive(Clone, PartialEq, Eq)]
pub enum Detail {
    /// Nothing more to say.
    None,
    /// The HTTP status that was answered.
    Status(u16),
    /// What the provider said of itself (RFC 6749 4.1.2.1 and 5.2), filtered.
    Provider(Box<ProviderError>),
    /// By how many seconds this device's clock differs from the provider's (positive: ours is behind).
    Skew(i64),
    /// Which setting, parameter or member it is about.
    Name(&'static str),
}

/// Where in the sign-in it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before anything is sent: configuration, storage, entropy.
    Start,
    /// The provider's metadata (OpenID Connect Discovery 1.0).
    Discovery,
    /// The way to the provider and back (RFC 6749 4.1.1, 4.1.2).
    Authorization,
    /// The code's exchange (RFC 6749 4.1.3).
    Token,
    /// The provider's keys (RFC 7517).
    Keys,
    /// The ID token (OpenID Connect Core 3.1.3.7).
    IdToken,
    /// Userinfo (OpenID Connect Core 5.3).
    Userinfo,
    /// Which organizations the sign-in reaches (Polar's API).
    Organizations,
    /// Creating the client (RFC 7591).
    Registration,
    /// A session that is already there.
    Session,
    /// Signing out at the provider (RFC 7009).
    SignOut,
    /// A request to the provider's API (RFC 6750).
    Api,
}

impl Phase {
    /// Every phase, in the order of a sign-in.
    pub const ALL: [Self; 12] = [
        Self::Start,
        Self::Discovery,
        Self::Authorization,
        Self::Token,
        Self::Keys,
        Self::IdToken,
        Self::Userinfo,
        Self::Organizations,
        Self::Registration,
        Self::Session,
        Self::SignOut,
        Self::Api,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Discovery => "discovery",
            Self::Authorization => "authorization",
            Self::Token => "token",
            Self::Keys => "keys",
            Self::IdToken => "id_token",
            Self::Userinfo => "userinfo",
            Self::Organizations => "organizations",
            Self::Registration => "registration",
            Self::Session => "session",
            Self::SignOut => "sign_out",
            Self::Api => "api",
        }
    }
}

/// Whose fault it is. The five are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The provider broke a rule of the standards, or somebody in its place did.
    ProviderBroke,
    /// The provider keeps the rules but cannot or will not do this.
    ProviderCannot,
    /// Our caller: a setting or a page that is wrong.
    Caller,
    /// The network, or the state of this browser.
    Network,
    /// The person chose so.
    Person,
}

impl Fault {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ProviderBroke => "provider broke a rule",
            Self::ProviderCannot => "provider cannot",
            Self::Caller => "caller",
            Self::Network => "network",
            Self::Person => "person",
        }
    }
}

/// What helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Signing in once more may help.
    SignIn,
    /// The same again a little later.
    Later,
    /// Nothing the person can do: a setting or the provider has to change.
    Never,
}

impl Retry {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign in again",
            Self::Later => "later",
            Self::Never => "no",
        }
    }
}

/// An `error` answer of the provider, filtered to the characters that RFC 6749 allows and cut to 256.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderError {
    error: String,
    description: Option<String>,
}

impl ProviderError {
    /// Filters both texts: only the characters of RFC 6749 5.2 (NQSCHAR) stay, at most 256 of them.
    #[must_use]
    pub fn new(error: &str, description: Option<&str>) -> Self {
        Self { error: filtered(error), description: description.map(filtered).filter(|text| !text.is_empty()) }
    }

    /// The provider's `error` code.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.error
    }

    /// The provider's `error_description`: text to show, never markup.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

/// A run of this many letters, digits, `-`, `_` or `.` is no word: a provider that echoes a code
/// or a token must not get it onto the screen.
const LONGEST_WORD: usize = 24;

fn filtered(text: &str) -> String {
    let allowed = |c: &char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    let plain: String = text.chars().filter(allowed).take(256).collect();
    let mut out = String::new();
    for (index, word) in plain.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let longest = word.split(|c| !in_word(c)).map(str::len).max().unwrap_or(0);
        // The standards' own names are long, and no random text is of small letters alone.
        let is_name = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        out.push_str(if longest > LONGEST_WORD && !is_name { "[…]" } else { word });
    }
    out
}

impl Error {
    /// An error without further detail.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn new(code: Code, phase: Phase) -> Self {
        Self { code, phase, detail: Detail::None }
    }

    /// The same error with its detail.
    #[cold]
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// The same error with the provider's own words.
    #[cold]
    #[must_use]
    pub fn said(self, provider: ProviderError) -> Self {
        self.with(Detail::Provider(Box::new(provider)))
    }

    /// What went wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Where it went wrong.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What the code alone cannot say.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// What the provider said, if it said something.
    #[must_use]
    pub fn provider(&self) -> Option<&ProviderError> {
        match &self.detail {
            Detail::Provider(said) => Some(said),
            _ => None,
        }
    }
}

// The provider's own text stays out: a log is no place for words that somebody else chose.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phase.name())?;
        f.write_str(": ")?;
        f.write_str(self.code.name())?;
        match self.detail {
            Detail::Status(status) => write!(f, " ({status})"),
            Detail::Skew(seconds) => write!(f, " ({seconds} s)"),
            Detail::Name(name) => write!(f, " ({name})"),
            Detail::None | Detail::Provider(_) => Ok(()),
        }
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderError(…)")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())
    }
}

impl core::error::Error for Error {}

pub use crate::error_code::Code;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cb_19_what_a_provider_says_is_filtered_and_bounded() {
        let said = ProviderError::new("a\"b\u{202e}c\r\n", Some("<img src=x onerror=alert(1)>\u{200b} é \\"));
        assert_eq!(said.error(), "abc");
        assert_eq!(said.description(), Some("<img src=x onerror=alert(1)>  "));
        let long = "word ".repeat(4000);
        assert_eq!(ProviderError::new("x", Some(&long)).description().map(str::len), Some(256));
        assert_eq!(ProviderError::new("x", Some("\u{1}")).description(), None);
    }

    #[test]
    fn st_15_an_echoed_secret_is_cut_out_and_debug_shows_no_foreign_text() {
        let code = "polar_ac_0123456789abcdefghijklmnop";
        let said = ProviderError::new("invalid_grant", Some(&format!("code {code} was used")));
        assert_eq!(said.description(), Some("code […] was used"));
        let error = Error::new(Code::GrantRefused, Phase::Token).said(said);
        assert_eq!(format!("{error:?}"), "token: grant_refused");
    }
}
