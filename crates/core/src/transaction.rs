//! A sign-in under way: what must be remembered between leaving for the provider and coming back.
//!
//! One record for each `state`, so that several sign-ins can be under way at once; taken once:
//! the record is marked before the code is sent, so that a reload in between sends nothing twice.

use crate::{
    config::{Config, KEY_PREFIX},
    discovery::{Endpoints, Metadata},
    http::KeyName,
    json::{self, ObjectWriter, Value},
    pkce::{Fresh, short_hash},
    secret::{CodeVerifier, Nonce, RecordText, State},
    time::UnixTime,
    url::{EndpointUrl, Transport, safe_return_to},
};

/// How long a sign-in may take, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;
/// The same for one in a window of its own, for which a page stays open and waits.
pub const POPUP_LIFETIME: i64 = 600_000;
/// How many sign-ins may be under way; the oldest gives way.
pub const MAX_PENDING: usize = 8;

const KEY_PART: &str = "transaction:";

/// A sign-in under way.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) state_hash: String,
    pub(crate) status: Status,
    pub(crate) nonce: Nonce,
    pub(crate) code_verifier: CodeVerifier,
    pub(crate) redirect_uri: EndpointUrl,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) endpoints: Endpoints,
    pub(crate) iss_parameter: bool,
    pub(crate) scope: Vec<String>,
    pub(crate) organization: bool,
    pub(crate) max_age: Option<u32>,
    pub(crate) return_to: Option<String>,
    /// In a window of its own: the answer comes to the page that waits for it, and to no other.
    pub(crate) popup: bool,
    pub(crate) created: UnixTime,
    /// The key that its tokens are bound to. It has the name of this record.
    pub(crate) key_name: Option<KeyName>,
}

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The person is at the provider.
    Pending,
    /// The code is being exchanged: whoever finds this after a reload must not send it again.
    Redeeming,
}

/// What a sign-in is begun with.
pub(crate) struct Begin<'a> {
    pub(crate) config: &'a Config,
    pub(crate) metadata: &'a Metadata,
    pub(crate) scope: Vec<String>,
    pub(crate) organization: bool,
    pub(crate) max_age: Option<u32>,
    pub(crate) return_to: Option<&'a str>,
    pub(crate) popup: bool,
}

impl Transaction {
    /// A new sign-in, and the `state` that will name it. The state itself is not kept.
    pub(crate) fn begin(begin: Begin<'_>, fresh: Fresh, now: UnixTime) -> (Self, State) {
        let Begin { config, metadata, scope, organization, max_age, return_to, popup } = begin;
        let safe = |path| if crate::callback::looks_like_response(path) { "/" } else { safe_return_to(path) };
        let transaction = Self {
            state_hash: short_hash(fresh.state.expose()),
            status: Status::Pending,
            nonce: fresh.nonce,
            code_verifier: fresh.code_verifier,
            redirect_uri: config.redirect_uri().clone(),
            issuer: config.provider().issuer().to_owned(),
            client_id: config.client_id().to_owned(),
            endpoints: metadata.endpoints.clone(),
            iss_parameter: metadata.iss_parameter,
            scope,
            organization,
            max_age,
            return_to: return_to.map(|path| safe(path).to_owned()),
            popup,
            created: now,
            key_name: None,
        };
        let key_name = config.dpop().then(|| KeyName::new(&transaction.key(config)));
        let transaction = Self { key_name, ..transaction };
        (transaction, fresh.state)
    }

    /// The key under which it is kept.
    pub(crate) fn key(&self, config: &Config) -> String {
        [&config.namespace(), KEY_PART, &self.state_hash].concat()
    }

    /// Whether it is too old, or from a future that a clock jump left behind.
    pub(crate) fn is_expired(&self, now: UnixTime) -> bool {
        is_over(self.created, self.popup, now)
    }

    /// The record to keep.
    pub(crate) fn encode(&self) -> RecordText {
        let mut record = ObjectWriter::default();
        record
            .string("status", if self.status == Status::Pending { "pending" } else { "redeeming" })
            .string("nonce", self.nonce.expose())
            .string("code_verifier", self.code_verifier.expose())
            .string("redirect_uri", self.redirect_uri.as_str())
            .string("issuer", &self.issuer)
            .string("client_id", &self.client_id)
            .raw("iss_parameter", if self.iss_parameter { "true" } else { "false" })
            .string("scope", &self.scope.join(" "))
            .raw("organization", if self.organization { "true" } else { "false" })
            .optional("return_to", self.return_to.as_deref())
            .raw("created", &self.created.as_millis().to_string());
        if let Some(max_age) = self.max_age {
            record.raw("max_age", &max_age.to_string());
        }
        if self.popup {
            record.raw("popup", "true");
        }
        if self.key_name.is_some() {
            record.raw("dpop", "true");
        }
        self.endpoints.write(&mut record);
        RecordText::new(record.finish())
    }

