//! What a session shows: plain values for an interface, with no secret in any type.

use crate::{
    discovery::Endpoints,
    error::Error,
    organization::Organization,
    time::UnixTime,
    userinfo::{Profile, Userinfo},
};

/// All that an interface may know at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// What is being done right now, if the person has to wait for it.
    pub working: Option<Step>,
    /// Who is signed in.
    pub account: Option<Account>,
    /// What went wrong last, until it is dismissed. A session of before may still be there.
    pub error: Option<Error>,
    /// What went wrong was to be for one organization.
    pub for_organization: bool,
    /// The person has just signed out, and what came of it at the provider.
    pub signed_out: Option<SignedOut>,
    /// Nothing can be kept in this browser: a reload ends the session.
    pub memory_only: bool,
    /// A response came in a frame: there is nothing to show, and nothing to click on.
    pub inert: bool,
    /// This page is in a window that was opened for a sign-in, and has handed over what came: there is nothing to
    /// do here, and the window can be closed.
    pub in_popup: bool,
}

/// What a person waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Asking the provider for its metadata, then leaving for it.
    Leaving,
    /// The person is at the provider, in a window of its own. This cannot tell reliably whether that is still
    /// open, so there must be a way to give up.
    InPopup,
    /// Exchanging the code and checking the ID token.
    Completing,
    /// Signed out here; the provider is being told.
    SigningOut,
}

/// What a sign-out has reached. Here it has always ended everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// This app. The provider offers no more, or was not asked: the person may still be signed in there.
    Here,
    /// This app, from another tab.
    Elsewhere,
    /// The tokens were revoked at the provider too.
    Revoked,
    /// The provider did not confirm that it revoked the tokens.
    NotRevoked(Error),
    /// The person has come back from the provider's own sign-out.
    Everywhere,
}

/// The signed-in subject, from its verified ID token.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// `sub`: the only claim that identifies.
    pub subject: String,
    /// Whether the subject is a person or (Polar, as documented earlier) an organization.
    pub kind: SubjectKind,
    /// Name, email and picture, as far as the ID token has them (Polar names no people).
    pub profile: Profile,
    /// Every claim of the ID token, in its order, as text to show.
    pub claims: Vec<(String, String)>,
    /// The scopes that were asked for.
    pub scope_requested: Vec<String>,
    /// The scopes that were granted.
    pub scope_granted: Vec<String>,
    /// When this sign-in happened.
    pub signed_in_at: UnixTime,
    /// When the access token ends; `None` if the provider did not say.
    pub expires_at: Option<UnixTime>,
    /// Seconds by which this device's clock is behind the provider's (negative: ahead), if that is
    /// worth a word.
    pub clock_skew: Option<i64>,
    /// How the access token is renewed.
    pub renewal: RenewalStatus,
    /// The organization that this sign-in was narrowed to, as it was when that was found out. Whether the
    /// token still reaches it is said by `organizations`.
    pub chosen: Option<Organization>,
    /// Where its requests go.
    pub endpoints: Endpoints,
    /// Userinfo, which fills in after the sign-in.
    pub userinfo: Loadable<Userinfo>,
    /// Which organizations this sign-in reaches, which fills in likewise.
    pub organizations: Loadable<Reach>,
}

impl Account {
    /// What to call the subject: the first of name, email and `sub` that is known, from the ID
    /// token or, where that has none, from userinfo.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let userinfo = match &self.userinfo {
            Loadable::Ready(userinfo) => Some(&userinfo.profile),
            _ => None,
        };
        let profiles = || [Some(&self.profile), userinfo].into_iter().flatten();
        let name = profiles().find_map(|profile| profile.name.as_deref());
        name.or_else(|| profiles().find_map(|profile| profile.email.as_deref())).unwrap_or(&self.subject)
    }
}

/// How a session's access token is renewed.
#[derive(Clone, Debug, PartialEq)]
pub enum RenewalStatus {
    /// The provider gave no refresh token.
    NotOffered,
    /// When it is time, by this page.
    Possible,
    /// When it is time, by another tab of the same session.
    Elsewhere,
    /// Right now.
    UnderWay,
    /// It has failed, and is tried again; not before this time.
    Later(Error, Option<UnixTime>),
    /// The provider refuses: the session ends with its access token.
    Stopped(Error),
}

/// Who the `sub` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// A person.
    User,
    /// An organization itself: Polar's older tokens, `polar_at_o_…`.
    Organization,
}

/// A part that is fetched after the sign-in.
#[derive(Clone, Debug, PartialEq)]
pub enum Loadable<T> {
    /// The provider does not offer it.
    Absent,
    /// On its way.
    Waiting,
    /// There.
    Ready(T),
    /// Could not be had; the session itself goes on.
    Failed(Error),
}

/// Which organizations a sign-in reaches.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// The token belongs to this organization itself (as documented earlier).
    Itself(Organization),
    /// One was asked for, and the token reaches exactly this one.
    Selected(Organization),
    /// The person's token reaches these.
    Organizations {
        /// How many in all.
        total: u64,
        /// The first of them, at most 100.
        listed: Vec<Organization>,
    },
    /// It cannot be found out.
    Unknown(UnknownReach),
}

/// Why the reach is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownReach {
    /// `organizations:read` was not granted.
    ScopeNotGranted,
    /// The provider has no such list.
    NotOffered,
}
