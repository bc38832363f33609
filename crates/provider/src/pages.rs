//! The pages that a person sees: sign-in, consent, and the choice of organizations.

use hyper::StatusCode;

use crate::{
    reply::Reply,
    routes::Authorization,
    state::{Organization, Person, Store},
};

pub(crate) const STYLE: &str = include_str!("../assets/style.css");
pub(crate) const SCRIPT: &str = include_str!("../assets/filter.js");

/// More organizations than this get a filter.
const MANY: usize = 10;

pub(crate) fn home(store: &Store) -> String {
    let people: String =
        store.people.iter().map(|person| format!("<li>{}, {}</li>", person.name, organizations(person))).collect();
    page(
        "Local provider",
        &format!(
            "<h1>Local provider</h1><p>It behaves as Polar’s OpenID Connect server does, in memory, on this machine alone. \
             Its metadata is at <a href=\"/.well-known/openid-configuration\">/.well-known/openid-configuration</a>.</p>\
             <p>Who can sign in:</p><ul>{people}</ul>"
        ),
    )
}

pub(crate) fn sign_in(store: &Store, request: &Authorization) -> String {
    let people: String = store
        .people
        .iter()
        .map(|person| {
            format!(
                "<li><button class=\"person\" name=\"person\" value=\"{}\"><span class=\"initial\" aria-hidden=\"true\">{}</span>\
                 <span><strong>{}</strong><small>{} · {}</small></span></button></li>",
                person.handle,
                person.name.chars().next().unwrap_or('?'),
                person.name,
                person.email,
                organizations(person)
            )
        })
        .collect();
    page(
        "Sign in",
        &format!(
            "<h1>Who are you?</h1><p>to continue to <strong>{}</strong></p>\
             <form method=\"post\" action=\"/oauth2/authorize?{}\"><ul class=\"people\">{people}</ul></form>",
            escape(&request.client.name),
            escape(&request.query)
        ),
    )
}

pub(crate) fn consent(store: &Store, request: &Authorization, person: &Person) -> String {
    let client = escape(&request.client.name);
    let scopes: String = request.scope.split(' ').map(|scope| format!("<li>{}</li>", escape(&words(scope)))).collect();
    let member_of: Vec<&Organization> = person.member_of.iter().filter_map(|id| store.organization(id)).collect();
    let choice = match (request.for_organization, member_of.is_empty()) {
        (true, true) => "<p class=\"notice\">You belong to no organization, so there is none to choose.</p>".to_owned(),
        (true, false) => {
            choices(store, &member_of, "radio", "Choose an organization", "The app acts for this one alone.")
        }
        (false, true) => String::new(),
        (false, false) => choices(
            store,
            &member_of,
            "checkbox",
            "Limit to organizations",
            "Choose none to allow all of them, also future ones.",
        ),
    };
    let allow = if request.for_organization && member_of.is_empty() {
        ""
    } else {
        "<button class=\"primary\" name=\"decision\" value=\"allow\">Allow</button>"
    };
    page(
        "Allow access",
        &format!(
            "<h1>Allow <em>{client}</em>?</h1><p>You are signed in as {} ({}).</p>\
             <form method=\"post\" action=\"/oauth2/authorize?{}\"><h2>It wants to</h2><ul class=\"scopes\">{scopes}</ul>{choice}\
             <div class=\"decision\">{allow}<button name=\"decision\" value=\"deny\" formnovalidate>Deny</button></div>\
             <button class=\"link\" name=\"other\" value=\"1\" formnovalidate>Use another account</button></form>",
            person.name,
            person.email,
            escape(&request.query)
        ),
    )
}

/// Whether to sign out here as well.
pub(crate) fn sign_out(query: &str) -> String {
    page(
        "Sign out",
        &format!(
            "<h1>Sign out here too?</h1><form method=\"post\" action=\"/oauth2/end-session?{}\">\
             <div class=\"decision\"><button class=\"primary\" name=\"sign-out\" value=\"1\">Sign out</button></div></form>",
            escape(query)
        ),
    )
}

pub(crate) fn signed_out() -> String {
    page("Signed out", "<h1>You are signed out</h1>")
}

fn choices(store: &Store, organizations: &[&Organization], kind: &str, title: &str, hint: &str) -> String {
    let required = if kind == "radio" { " required" } else { "" };
    let rows: String = organizations
        .iter()
        .map(|organization| {
            let avatar = if organization.has_avatar {
                format!(
                    "<img src=\"{}/avatars/{}.svg\" alt=\"\" width=\"28\" height=\"28\">",
                    store.origin, organization.slug
                )
            } else {
                format!(
                    "<span class=\"initial\" aria-hidden=\"true\">{}</span>",
                    organization.name.chars().next().unwrap_or('?')
                )
            };
            format!(
                "<label><input type=\"{kind}\" name=\"organization\" value=\"{}\"{required}>{avatar}\
                 <span><strong>{}</strong><small>{}</small></span></label>",
                organization.id, organization.name, organization.slug
            )
        })
        .collect();
    let filter = if organizations.len() > MANY {
        "<input type=\"search\" id=\"filter\" aria-label=\"Filter organizations\" placeholder=\"Filter\" autocomplete=\"off\">"
    } else {
        ""
    };
    format!("<fieldset><legend>{title}</legend><p>{hint}</p>{filter}<div class=\"choices\">{rows}</div></fieldset>")
}

fn organizations(person: &Person) -> String {
    match person.member_of.len() {
        0 => "no organization".to_owned(),
        1 => "1 organization".to_owned(),
        number => format!("{number} organizations"),
    }
}

/// A scope in words.
fn words(scope: &str) -> String {
    match scope.split_once(':') {
        None if scope == "openid" => "know who you are".to_owned(),
        None if scope == "profile" => "see your profile".to_owned(),
        None if scope == "email" => "see your email address".to_owned(),
        Some((what, "read")) => format!("see your {}", what.replace('_', " ")),
        Some((what, "write")) => format!("change your {}", what.replace('_', " ")),
        _ => scope.to_owned(),
    }
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Local provider</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"stylesheet\" href=\"/style.css\"><script src=\"/filter.js\" defer></script></head>\
         <body><main>{content}</main><footer>Local provider: nothing here is real.</footer></body></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A picture made of the slug.
pub(crate) fn avatar(path: &str) -> Reply {
    let slug = path.trim_start_matches("/avatars/").trim_end_matches(".svg");
    let hue = slug.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 360;
    let initial = slug.chars().next().filter(char::is_ascii_alphanumeric).unwrap_or('?').to_ascii_uppercase();
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\"><rect width=\"64\" height=\"64\" fill=\"hsl({hue} 45% 42%)\"/>\
         <text x=\"32\" y=\"42\" font-family=\"system-ui,sans-serif\" font-size=\"28\" font-weight=\"600\" fill=\"#fff\" text-anchor=\"middle\">{initial}</text></svg>"
    );
    Reply::new(StatusCode::OK, "image/svg+xml", svg).with("cache-control", "public, max-age=3600")
}
