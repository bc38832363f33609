//! A token that somebody pasted and wants kept: in this tab, until nobody is signed in here.

use polar_signin_core::{secret::AccessToken, token::pasted_access_token};

use super::Client;

impl Client {
    /// The one that was kept.
    #[must_use]
    pub fn pasted_token(&self) -> Option<AccessToken> {
        pasted_access_token(&self.0.store.get(&self.config().pasted_token_key())?)
    }

    /// Keeps this one, or none. Where the browser keeps nothing it is gone with the page.
    pub fn keep_pasted_token(&self, token: Option<&AccessToken>) {
        let key = self.config().pasted_token_key();
        match token {
            Some(token) => {
                let _ = self.0.store.set(&key, token.expose());
            }
            None => self.0.store.remove(&key),
        }
    }
}
