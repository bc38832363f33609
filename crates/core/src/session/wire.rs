//! What goes into the machine and what comes out of it.

use crate::{
    authorization::SignIn,
    http::{HttpOutcome, HttpRequest},
    jws::{SignatureCheck, SignatureOutcome},
    secret::{AuthorizationUrl, RecordText},
    time::UnixTime,
};

/// The number under which something was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(super) u64);

/// What stood in session storage under [`crate::config::KEY_PREFIX`], read right before the step.
pub struct Records(Vec<(String, RecordText)>);

impl Records {
    /// Takes keys and texts as they were read.
    #[must_use]
    pub fn new(entries: Vec<(String, String)>) -> Self {
        Self(entries.into_iter().map(|(key, text)| (key, RecordText::new(text))).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, text)| (key.as_str(), text.expose()))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, text)| text)
    }

    pub(super) fn has(&self, key: &str) -> bool {
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
    /// A request's outcome.
    Answered(Ticket, HttpOutcome),
    /// A signature's outcome.
    Verified(Ticket, SignatureOutcome),
    /// Whether a record could be kept.
    Kept(Ticket, Result<(), StorageFailure>),
    /// The person wants userinfo and organizations fetched again.
    RetryDetails,
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
    /// Go to the provider.
    Leave(AuthorizationUrl),
    /// Go to this path of this site, in place of this page's entry in the history.
    Return(String),
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
