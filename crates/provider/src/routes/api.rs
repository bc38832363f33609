//! The part of the API that a signed-in app asks: organizations, the person, and lists of what
//! an organization has.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Asked, page_of, token_of};
use crate::{
    id_token::has_scope,
    reply::Reply,
    state::{Kind, Organization, Store, Token},
};

/// Lists that every organization has three of, with the scope that each needs.
const LISTS: [(&str, &str); 9] = [
    ("products", "products:read"),
    ("customers", "customers:read"),
    ("orders", "orders:read"),
    ("subscriptions", "subscriptions:read"),
    ("benefits", "benefits:read"),
    ("metrics", "metrics:read"),
    ("discounts", "discounts:read"),
    ("checkout-links", "checkout_links:read"),
    ("files", "files:read"),
];

pub(super) fn answer(store: &Store, asked: &Asked) -> Reply {
    let Some(token) = token_of(store, asked) else { return unauthorized() };
    let path = asked.path.trim_start_matches("/v1/").trim_end_matches('/');
    match path.split_once('/') {
        None if path == "organizations" => organizations(store, asked, &token),
        Some(("organizations", id)) => organization(store, &token, id),
        Some(("users", "me")) => me(store, &token),
        None => match LISTS.iter().find(|(name, _)| *name == path) {
            Some((name, scope)) => list(store, asked, &token, name, scope),
            None => Reply::not_found(),
        },
        Some(_) => Reply::not_found(),
    }
}

/// A token that is good in itself gets the same answer where it is of the wrong kind.
fn unauthorized() -> Reply {
    Reply::api_error(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
}

fn missing_scope(scope: &str) -> Reply {
    let detail =
        format!("The request requires higher privileges than provided by the access token. Required scopes: {scope}.");
    Reply::api_error(StatusCode::FORBIDDEN, "insufficient_scope", &detail)
}

fn organizations(store: &Store, asked: &Asked, token: &Token) -> Reply {
    if !has_scope(&token.scope, "organizations:read") {
        return missing_scope("organizations:read");
    }
    let slug = asked.parameter("slug");
    let reached = store.reach(token).into_iter();
    let items = reached.filter(|organization| slug.as_ref().is_none_or(|slug| *slug == organization.slug));
    page_of(items.map(|organization| shown(store, organization)).collect(), asked)
}

fn organization(store: &Store, token: &Token, id: &str) -> Reply {
    if !has_scope(&token.scope, "organizations:read") {
        return missing_scope("organizations:read");
    }
    let reached = store.reach(token);
    reached
        .into_iter()
        .find(|organization| organization.id == id)
        .map_or_else(Reply::not_found, |o| Reply::ok(&shown(store, o)))
}

fn shown(store: &Store, organization: &Organization) -> Value {
    let avatar = organization.has_avatar.then(|| format!("{}/avatars/{}.svg", store.origin, organization.slug));
    json!({
        "created_at": "2026-01-15T09:00:00Z", "modified_at": null, "id": organization.id, "name": organization.name,
        "slug": organization.slug, "avatar_url": avatar, "email": format!("hello@{}.example", organization.slug),
        "website": format!("https://{}.example", organization.slug), "status": "active", "socials": [],
    })
}

fn me(store: &Store, token: &Token) -> Reply {
    match store.person(&token.person).filter(|_| !matches!(token.kind, Kind::Organization(_))) {
        None => unauthorized(),
        Some(_) if !has_scope(&token.scope, "user:read") => missing_scope("user:read"),
        Some(person) => Reply::ok(&json!({ "id": person.id, "email": person.email, "avatar_url": null })),
    }
}

fn list(store: &Store, asked: &Asked, token: &Token, name: &str, scope: &str) -> Reply {
    if !has_scope(&token.scope, scope) {
        return missing_scope(scope);
    }
    let wanted = asked.parameter("organization_id");
    let reached = store.reach(token).into_iter().filter(|o| wanted.as_ref().is_none_or(|id| *id == o.id));
    let items = reached.flat_map(|organization| {
        (1..=3).map(move |number| {
            json!({
                "id": format!("{}-{name}-{number}", organization.slug), "organization_id": organization.id,
                "created_at": format!("2026-0{number}-01T12:00:00Z"), "modified_at": null,
                "name": format!("{} {name} {number}", organization.name),
            })
        })
    });
    page_of(items.collect(), asked)
}