    /// Reads a record. `None` unless it is whole and belongs to this configuration: what stands
    /// in a storage may have been edited.
    pub(crate) fn decode(text: &str, state_hash: &str, config: &Config) -> Option<Self> {
        let record = json::parse_object(text.as_bytes()).ok()?;
        let transport = config.provider().transport();
        let flag = |name| match record.get(name) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        };
        let number = |name| record.get(name).and_then(Value::as_number).and_then(|n| n.to_fixed(0));
        let random =
            |name| record.str(name).filter(|text| text.len() == 43 && crate::base64url::decode(text).is_some());
        let transaction = Self {
            state_hash: state_hash.to_owned(),
            status: match record.str("status")? {
                "pending" => Status::Pending,
                "redeeming" => Status::Redeeming,
                _ => return None,
            },
            nonce: Nonce::new(random("nonce")?),
            code_verifier: CodeVerifier::new(random("code_verifier")?),
            redirect_uri: EndpointUrl::parse(record.str("redirect_uri")?, Transport::HttpsOrLoopback)?,
            issuer: record.str("issuer")?.to_owned(),
            client_id: record.str("client_id")?.to_owned(),
            endpoints: Endpoints::read(&record, transport)?,
            iss_parameter: flag("iss_parameter")?,
            scope: record.str("scope")?.split(' ').map(str::to_owned).collect(),
            organization: flag("organization")?,
            max_age: match record.get("max_age") {
                None => None,
                Some(_) => Some(u32::try_from(number("max_age")?).ok()?),
            },
            return_to: record.str("return_to").map(|path| safe_return_to(path).to_owned()),
            popup: match record.get("popup") {
                None => false,
                Some(_) => flag("popup")?,
            },
            created: UnixTime::from_millis(number("created")?),
            key_name: None,
        };
        let same = transaction.issuer == config.provider().issuer() && transaction.client_id == config.client_id();
        let bound = flag("dpop") == Some(true);
        // Whoever wants tokens bound to a key gets no others.
        let kept = same && (bound || !config.dpop());
        let key_name = bound.then(|| KeyName::new(&transaction.key(config)));
        kept.then_some(Self { key_name, ..transaction })
    }
}

/// The key under which the sign-in of this `state` is kept.
#[cfg(feature = "dpop")]
pub(crate) fn key_of(config: &Config, state: &State) -> String {
    [&config.namespace(), KEY_PART, &state_hash(state)].concat()
}

/// The hash that names the sign-in of this `state`.
pub(crate) fn state_hash(state: &State) -> String {
    short_hash(state.expose())
}

/// The hash in a key, if it is a transaction's, of whatever provider and client.
pub(crate) fn hash_in_key(key: &str) -> Option<&str> {
    let (_, rest) = key.strip_prefix(KEY_PREFIX)?.split_once(':')?;
    rest.strip_prefix(KEY_PART)
}

/// When a record says that it was begun: enough to find the oldest.
pub(crate) fn created(text: &str) -> Option<UnixTime> {
    begun(&json::parse_object(text.as_bytes()).ok()?)
}

/// Whether a record is to be cleared away: too old, or nothing that can be read.
pub(crate) fn is_old(text: &str, now: UnixTime) -> bool {
    let record = json::parse_object(text.as_bytes()).ok();
    let date =
        record.and_then(|record| Some((begun(&record)?, matches!(record.get("popup"), Some(Value::Bool(true))))));
    date.is_none_or(|(created, popup)| is_over(created, popup, now))
}

fn begun(record: &json::Object<'_>) -> Option<UnixTime> {
    Some(UnixTime::from_millis(record.get("created")?.as_number()?.to_fixed(0)?))
}

/// Too long ago, or in a future that a clock jump left behind.
fn is_over(created: UnixTime, popup: bool, now: UnixTime) -> bool {
    let lifetime = if popup { POPUP_LIFETIME } else { LIFETIME };
    !(-lifetime..=lifetime).contains(&now.millis_since(created))
}
