//! How a session ends on this page, and what of it must not find anybody any more.

use crate::error::Error;

use super::{Again, Effect, Session, Stage, Turn, Waiting, signing::Purpose};

impl Session {
    /// Ends what belongs to the session that is here: nothing that was asked for it finds anybody.
    pub(super) fn leave_session(&mut self, turn: &mut Turn<'_>) {
        self.drop_renewal(turn);
        self.part(turn);
        self.identity = None;
        self.unconfirmed = false;
        self.grant_all(turn);
        self.waiting.retain(|(_, waiting)| {
            !matches!(
                waiting,
                Waiting::SessionKept
                    | Waiting::Lock
                    | Waiting::Renewed
                    | Waiting::RenewalKept
                    | Waiting::Userinfo(_)
                    | Waiting::Organizations(_)
                    | Waiting::Keys(_, _, Purpose::Renewal)
                    | Waiting::Signature(Purpose::Renewal)
            )
        });
        self.again.retain(|(_, again)| !matches!(again, Again::Keys(Purpose::Renewal, _)));
    }

    /// As [`Session::leave_session`], and out of the storage.
    pub(super) fn forget_session(&mut self, turn: &mut Turn<'_>) {
        self.leave_session(turn);
        turn.effects.push(Effect::Forget(self.session_key()));
    }

    /// Another page of this tab has removed the session.
    pub(super) fn gone_elsewhere(&mut self, turn: &mut Turn<'_>) {
        self.leave_session(turn);
        turn.effects.push(Effect::Show);
    }

    /// What the sign-in or the session ended with. Sessions of before stay.
    pub(super) fn fail(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.error = Some(error);
        self.stage = Stage::Idle;
        turn.effects.push(Effect::Show);
    }

    /// Ends the session with a reason. A sign-in that is under way is the better answer to it.
    pub(super) fn end_session(&mut self, turn: &mut Turn<'_>, error: Error) {
        let before = self.error.replace(error);
        self.for_organization = self.identity.as_ref().is_some_and(|identity| identity.organization);
        self.forget_session(turn);
        if !matches!(self.stage, Stage::Idle) {
            self.error = before;
        }
        turn.effects.push(Effect::Show);
    }
}
