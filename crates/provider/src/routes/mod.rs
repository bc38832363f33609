//! Which request goes where.

mod api;
mod authorize;
mod control;
mod discovery;
mod end_session;
mod register;
mod token;
mod userinfo;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt as _;
use hyper::{Request, StatusCode, body::Incoming};
use serde_json::{Value, json};

use crate::{
    dpop,
    faults::Fault,
    pages,
    reply::Reply,
    state::{Client, Store, Token, millis, now},
};

pub(crate) use authorize::Authorization;
pub(crate) use control::answer as control;

/// A request, read whole.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) async fn read(request: Request<Incoming>) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Some(Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.iter().map(header).fold(BTreeMap::new(), |mut headers, (name, value)| {
                // Two of one name are one list (RFC 9110 5.3): two proofs are none.
                headers.entry(name).and_modify(|list: &mut String| *list = format!("{list}, {value}")).or_insert(value);
                headers
            }),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        value_of(&self.query, name)
    }

    /// A field of a form body.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        value_of(&self.body, name)
    }

    /// All fields of this name in a form body.
    pub(crate) fn form_all(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.body.as_bytes());
        pairs.filter(|(n, _)| n == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// The bearer token.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// The access token, whatever it needs beside it.
    fn access_token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        ["bearer", "dpop"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(token)
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.header("cookie")?.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        cookies.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The name that faults use for what is asked.
    pub(crate) fn endpoint(&self) -> &'static str {
        match self.path.as_str() {
            "/.well-known/openid-configuration" => "discovery",
            path if path == "/.well-known/jwks.json" || path.starts_with("/jwks/") => "jwks",
            "/oauth2/authorize" => "authorize",
            "/oauth2/end-session" => "end_session",
            "/v1/oauth2/token" => "token",
            "/v1/oauth2/userinfo" => "userinfo",
            "/v1/oauth2/revoke" => "revoke",
            "/v1/oauth2/introspect" => "introspect",
            path if path.starts_with("/v1/oauth2/register") => "register",
            path if path.starts_with("/v1/organizations") => "organizations",
            path if path.starts_with("/v1/") => "api",
            _ => "page",
        }
    }

    /// Whether other origins may read the answer.
    pub(crate) fn has_cors(&self) -> bool {
        !matches!(self.endpoint(), "authorize" | "end_session" | "page") || self.path.starts_with("/avatars/")
    }
}

fn value_of(pairs: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(pairs.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

impl Store {
    /// Notes a request in the log; the number is for its status.
    pub(crate) fn note(&mut self, asked: &Asked, fault: Option<&Fault>) -> usize {
        self.log.push(json!({
            "n": self.log.len(), "method": asked.method, "path": asked.path, "query": asked.query,
            "headers": asked.headers, "body": asked.body, "status": null, "fault": fault.map(|fault| &fault.members), "seconds": now(), "millis": millis(),
        }));
        self.log.len() - 1
    }

    pub(crate) fn note_status(&mut self, number: usize, status: u16) {
        if let Some(entry) = self.log.get_mut(number) {
            entry["status"] = json!(status);
        }
    }
}

/// Answers a request that is well.
pub(crate) fn answer(store: &mut Store, asked: &Asked) -> Reply {
    let is_resource = matches!(asked.endpoint(), "userinfo" | "organizations" | "api");
    let refusal = if is_resource { dpop::guard(store, asked) } else { None };
    let reply = refusal.unwrap_or_else(|| look(store, asked));
    dpop::tell_nonce(store, asked, reply)
}

fn look(store: &mut Store, asked: &Asked) -> Reply {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/.well-known/openid-configuration") => discovery::metadata(store),
        ("GET", path) if path == store.settings.jwks_path => Reply::ok(&jwks(store)),
        ("GET", "/oauth2/authorize") => authorize::show(store, asked),
        ("POST", "/oauth2/authorize") => authorize::submit(store, asked),
        ("GET" | "POST", "/oauth2/end-session") => end_session::answer(store, asked),
        ("POST", "/v1/oauth2/token") => token::answer(store, asked),
        ("GET" | "POST", "/v1/oauth2/userinfo") => userinfo::answer(store, asked),
        ("POST", "/v1/oauth2/revoke" | "/v1/oauth2/introspect") => token::revoke_or_introspect(store, asked),
        (_, path) if path.starts_with("/v1/oauth2/register") => register::answer(store, asked),
        ("GET", path) if path.starts_with("/v1/") => api::answer(store, asked),
        ("GET", path) if path.starts_with("/avatars/") => pages::avatar(path),
        ("GET", "/favicon.ico") => pages::avatar("/avatars/local.svg"),
        ("GET", "/style.css") => Reply::new(StatusCode::OK, "text/css; charset=utf-8", pages::STYLE),
        ("GET", "/filter.js") => Reply::new(StatusCode::OK, "text/javascript; charset=utf-8", pages::SCRIPT),
        ("GET", "/") => Reply::html(pages::home(store)),
        _ => Reply::not_found(),
    }
}

fn jwks(store: &Store) -> Value {
    let mut set = store.keys.jwks(store.settings.es256);
    if !store.settings.jwks_kids {
        for key in set["keys"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            key.remove("kid");
        }
    }
    set
}

/// The token that a request carries, if it is known and has not ended.
fn token_of(store: &Store, asked: &Asked) -> Option<Token> {
    store.access_tokens.get(asked.access_token()?).filter(|token| token.expires > now()).cloned()
}

/// The client of a request to the token endpoint and its neighbours: public ones by their id,
/// the others by their secret.
fn client_of(store: &Store, asked: &Asked) -> Option<Client> {
    let basic = asked.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    let (id, secret) = match basic.and_then(|basic| STANDARD.decode(basic).ok()) {
        Some(pair) => {
            let pair = String::from_utf8(pair).ok()?;
            let (id, secret) = pair.split_once(':')?;
            (id.to_owned(), Some(secret.to_owned()))
        }
        None => (asked.form("client_id")?, asked.form("client_secret")),
    };
    let client = store.clients.get(&id)?;
    (client.is_public && secret.is_none() || !client.is_public && secret == client.secret).then(|| client.clone())
}

/// `{"error":"invalid_client"}`, with the header that makes browsers ask for a password.
fn invalid_client() -> Reply {
    Reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" })).with("www-authenticate", "Basic")
}

/// A list in Polar's form.
fn page_of(items: Vec<Value>, asked: &Asked) -> Reply {
    let number = |name: &str, default: usize| match asked.parameter(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Reply::validation_error(&["query", name], "Input should be a valid integer")),
    };
    let (page, limit) = match (number("page", 1), number("limit", 10)) {
        (Ok(page), Ok(limit)) => (page, limit),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    if page == 0 || limit == 0 || limit > 100 {
        return Reply::validation_error(&["query", "limit"], "Input should be between 1 and 100");
    }
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip((page - 1) * limit).take(limit).collect();
    let pagination = json!({ "total_count": total, "max_page": total.div_ceil(limit) });
    Reply::ok(&json!({ "items": items, "pagination": pagination }))
}
