//! The requests that can be tried, and what each needs of a sign-in.

use super::Listing;
use crate::{
    form,
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
    /// Whether it can be asked about one organization alone, of all that a token reaches.
    pub by_organization: bool,
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
    Endpoint { path, scope, is_list: false, by_organization: false, people_only }
}

const fn list(path: &'static str, scope: &'static str) -> Endpoint {
    Endpoint { path, scope, is_list: true, by_organization: true, people_only: false }
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 11] = [
        one("oauth2/userinfo", "openid", false),
        one("users/me", "user:read", true),
        Self { by_organization: false, ..list("organizations/", "organizations:read") },
        list("products/", "products:read"),
        list("customers/", "customers:read"),
        list("orders/", "orders:read"),
        list("subscriptions/", "subscriptions:read"),
        list("benefits/", "benefits:read"),
        list("discounts/", "discounts:read"),
        list("checkout-links/", "checkout_links:read"),
        list("files/", "files:read"),
    ];

    /// Its address, without the number of a page; about one organization if it can be asked so.
    #[must_use]
    pub fn address(&self, api: &EndpointUrl, organization: Option<&str>) -> String {
        let mut address = [api.as_str(), self.path].concat();
        if let Some(id) = organization.filter(|_| self.by_organization) {
            address.push('?');
            form::append(&mut address, "organization_id", id);
        }
        address
    }

    /// Its whole address; a list's is that of its first hundred.
    #[must_use]
    pub fn url(&self, api: &EndpointUrl, organization: Option<&str>) -> String {
        let address = self.address(api, organization);
        let first = Listing::new(&address).next().filter(|_| self.is_list);
        first.unwrap_or(address)
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
