//! What happens to the identities of a page, and what they show.

use crate::{
    authorization::SignIn,
    session::{Input, Records, TokenRequest},
    snapshot::{Account, Snapshot},
};

use super::Slot;

/// What happened, and to whom.
pub enum Event {
    /// The page was opened: as [`Input::Opened`].
    Opened {
        /// The page's whole address.
        url: String,
        /// What was kept.
        records: Records,
        /// The page is inside a frame.
        framed: bool,
        /// Session storage cannot be used.
        memory_only: bool,
    },
    /// The page is shown again: as [`Input::Resumed`].
    Resumed {
        /// What is kept now.
        records: Records,
        /// Out of the browser's memory.
        from_memory: bool,
    },
    /// A sign-in is likely.
    Prepare,
    /// The person wants to sign in.
    SignIn {
        /// How.
        request: Box<SignIn>,
        /// What is kept now.
        records: Records,
        /// Beside those that are here, and not in place of the active one.
        add: bool,
    },
    /// The person does not want to leave after all.
    Cancel,
    /// From now on this one is active.
    Switch(Slot),
    /// The person wants userinfo and organizations of the active one fetched again.
    RetryDetails,
    /// The person wants to end an identity.
    SignOut {
        /// Whose.
        slot: Slot,
        /// What is kept now.
        records: Records,
    },
    /// The person has read the error.
    DismissError,
    /// An access token is needed.
    WantToken {
        /// Whose.
        slot: Slot,
        /// The number of the answer.
        request: TokenRequest,
        /// The generation of a token that an API has refused with 401.
        refused: Option<u64>,
    },
    /// The time of the last [`crate::session::Effect::WakeAt`] has come.
    Woke,
    /// What came of an effect of this one's, or what was said on its channel.
    Of(Slot, Input),
}

/// All that an interface may know at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// The active identity, with whatever the person has to know now, whomever it is about.
    pub snapshot: Snapshot,
    /// Whose that is.
    pub active: Slot,
    /// Everybody who is signed in, in the order of their places.
    pub identities: Vec<(Slot, Account)>,
}
