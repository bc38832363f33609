//! What the provider remembers, all of it in memory.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngCore as _;
use serde_json::{Map, Value};

use crate::{
    faults::{Fault, merge},
    keys::Keys,
    seed,
};

/// Everything.
pub(crate) struct Store {
    pub(crate) origin: String,
    pub(crate) settings: Settings,
    /// What `reset` goes back to.
    pub(crate) started_as: Option<Box<Settings>>,
    pub(crate) keys: Keys,
    pub(crate) people: Vec<Person>,
    pub(crate) organizations: Vec<Organization>,
    pub(crate) clients: BTreeMap<String, Client>,
    /// The clients that it was started with.
    seeded_clients: BTreeMap<String, Client>,
    pub(crate) codes: BTreeMap<String, Grant>,
    pub(crate) access_tokens: BTreeMap<String, Token>,
    pub(crate) refresh_tokens: BTreeMap<String, Token>,
    /// Who is signed in here, by the cookie's value.
    pub(crate) sessions: BTreeMap<String, String>,
    /// The scopes that a person has granted a client before.
    pub(crate) consents: BTreeMap<(String, String), BTreeSet<String>>,
    pub(crate) nonces: BTreeSet<(String, String)>,
    /// The `jti` of every proof that was accepted.
    pub(crate) proofs: BTreeSet<String>,
    /// The nonces of which proofs must hold one, where that is wanted: the newest first.
    pub(crate) server_nonces: VecDeque<String>,
    /// For whoever is to get it a second time.
    pub(crate) last_id_token: Option<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: Vec<Value>,
}

/// How it behaves.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) issuer: String,
    pub(crate) organizations_earlier: bool,
    pub(crate) auto_sign_in: Option<String>,
    pub(crate) auto_consent: bool,
    pub(crate) access_token_lifetime: i64,
    pub(crate) refreshed_lifetime: i64,
    pub(crate) es256: bool,
    pub(crate) kid: bool,
    pub(crate) iss_parameter: bool,
    pub(crate) rotate_refresh: bool,
    /// Where the keys are; the metadata says so.
    pub(crate) jwks_path: String,
    /// Whether the keys have names.
    pub(crate) jwks_kids: bool,
    /// Userinfo as a signed JWT.
    pub(crate) signed_userinfo: bool,
    /// What is different in `discovery`, `token`, `id_token` and `userinfo`, as a merge patch each:
    /// the provider's own way, beneath every fault.
    pub(crate) shape: Map<String, Value>,
    /// Whether a code wants the verifier that its challenge was made of.
    pub(crate) checks_pkce: bool,
    /// Refreshing brings an ID token too, as at most providers; Polar's brings none.
    pub(crate) refresh_id_token: bool,
    /// Tokens have the form of a JWT, as at many providers; Polar's are opaque.
    pub(crate) jwt_tokens: bool,
    /// Public clients may revoke their tokens; Polar's may not.
    pub(crate) public_revocation: bool,
    /// RP-initiated logout is offered; Polar has none.
    pub(crate) end_session: bool,
    /// An organization's own token becomes its member's when it is refreshed.
    pub(crate) organizations_migrate: bool,
    /// Proof of possession (RFC 9449) is announced, and tokens are bound to the key of whoever proves one.
    pub(crate) dpop: bool,
    /// Proofs at the token endpoint, and at resources, must hold one of the last nonces that were told.
    pub(crate) dpop_nonce_token: bool,
    pub(crate) dpop_nonce_resource: bool,
}

/// Somebody who can sign in.
pub(crate) struct Person {
    pub(crate) id: String,
    /// The value of the button: the first name in lower case.
    pub(crate) handle: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// The ids of their organizations.
    pub(crate) member_of: Vec<String>,
}

pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) has_avatar: bool,
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<String>,
    /// Space-separated.
    pub(crate) scope: String,
    pub(crate) is_public: bool,
    pub(crate) secret: Option<String>,
    pub(crate) registration_token: Option<String>,
    /// As it was registered.
    pub(crate) metadata: Value,
}

/// A code that waits to be exchanged.
pub(crate) struct Grant {
    pub(crate) token: Token,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: Option<String>,
    pub(crate) plain_challenge: bool,
    pub(crate) nonce: Option<String>,
    pub(crate) created: i64,
    /// `dpop_jkt`: the key that whoever exchanges it has to prove.
    pub(crate) thumbprint: Option<String>,
}

