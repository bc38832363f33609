//! The requests that can be tried, and what each needs of a sign-in.

use crate::{
    snapshot::{Account, SubjectKind},
    url::EndpointUrl,
};

/// A request that only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its path below the API's address.
    pub path: &'static str,
    /// The scope that it needs.
    pub scope: &'static str,
    /// Whether it answers page by page.
    pub is_list: bool,
    /// Whether it is about a person: an organization's own token gets 401 there, though it is good.
    pub people_only: bool,
}

/// Whether a sign-in may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// As far as one can know before.
    Ready,
    /// The named scope was not granted.
    NeedsScope(&'static str),
    /// It is about a person, and an organization is signed in.
    NotForOrganizations,
}

const fn one(path: &'static str, scope: &'static str, people_only: bool) -> Endpoint {
    Endpoint { path, scope, is_list: false, people_only }
}

const fn list(path: &'static str, scope: &'static str) -> Endpoint {
    Endpoint { path, scope, is_list: true, people_only: false }
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 11] = [
        one("oauth2/userinfo", "openid", false),
        one("users/me", "user:read", true),
        list("organizations/", "organizations:read"),
        list("products/", "products:read"),
        list("customers/", "customers:read"),
        list("orders/", "orders:read"),
        list("subscriptions/", "subscriptions:read"),
        list("benefits/", "benefits:read"),
        list("discounts/", "discounts:read"),
        list("checkout-links/", "checkout_links:read"),
        list("files/", "files:read"),
    ];

    /// Its whole address; a list's is that of its first hundred.
    #[must_use]
    pub fn url(&self, api: &EndpointUrl) -> String {
        let query = if self.is_list { "?page=1&limit=100" } else { "" };
        [api.as_str(), self.path, query].concat()
    }

    /// Whether this account may ask it.
    #[must_use]
    pub fn availability(&self, account: &Account) -> Availability {
        let granted = |scopes: &[String]| scopes.iter().any(|scope| scope == self.scope);
        match account.kind {
            SubjectKind::Organization if self.people_only => Availability::NotForOrganizations,
            _ if granted(&account.scope_granted) => Availability::Ready,
            _ => Availability::NeedsScope(self.scope),
        }
    }
}
