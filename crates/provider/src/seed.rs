//! Who and what is there from the beginning. The same at every start, so that tests can rely on it.

use crate::state::{Kind, Organization, Person, Store, Token};

/// The scopes that are supported: Polar's, as far as the demo serves something for them.
pub(crate) const SCOPES: [&str; 18] = [
    "openid",
    "profile",
    "email",
    "user:read",
    "organizations:read",
    "organizations:write",
    "products:read",
    "products:write",
    "customers:read",
    "customers:write",
    "orders:read",
    "subscriptions:read",
    "benefits:read",
    "metrics:read",
    "discounts:read",
    "checkout_links:read",
    "files:read",
    "license_keys:read",
];

/// Names for the first organizations; the others are numbered.
const NAMES: [&str; 12] = [
    "Acme Tools",
    "Birch Studio",
    "Cobalt Labs",
    "Dune Press",
    "Ember Audio",
    "Fjord Maps",
    "Grove Games",
    "Harbor Mail",
    "Indigo Type",
    "Juniper Health",
    "Kite Analytics",
    "Lumen Video",
];

const PEOPLE: [(&str, &str, std::ops::Range<usize>); 5] = [
    ("Nora", "Nora Lind", 0..0),
    ("Olive", "Olive Okafor", 0..1),
    ("Sam", "Sam Weber", 0..3),
    ("Fay", "Fay Nakamura", 3..43),
    ("Max", "Max Moreau", 43..1043),
];

pub(crate) fn fill(store: &mut Store) {
    for number in 0..1043_usize {
        let name = NAMES.get(number).map_or_else(|| format!("Organization {number:04}"), |name| (*name).to_owned());
        let slug = name.to_lowercase().replace(' ', "-");
        store.organizations.push(Organization { id: uuid(0x06, number), name, slug, has_avatar: number % 4 != 3 });
    }
    for (number, (first, name, organizations)) in PEOPLE.into_iter().enumerate() {
        let handle = first.to_lowercase();
        store.people.push(Person {
            id: uuid(0x0a, number + 1),
            email: format!("{handle}@example.com"),
            handle,
            name: name.to_owned(),
            member_of: organizations.map(|number| uuid(0x06, number)).collect(),
        });
    }
    let api_scopes = SCOPES[3..].join(" ");
    let made_in_settings = |person: usize, narrowed_to: Option<Vec<String>>| Token {
        kind: Kind::Settings,
        client_id: String::new(),
        person: uuid(0x0a, person),
        narrowed_to,
        scope: api_scopes.clone(),
        expires: i64::MAX,
        authenticated: 0,
        thumbprint: None,
    };
    store.access_tokens.insert("polar_pat_demo_sam".to_owned(), made_in_settings(3, None));
    let acme = Some(vec![uuid(0x06, 0)]);
    store.access_tokens.insert("polar_oat_demo_acme".to_owned(), made_in_settings(3, acme));
}

/// A version 4 UUID in form, the same at every start.
fn uuid(kind: u8, number: usize) -> String {
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{kind:02x}{:06x}-{:04x}-4000-8000-{number:012x}", mixed >> 40, (mixed >> 24) & 0xffff)
}
