//! The local provider, and what its control endpoints tell and do.

use std::{collections::BTreeMap, ffi::OsStr};

use serde_json::{Value, json};

use crate::{Context, Result, http::Http, processes::Process, settings::Settings};

/// The provider of a run.
#[derive(Debug)]
pub struct Provider {
    _process: Process,
    origin: String,
    http: Http,
}

/// A request that the provider got.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method; `OPTIONS` is a preflight.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// The status of the answer; none if there was none.
    pub status: Option<u64>,
    /// How it misbehaved with it; null if it did not.
    pub fault: Value,
    /// When it came, in milliseconds since 1970.
    pub millis: u64,
}

impl Provider {
    /// Starts the provider with one public client.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(settings: &Settings, client_id: &str, redirect_uri: &str) -> Result<Self> {
        Self::start_with(settings, client_id, redirect_uri, &[])
    }

    /// The same, with further arguments for the program.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_with(settings: &Settings, client_id: &str, redirect_uri: &str, more: &[&OsStr]) -> Result<Self> {
        let client = format!("{client_id}={redirect_uri}");
        let mut args = ["--port", "0", "--control", "--client", &client].map(OsStr::new).to_vec();
        args.extend(more);
        let (process, origin) = Process::start(settings.provider.as_os_str(), &args, |line| {
            let address = &line[line.find("http://127.0.0.1:")?..];
            let end = address["http://".len()..].find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
            Some(end.map_or(address, |end| &address[..end + "http://".len()]).to_owned())
        })?;
        Ok(Self { _process: process, origin, http: Http::default() })
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// As it was when it started.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn reset(&self) -> Result {
        self.control("reset", &json!({})).await
    }

    /// Changes settings, such as `{"organizations":"earlier"}`.
    ///
    /// # Errors
    /// If it does not accept them.
    pub async fn settings(&self, settings: Value) -> Result {
        self.control("settings", &settings).await
    }

    /// Gives it a new key; the old one stays beside it for a while if `keep_old`.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn rotate_keys(&self, keep_old: bool) -> Result {
        self.control("keys", &json!({ "rotate": true, "keep_old": keep_old })).await
    }

    /// Further members of its key set, in place of those it was given before.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn extra_keys(&self, keys: Vec<Value>) -> Result {
        self.control("keys", &json!({ "extra": keys })).await
    }

    /// Takes a person out of an organization, by its slug.
    ///
    /// # Errors
    /// If it knows neither.
    pub async fn leave_organization(&self, person: &str, slug: &str) -> Result {
        self.control("membership", &json!({ "person": person, "remove": slug })).await
    }

    /// Creates a further public client with this redirect URI, and says its id.
    ///
    /// # Errors
    /// If it does not.
    pub async fn register(&self, redirect_uri: &str) -> Result<String> {
        let client = json!({
            "client_name": "Another app", "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none",
        });
        let created = self.http.post(&format!("{}/v1/oauth2/register", self.origin), &client).await?;
        created["client_id"].as_str().map(str::to_owned).context("no client id")
    }

    /// Signs everybody out there and ends every token, as when a person withdraws their consent.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn revoke_everything(&self) -> Result {
        self.control("revoke", &json!({})).await
    }

    /// Makes it misbehave.
    ///
    /// # Errors
    /// If it does not accept the fault.
    pub async fn fault(&self, fault: Value) -> Result {
        self.control("faults", &fault).await
    }

    /// Takes every fault away.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn clear_faults(&self) -> Result {
        self.http.delete(&format!("{}/control/faults", self.origin)).await.map(|_| ())
    }

    async fn control(&self, path: &str, body: &Value) -> Result {
        self.http.post(&format!("{}/control/{path}", self.origin), body).await.map(|_| ())
    }

    /// What it was asked for since the last reset.
    ///
    /// # Errors
    /// If it does not answer, or in another form.
    pub async fn requests(&self) -> Result<Vec<Seen>> {
        let log = self.http.get(&format!("{}/control/requests", self.origin)).await?;
        Seen::all(log.get("requests").unwrap_or(&log))
    }

    /// The requests of one method to one path.
    ///
    /// # Errors
    /// As for [`Provider::requests`].
    pub async fn requests_to(&self, method: &str, path: &str) -> Result<Vec<Seen>> {
        let all = self.requests().await?.into_iter();
        Ok(all.filter(|seen| seen.method == method && seen.path == path).collect())
    }

    /// The POSTs to the token endpoint.
    ///
    /// # Errors
    /// As for [`Provider::requests`].
    pub async fn code_posts(&self) -> Result<Vec<Seen>> {
        self.requests_to("POST", TOKEN).await
    }
}

/// The path of the token endpoint.
pub const TOKEN: &str = "/v1/oauth2/token";
/// The path of the metadata.
pub const METADATA: &str = "/.well-known/openid-configuration";
/// The path of the keys.
pub const JWKS: &str = "/.well-known/jwks.json";
/// The path of userinfo.
pub const USERINFO: &str = "/v1/oauth2/userinfo";

impl Seen {
    /// The entries of a log.
    pub(crate) fn all(log: &Value) -> Result<Vec<Self>> {
        let log = log.as_array().context("the log is no list")?;
        log.iter().map(|entry| Self::read(entry).context(format!("in the log: {entry}"))).collect()
    }

    fn read(entry: &Value) -> Option<Self> {
        let map = |name: &str| -> BTreeMap<String, String> {
            match &entry[name] {
                Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
                Value::String(query) => form(query),
                _ => BTreeMap::new(),
            }
        };
        Some(Self {
            method: entry["method"].as_str()?.to_owned(),
            path: entry["path"].as_str()?.to_owned(),
            query: map("query"),
            headers: map("headers").into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
            body: text(&entry["body"]),
            status: entry["status"].as_u64(),
            fault: entry["fault"].clone(),
            millis: entry["millis"].as_u64()?,
        })
    }

    /// The body as a form: names and values in order.
    #[must_use]
    pub fn form(&self) -> BTreeMap<String, String> {
        form(&self.body)
    }

    /// The names in the form, in order, repeated ones too.
    #[must_use]
    pub fn form_names(&self) -> Vec<String> {
        pairs(&self.body).map(|(name, _)| name).collect()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn form(text: &str) -> BTreeMap<String, String> {
    pairs(text).collect()
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()))
}
