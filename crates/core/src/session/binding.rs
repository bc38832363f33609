//! The key of a sign-in (RFC 9449): made before the page is left, named like the record of the
//! sign-in, handed on to its session, and removed with it.

use crate::{
    dpop::PublicKey,
    error::{Code, Error, Phase},
    http::KeyName,
    transaction,
};

use super::{Effect, Session, Stage, Turn, Waiting, sign_in::Departure};

/// A sign-in that waits for its key.
pub(super) struct Making {
    name: KeyName,
    pub(super) departure: Departure,
}

impl Session {
    pub(super) fn make_key(&mut self, turn: &mut Turn<'_>, departure: Departure) {
        let name = KeyName::new(&transaction::key_of(&self.config, &departure.fresh.state));
        let ticket = self.ticket(Waiting::KeyMade(name.clone()));
        turn.effects.push(Effect::MakeKey(ticket, name.clone()));
        self.stage = Stage::MakingKey(Box::new(Making { name, departure }));
    }

    pub(super) fn key_made(&mut self, turn: &mut Turn<'_>, name: KeyName, key: Option<&PublicKey>) {
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::MakingKey(making) if making.name == name => match key {
                Some(key) => self.leave(turn, making.departure, Some(&key.thumbprint())),
                None => self.fail(turn, Error::new(Code::StorageUnavailable, Phase::Start)),
            },
            stage => {
                // Somebody thought better of it.
                self.stage = stage;
                turn.effects.push(Effect::DropKey(name));
            }
        }
    }

    /// The tokens of this session are of no use any more, in no tab.
    pub(super) fn key_lost(&mut self, turn: &mut Turn<'_>) {
        if self.identity.as_ref().is_some_and(|identity| identity.key.is_some()) {
            self.tell_ended(turn, false);
            self.end_session(turn, Error::new(Code::KeyLost, Phase::Session));
        }
    }

    /// Whether a sign-in or a session of this page may still need the key of this name.
    pub(crate) fn needs_key(&self, name: &str) -> bool {
        let of_session = self.identity.as_ref().and_then(|identity| identity.key.as_ref());
        of_session.is_some_and(|key| key.as_str() == name)
            || self.closed.as_ref().is_some_and(|closed| closed.key == name)
    }
}