/// What a token stands for.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) client_id: String,
    pub(crate) person: String,
    /// The organizations that it is narrowed to; `None` is all, future ones too.
    pub(crate) narrowed_to: Option<Vec<String>>,
    pub(crate) scope: String,
    pub(crate) expires: i64,
    pub(crate) authenticated: i64,
    /// `cnf.jkt`: the key that it is bound to.
    pub(crate) thumbprint: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person's, by OAuth.
    User,
    /// An organization's own, by OAuth, as documented earlier.
    Organization(String),
    /// Made in the settings: good for the API, not for userinfo.
    Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: "https://polar.example".to_owned(),
            organizations_earlier: false,
            auto_sign_in: None,
            auto_consent: false,
            access_token_lifetime: 864_000,
            refreshed_lifetime: 3600,
            es256: false,
            kid: false,
            iss_parameter: false,
            rotate_refresh: true,
            jwks_path: "/.well-known/jwks.json".to_owned(),
            jwks_kids: true,
            signed_userinfo: false,
            shape: Map::new(),
            checks_pkce: true,
            refresh_id_token: false,
            jwt_tokens: false,
            public_revocation: false,
            end_session: false,
            organizations_migrate: false,
            dpop: false,
            dpop_nonce_token: false,
            dpop_nonce_resource: false,
        }
    }
}

impl Store {
    pub(crate) fn new() -> Self {
        Self::with(Keys::generate())
    }

    /// As it was started, with the same keys.
    pub(crate) fn reset(&mut self) {
        let mut fresh = Self::with(self.keys.as_at_the_start());
        fresh.origin = std::mem::take(&mut self.origin);
        fresh.seeded_clients = std::mem::take(&mut self.seeded_clients);
        fresh.clients = fresh.seeded_clients.clone();
        if let Some(settings) = self.started_as.take() {
            fresh.settings = (*settings).clone();
            fresh.started_as = Some(settings);
        }
        *self = fresh;
    }

    fn with(keys: Keys) -> Self {
        let mut store = Self {
            origin: String::new(),
            settings: Settings::default(),
            started_as: None,
            keys,
            people: Vec::new(),
            organizations: Vec::new(),
            clients: BTreeMap::new(),
            seeded_clients: BTreeMap::new(),
            codes: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            sessions: BTreeMap::new(),
            consents: BTreeMap::new(),
            nonces: BTreeSet::new(),
            proofs: BTreeSet::new(),
            server_nonces: VecDeque::new(),
            last_id_token: None,
            faults: Vec::new(),
            log: Vec::new(),
        };
        seed::fill(&mut store);
        store
    }

    pub(crate) fn add_client(&mut self, id: &str, redirect_uris: Vec<String>) {
        let client = Client {
            id: id.to_owned(),
            name: "polar-signin".to_owned(),
            redirect_uris,
            scope: seed::SCOPES.join(" "),
            is_public: true,
            secret: None,
            registration_token: None,
            metadata: Value::Null,
        };
        self.seeded_clients.insert(id.to_owned(), client.clone());
        self.clients.insert(id.to_owned(), client);
    }

    /// What this answer is with this provider.
    pub(crate) fn shaped(&self, answer: &str, mut value: Value) -> Value {
        merge(&mut value, self.settings.shape.get(answer));
        value
    }

    pub(crate) fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    pub(crate) fn organization(&self, id: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.id == id)
    }

    /// The organizations that a token reaches: its narrowing cut with today's membership.
    pub(crate) fn reach(&self, token: &Token) -> Vec<&Organization> {
        let member_of = self.person(&token.person).map_or(&[][..], |person| &person.member_of);
        let reaches = |id: &str| match &token.kind {
            Kind::Organization(own) => own == id,
            _ => {
                member_of.iter().any(|m| m == id)
                    && token.narrowed_to.as_ref().is_none_or(|ids| ids.iter().any(|i| i == id))
            }
        };
        self.organizations.iter().filter(|organization| reaches(&organization.id)).collect()
    }
}

/// Milliseconds since 1970.
pub(crate) fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

/// An unguessable text behind a prefix.
pub(crate) fn random(prefix: &str) -> String {
    let mut bytes = [0; 32];
    rand::thread_rng().fill_bytes(&mut bytes);
    prefix.to_owned() + &URL_SAFE_NO_PAD.encode(bytes)
}
