//! A page in a window that another page opened for a sign-in.
//!
//! The window began with a copy of what its opener had kept: tokens, which nobody here may have. So
//! all of it goes, unread. Nothing is begun or redeemed here: what came is handed over, and the page
//! that waits for it does the rest. The mark stays, so that this page does the same if it is loaded
//! again.

use crate::{
    callback::{self, Callback, Response},
    config::POPUP_KEY,
    secret::ChannelText,
    session::{self, Effect, Records},
    transaction,
};

use super::{Identities, Turn};

impl Identities {
    pub(super) fn opened_in_popup(&mut self, turn: &mut Turn<'_>, url: &str, records: &Records, framed: bool) {
        self.in_popup = true;
        let mut perform = |effect| turn.effects.push((self.active, effect));
        let callback = callback::parse(url, self.config.redirect_uri());
        if !matches!(callback, Callback::None) {
            perform(Effect::Scrub(callback::scrub(url)));
        }
        for (key, _) in records.iter().filter(|(key, _)| *key != POPUP_KEY) {
            perform(Effect::Forget(key.to_owned()));
        }
        if let (Callback::Malformed(state) | Callback::Response(Response { state, .. }), Some(query), false) =
            (&callback, callback::query(url), framed)
        {
            let channel = session::popup_channel(&transaction::state_hash(state));
            perform(Effect::Relay { query: ChannelText::new(query), channel });
            perform(Effect::Close);
        }
        perform(Effect::Show);
    }
}
