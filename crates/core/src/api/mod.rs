//! Requests to the provider's API with a session's access token (RFC 6750 2.1), in Polar's forms.
//!
//! | what | where |
//! |---|---|
//! | which requests there are, and what a sign-in may ask | [`Endpoint`] |
//! | one request: its token, one renewal, pauses | [`Call`] |
//! | the answer, and what the API says when it refuses | [`Answer`] |
//! | a list, page by page | [`Listing`] |
//!
//! Only reads: nothing here changes anything at the provider. No token is ever part of an address.

mod answer;
mod call;
mod endpoint;
mod listing;

pub use answer::Answer;
pub use call::{Call, Next};
pub use endpoint::{Availability, Endpoint};
pub use listing::Listing;
