//! Whether two sessions will behave alike from here on: for the model check, which visits each
//! state once. A hash says nothing of the secrets that went into it.

use std::hash::{Hash, Hasher};

use super::{Again, Session, Ticket, Waiting, renewal::Renewal, sign_in::Stage, signing::Purpose};

impl Session {
    /// Feeds a hasher with all that decides how this session goes on. Tickets count by their place
    /// among those that are open, not by their number.
    pub fn fingerprint(&self, open: &[Ticket], into: &mut impl Hasher) {
        for ticket in open {
            let waiting = self.waiting.iter().find(|(waiting, _)| waiting == ticket);
            waiting.map(|(_, waiting)| kind(waiting)).hash(into);
        }
        self.metadata.as_ref().map(|(_, since)| *since).hash(into);
        match &self.stage {
            Stage::Idle => 0,
            Stage::WantsMetadata(_) => 1,
            Stage::Keeping { .. } => 2,
            Stage::Left => 3,
            Stage::Confirming(_) => 4,
            Stage::Completing(_) => 5,
            Stage::Awaiting(_) => 6,
            #[cfg(feature = "dpop")]
            Stage::MakingKey(_) => 7,
        }
        .hash(into);
        if let Some(identity) = &self.identity {
            identity.encode().expose().hash(into);
            identity.ended.hash(into);
            format!("{:?}{:?}", identity.userinfo, identity.organizations).hash(into);
        }
        self.unconfirmed.hash(into);
        match &self.renewal {
            Renewal::Idle => (0_u8, None),
            Renewal::Locking { since, held, asked, .. } => (10 + u8::from(*held) + 2 * u8::from(*asked), Some(*since)),
            Renewal::Sent { .. } => (2, None),
            Renewal::Proving(_) => (3, None),
            Renewal::Keeping { .. } => (4, None),
        }
        .hash(into);
        self.renewal.lock().and_then(|lock| open.iter().position(|ticket| *ticket == lock)).hash(into);
        let attempts = &self.attempts;
        (attempts.last, attempts.failures, attempts.next, attempts.stopped, attempts.uncertain).hash(into);
        format!("{:?}{:?}{:?}", attempts.failed, self.error, self.signed_out).hash(into);
        self.tabs.hash(into);
        self.wanting.len().hash(into);
        self.ending.as_ref().map(|ending| (ending.until, ending.leaves())).hash(into);
        self.closed.is_some().hash(into);
        (self.memory_only, self.inert, self.alarm, self.clock).hash(into);
        for (at, again) in &self.again {
            let which = match again {
                Again::Metadata(tries) => (0, *tries),
                Again::Keys(Purpose::SignIn, tries) => (1, *tries),
                Again::Keys(Purpose::Renewal, tries) => (2, *tries),
            };
            (*at, which).hash(into);
        }
    }
}

fn kind(waiting: &Waiting) -> (u8, u32) {
    match waiting {
        Waiting::Metadata(_, tries) => (0, *tries),
        Waiting::TransactionKept => (1, 0),
        Waiting::MarkKept(_) => (2, 0),
        Waiting::Tokens(_) => (3, 0),
        Waiting::Keys(_, tries, Purpose::SignIn) => (4, *tries),
        Waiting::Keys(_, tries, Purpose::Renewal) => (5, *tries),
        Waiting::Signature(purpose) => (6, u32::from(*purpose == Purpose::Renewal)),
        Waiting::SessionKept => (7, 0),
        Waiting::Lock => (8, 0),
        Waiting::Renewed => (9, 0),
        Waiting::RenewalKept => (10, 0),
        Waiting::Revoked => (11, 0),
        Waiting::Userinfo(_) => (12, 0),
        Waiting::Organizations(_) => (13, 0),
        #[cfg(feature = "dpop")]
        Waiting::KeyMade(_) => (14, 0),
    }
}
