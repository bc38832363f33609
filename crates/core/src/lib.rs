//! OpenID Connect for a browser-only public client, without a browser.
//!
//! Bytes, time and entropy go in; decisions, requests and typed errors come out. The machine of a
//! sign-in is [`session::Session`], and [`identities::Identities`] leads several of them: **one input,
//! all its effects; perform every effect before the next input.** Everything else is a pair of a request and the `process` of its answer, and every
//! check lives in `process`.
//!
//! # What this crate does not do
//! It reads no clock, draws no random numbers, opens no connection, touches no storage and knows
//! no browser. It computes no signature: a [`jws::SignatureCheck`] leaves as data and comes back
//! as yes or no. It keeps no secret of a client, since a public client has none, and it speaks
//! no flow but the authorization code with PKCE.
//!
//! # Which clause lives where
//! | clause | module |
//! |---|---|
//! | RFC 6749 4.1.1, Core 3.1.2.1 authorization request | [`authorization`] |
//! | RFC 6749 4.1.2, RFC 9207 authorization response | [`callback`], [`session`] |
//! | RFC 6749 4.1.3, 5 token request and response | [`token`] |
//! | RFC 7636 PKCE | [`pkce`] |
//! | RFC 7591 client registration | [`registration`] |
//! | RFC 9449 proof of possession | `dpop`, of the feature of this name |
//! | Discovery 3, 4; RFC 8414 metadata | [`discovery`] |
//! | RFC 7517 keys | [`jwks`] |
//! | RFC 7515 signed tokens, RFC 8725 their dangers | [`jws`] |
//! | Core 3.1.3.7 ID token validation | [`id_token`] |
//! | Core 5.3 userinfo | [`userinfo`] |
//! | RFC 9700 2.1, 4.7: one record for each sign-in | [`transaction`] |
//! | RFC 9700 4.11.1 no open redirector | [`url`] |
//! | RFC 8259 JSON, strictly | [`json`] |
//! | RFC 6750 2.1, Polar's API: requests with the token | [`api`] |
//! | Polar's organizations | [`organization`] |
//! | the same by hand, in a terminal | [`curl`] |

#![forbid(unsafe_code)]

pub mod api;
pub mod authorization;
mod base64url;
pub mod callback;
pub mod config;
pub mod curl;
pub mod discovery;
#[cfg(feature = "dpop")]
pub mod dpop;
pub mod error;
mod error_code;
mod form;
pub mod http;
pub mod id_token;
pub mod identities;
pub mod json;
pub mod jwks;
pub mod jws;
pub mod organization;
pub mod pkce;
pub mod redirect_uri;
pub mod registration;
pub mod secret;
pub mod session;
pub mod snapshot;
pub mod time;
pub mod token;
pub mod transaction;
pub mod url;
pub mod userinfo;
