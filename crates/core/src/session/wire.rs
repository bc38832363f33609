//! What goes into the machine and what comes out of it.

use std::rc::Rc;

use crate::{
    authorization::{PopupNumber, SignIn},
    error::Error,
    http::{HttpOutcome, HttpRequest, KeyName},
    jws::{SignatureCheck, SignatureOutcome},
    secret::{AccessToken, AuthorizationUrl, ChannelText, FamilyKey, RecordText},
    time::UnixTime,
};

/// The number under which something was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(super) u64);

impl Ticket {
    /// Whoever asks with it waits for no answer.
    pub(crate) const NOBODYS: Self = Self(0);
}

/// The number under which somebody wants an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenRequest(pub u64);

/// An access token for a request to an API.
#[derive(Debug)]
pub struct Grant {
    /// The token.
    pub access_token: AccessToken,
    /// Which one of its session it is: to be given back if an API refuses it.
    pub generation: u64,
    /// The key that it is bound to: it is of no use without a proof of that.
    pub key: Option<KeyName>,
}

/// What stood in session storage under [`crate::config::KEY_PREFIX`], read right before the step.
#[derive(Clone, Default)]
pub struct Records(Rc<[(String, RecordText)]>);

impl Records {
    /// Takes keys and texts as they were read.
    #[must_use]
    pub fn new(entries: Vec<(String, String)>) -> Self {
        Self(entries.into_iter().map(|(key, text)| (key, RecordText::new(text))).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, text)| (key.as_str(), text.expose()))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, text)| text)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

/// What happened.
pub enum Input {
    /// The page was opened at this address. Once for each page, and again only if the address
    /// changes to a response without a new page.
    Opened {
        /// The page's whole address.
        url: String,
        /// What was kept.
        records: Records,
        /// The page is inside a frame.
        framed: bool,
        /// Session storage cannot be used: whatever is kept is kept in memory.
        memory_only: bool,
    },
    /// The page is shown again: after a pause, or out of the browser's memory.
    Resumed {
        /// What is kept now.
        records: Records,
        /// Out of the browser's memory: the requests of before were cut off.
        from_memory: bool,
    },
    /// A sign-in is likely: the pointer is over the button, or the page is idle.
    Prepare,
    /// The person wants to sign in.
    SignIn {
        /// How.
        request: Box<SignIn>,
        /// What is kept now.
        records: Records,
    },
    /// The person does not want to leave after all.
    Cancel,
    /// The window of the sign-in, or somebody who knows the name of its channel, brought this query.
    Relayed {
        /// What stood in the address behind its `?`.
        query: ChannelText,
        /// What is kept now.
        records: Records,
    },
    /// The window of the sign-in is not there any more, or this page has lost sight of it.
    PopupClosed {
        /// A page in it cannot have cut it off instead: it was seen open while it showed a page of another site, or has
        /// shown none.
        certain: bool,
    },
    /// A request's outcome.
    Answered(Ticket, HttpOutcome),
    /// A signature's outcome.
    Verified(Ticket, SignatureOutcome),
    /// Whether a record could be kept.
    Kept(Ticket, Result<(), StorageFailure>),
    /// The public half of the key that was to be made; `None` if the browser can keep none.
    #[cfg(feature = "dpop")]
    KeyMade(Ticket, Option<crate::dpop::PublicKey>),
    /// The key of this session was not there when a request had to be proven that the session does not know of.
    #[cfg(feature = "dpop")]
    KeyLost,
    /// The lock of [`Effect::Lock`] is held.
    Locked {
        /// Its ticket.
        ticket: Ticket,
        /// What is kept now.
        records: Records,
    },
    /// Another tab said this, on the channel of [`Effect::Listen`], sealed with its key.
    Heard(ChannelText),
    /// An access token is needed; answered with [`Effect::Grant`].
    WantToken {
        /// The number of the answer.
        request: TokenRequest,
        /// The generation of a token that an API has refused with 401.
        refused: Option<u64>,
    },
    /// The person wants userinfo and organizations fetched again.
    RetryDetails,
    /// The person goes on as this identity.
    Chosen,
    /// The person wants to sign out.
    SignOut {
        /// What is kept now.
        records: Records,
    },
    /// The person has read the error.
    DismissError,
    /// The time of the last [`Effect::WakeAt`] has come. Too early does no harm.
    Woke,
}

/// What is to be done.
#[derive(Debug)]
pub enum Effect {
    /// Put this in place of the page's address, without a new entry in the history.
    Scrub(String),
    /// Keep this record; answer with [`Input::Kept`].
    Keep(Ticket, String, RecordText),
    /// Remove the record of this key.
    Forget(String),
    /// Send this, once; answer with [`Input::Answered`].
    Send(Ticket, HttpRequest),
    /// Verify this; answer with [`Input::Verified`].
    Verify(Ticket, SignatureCheck),
    /// Make a key of this name that nobody can read, for ES256, and keep it for this origin; answer with
    /// [`Input::KeyMade`].
    #[cfg(feature = "dpop")]
    MakeKey(Ticket, KeyName),
    /// Remove the key of this name.
    #[cfg(feature = "dpop")]
    DropKey(KeyName),
    /// Go to the provider.
    Leave(AuthorizationUrl),
    /// Send the window of this number to the provider. Tell what it brings ([`Input::Relayed`]) and that it was
    /// closed ([`Input::PopupClosed`]), until [`crate::identities::Identities::popups`] no longer names it.
    LeaveInPopup {
        /// Which window.
        popup: PopupNumber,
        /// Where to.
        url: AuthorizationUrl,
        /// The channel on which the answer may come as well.
        channel: String,
    },
    /// This page is such a window: hand this query to whoever opened it, if that is a page of the same origin,
    /// and say it on the channel of this name.
    Relay {
        /// What stood in the address behind its `?`.
        query: ChannelText,
        /// The channel.
        channel: String,
    },
    /// Close the window that this page is in.
    Close,
    /// Go to this path of this site, in place of this page's entry in the history.
    Return(String),
    /// Hold this lock, alone of all pages of this origin; answer with [`Input::Locked`]. Where the
    /// browser has no locks, at once.
    Lock(Ticket, String),
    /// Give the lock back, or no longer wait for it.
    Unlock(Ticket),
    /// Listen on the channel of this name; everything on it is sealed with this key.
    Listen(String, FamilyKey),
    /// Say this on the channel.
    Tell(ChannelText),
    /// Seal this now, and say it when the page is left; nothing if it is empty.
    Bequeath(ChannelText),
    /// Say what is still to be said, and leave the channel.
    Deafen,
    /// The access token that was wanted, or why there is none.
    Grant(TokenRequest, Result<Grant, Error>),
    /// Send [`Input::Woke`] at this time, instead of any earlier such wish.
    WakeAt(UnixTime),
    /// The snapshot has changed.
    Show,
}

/// Why a record could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFailure {
    /// No room.
    Full,
    /// Not allowed.
    Blocked,
}
