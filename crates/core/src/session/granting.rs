//! Access tokens for whoever needs one: handed out as they are, or after a renewal that all wait for.

use crate::error::Error;

use super::{
    Effect, Grant, Session, TokenRequest, Turn,
    attempts::SPACING,
    renewal::{Renewal, expired},
};

impl Session {
    /// Somebody needs an access token; `refused` names the one that an API did not accept.
    pub(super) fn want_token(&mut self, turn: &mut Turn<'_>, request: TokenRequest, refused: Option<u64>) {
        self.wanting.push(request);
        let Some(identity) = &self.identity else { return self.grant_all(turn) };
        let refused = refused.is_some_and(|generation| generation == identity.generation);
        if refused || identity.is_due(turn.now) {
            self.wanted(turn, refused);
        }
        self.grant_if_idle(turn);
    }

    fn wanted(&mut self, turn: &mut Turn<'_>, refused: bool) {
        let elsewhere = self.identity.as_ref().is_some_and(|identity| identity.elsewhere);
        if self.can_renew() {
            // Whether it is this page that renews may not be known yet.
            self.tabs.refused |= refused && !self.tabs.is_settled();
            self.renew(turn);
        } else if elsewhere && !self.attempts.stopped {
            self.tabs.refused |= refused;
            self.ask_the_others(turn);
        } else if refused {
            self.end_session(turn, expired());
        }
    }

    /// The provider does not accept the access token that userinfo was asked with.
    pub(super) fn access_token_refused(&mut self, turn: &mut Turn<'_>, error: Error) {
        if !matches!(self.renewal, Renewal::Idle) {
            // Another is on its way: with that one they are asked for again.
            return;
        }
        // A token that ended on its way says nothing of the session.
        let ended = self.identity.as_ref().is_some_and(|identity| identity.has_ended(turn.now));
        let just_now = self.attempts.last.is_some_and(|last| turn.now.millis_since(last).abs() < SPACING);
        if self.attempts.failures > 0 && !self.attempts.stopped {
            // It could not be renewed so far: that is being tried.
            self.details_failed(turn, &error);
        } else if just_now && !ended {
            self.end_session(turn, error);
        } else {
            self.wanted(turn, true);
        }
    }

    /// Whoever waits and has nothing to wait for is answered.
    pub(super) fn grant_if_idle(&mut self, turn: &mut Turn<'_>) {
        if !self.somebody_is_at_it() {
            self.grant_all(turn);
        }
    }

    fn somebody_is_at_it(&self) -> bool {
        !matches!(self.renewal, Renewal::Idle)
            || self.tabs.answer_until.is_some()
            || self.unconfirmed
            || self.tabs.renew_then
    }

    /// Answers everybody who waits: with the access token if it may still be used.
    pub(super) fn grant_all(&mut self, turn: &mut Turn<'_>) {
        for request in core::mem::take(&mut self.wanting) {
            let granted = match &self.identity {
                Some(identity) if !identity.has_ended(turn.now) => Ok(Grant {
                    access_token: identity.access_token.clone(),
                    generation: identity.generation,
                    key: identity.key.clone(),
                }),
                Some(_) => Err(self.attempts.failed.clone()),
                None => Err(self.error.clone()),
            };
            let ended = |error: Option<Error>| error.unwrap_or_else(expired);
            turn.effects.push(Effect::Grant(request, granted.map_err(ended)));
        }
    }
}
