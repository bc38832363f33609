//! Userinfo: for OAuth tokens alone.

use hyper::StatusCode;

use super::{Asked, token_of};
use crate::{
    id_token::{self, has_scope, subject_claims},
    reply::Reply,
    state::{Kind, Store},
};

pub(super) fn answer(store: &Store, asked: &Asked) -> Reply {
    match token_of(store, asked) {
        None => {
            let description = "The access token provided is expired, revoked, malformed, or invalid for other reasons.";
            Reply::oauth_error(StatusCode::UNAUTHORIZED, "invalid_token", description)
                .with("www-authenticate", "Bearer")
        }
        // Tokens from the settings are for the API.
        Some(token) if token.kind == Kind::Settings => {
            Reply::api_error(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
        }
        Some(token) if !has_scope(&token.scope, "openid") => {
            Reply::oauth_error(StatusCode::FORBIDDEN, "insufficient_scope", "The request requires openid.")
        }
        Some(token) => {
            let claims = store.shaped("userinfo", subject_claims(store, &token));
            if store.settings.signed_userinfo {
                return Reply::new(StatusCode::OK, "application/jwt", id_token::signed_userinfo(store, &token, claims));
            }
            Reply::ok(&claims)
        }
    }
}
