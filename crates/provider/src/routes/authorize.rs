//! The authorization endpoint: sign-in, consent, the choice of organizations, and the way back.

use std::collections::BTreeSet;

use hyper::StatusCode;

use super::Asked;
use crate::{
    pages,
    reply::Reply,
    state::{Client, Grant, Kind, Person, Store, Token, now, random},
};

/// A request that names a client and one of its redirect URIs: from here on errors go back.
pub(crate) struct Authorization {
    pub(crate) client: Client,
    redirect_uri: String,
    state: Option<String>,
    pub(crate) scope: String,
    prompt: Vec<String>,
    /// One organization must be chosen.
    pub(crate) for_organization: bool,
    nonce: Option<String>,
    code_challenge: Option<String>,
    plain_challenge: bool,
    thumbprint: Option<String>,
    /// The request's own query, for the forms.
    pub(crate) query: String,
}

impl Authorization {
    /// Reads the request. What is wrong before the client is known stays on this page.
    fn read(store: &Store, asked: &Asked) -> Result<Self, Reply> {
        let stay = |error: &str, detail: &str| Err(Reply::api_error(StatusCode::BAD_REQUEST, error, detail));
        let client = asked.parameter("client_id").and_then(|id| store.clients.get(&id).cloned());
        let Some(client) = client else { return stay("invalid_client", "The client does not exist.") };
        let redirect_uri = asked.parameter("redirect_uri").unwrap_or_default();
        if !client.redirect_uris.contains(&redirect_uri) {
            return stay("invalid_request", "The redirect_uri is not registered.");
        }
        if asked.parameter("response_type").as_deref() != Some("code") {
            return stay("unsupported_response_type", "Only response_type=code is supported.");
        }
        let for_organization = match asked.parameter("sub_type").as_deref() {
            None | Some("user") => false,
            Some("organization") => true,
            Some(_) => return stay("invalid_sub_type", "sub_type is user or organization."),
        };
        let scope = asked.parameter("scope").unwrap_or_else(|| client.scope.clone());
        Ok(Self {
            redirect_uri,
            state: asked.parameter("state"),
            prompt: asked.parameter("prompt").unwrap_or_default().split(' ').map(str::to_owned).collect(),
            for_organization,
            nonce: asked.parameter("nonce"),
            code_challenge: asked.parameter("code_challenge"),
            plain_challenge: asked.parameter("code_challenge_method").as_deref() == Some("plain"),
            thumbprint: asked.parameter("dpop_jkt").filter(|_| store.settings.dpop),
            query: asked.query.clone(),
            scope,
            client,
        })
    }

    fn prompts(&self, prompt: &str) -> bool {
        self.prompt.iter().any(|p| p == prompt)
    }

    /// Back to the client with an error.
    fn refuse(&self, store: &mut Store, error: &str) -> Reply {
        self.back(store, &[("error", error)])
    }

    fn back(&self, store: &mut Store, parameters: &[(&str, &str)]) -> Reply {
        let issuer = store.settings.issuer.clone();
        let fault = store.fault("callback", None);
        let code = parameters.iter().find(|(name, _)| *name == "code").map_or("", |(_, code)| code);
        let state = self.state.as_deref().unwrap_or_default();
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let fill = |template: &str| {
            template
                .replace("{code}", &encode(code))
                .replace("{state}", &encode(state))
                .replace("{iss}", &encode(&issuer))
        };
        let member = |name| fault.as_ref().and_then(|fault| fault.members.get(name)).and_then(|value| value.as_str());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        query.extend_pairs(self.state.as_deref().map(|state| ("state", state)));
        if store.settings.iss_parameter {
            query.append_pair("iss", &issuer);
        }
        let query = member("query").map_or_else(|| query.finish(), fill);
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let fragment = member("fragment").map(|fragment| format!("#{}", fill(fragment))).unwrap_or_default();
        Reply::redirect(&format!("{}{separator}{query}{fragment}", self.redirect_uri))
    }
}

/// The page was asked for.
pub(super) fn show(store: &mut Store, asked: &Asked) -> Reply {
    let request = match Authorization::read(store, asked) {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    if let Some(nonce) = &request.nonce
        && store.nonces.contains(&(request.client.id.clone(), nonce.clone()))
    {
        return request.refuse(store, "invalid_request");
    }
    let automatic = store.settings.auto_sign_in.clone();
    let signed_in = match automatic {
        Some(handle) => store.people.iter().find(|person| person.handle == handle).map(|person| person.id.clone()),
        None => asked.cookie("session").and_then(|session| store.sessions.get(session).cloned()),
    };
    match signed_in {
        None if request.prompts("none") => request.refuse(store, "login_required"),
        None => Reply::html(pages::sign_in(store, &request)),
        Some(_) if request.prompts("login") || request.prompts("select_account") => {
            Reply::html(pages::sign_in(store, &request))
        }
        Some(person) => consent(store, &request, &person, false),
    }
}

/// A form was sent: who it is, or what they decided.
pub(super) fn submit(store: &mut Store, asked: &Asked) -> Reply {
    let request = match Authorization::read(store, asked) {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    if let Some(handle) = asked.form("person") {
        let Some(person) = store.people.iter().find(|person| person.handle == handle).map(|person| person.id.clone())
        else {
            return Reply::html(pages::sign_in(store, &request));
        };
        let session = random("session_");
        store.sessions.insert(session.clone(), person.clone());
        let cookie = format!("session={session}; HttpOnly; SameSite=Lax; Path=/oauth2");
        return consent(store, &request, &person, true).with("set-cookie", &cookie);
    }
    if asked.form("other").is_some() {
        return Reply::html(pages::sign_in(store, &request));
    }
    let person = asked.cookie("session").and_then(|session| store.sessions.get(session).cloned());
    let Some(person) = person else { return Reply::html(pages::sign_in(store, &request)) };
    if asked.form("decision").as_deref() != Some("allow") {
        return request.refuse(store, "access_denied");
    }
    decide(store, &request, &person, asked.form_all("organization"))
}

/// Asks for consent, unless it was given before: then the answer is silent, and carries no choice
/// of organizations.
fn consent(store: &mut Store, request: &Authorization, person: &str, just_signed_in: bool) -> Reply {
    let wanted: BTreeSet<String> = request.scope.split(' ').map(str::to_owned).collect();
    let key = (person.to_owned(), request.client.id.clone());
    let granted =
        store.settings.auto_consent || store.consents.get(&key).is_some_and(|before| wanted.is_subset(before));
    if granted && (!request.prompts("consent") || store.settings.auto_consent) {
        if request.for_organization && store.settings.auto_consent {
            let first = store.person(person).and_then(|person| person.member_of.first().cloned());
            return decide(store, request, person, first.into_iter().collect());
        }
        return decide(store, request, person, Vec::new());
    }
    if request.prompts("none") && !just_signed_in {
        return request.refuse(store, "consent_required");
    }
    match store.person(person) {
        Some(known) => Reply::html(pages::consent(store, request, known)),
        None => Reply::html(pages::sign_in(store, request)),
    }
}

/// Consent was given, with this choice of organizations.
fn decide(store: &mut Store, request: &Authorization, person: &str, chosen: Vec<String>) -> Reply {
    let stay = |detail: &str| Reply::api_error(StatusCode::BAD_REQUEST, "invalid_sub", detail);
    let belongs = |person: &Person| chosen.iter().all(|id| person.member_of.contains(id));
    if !store.person(person).is_some_and(belongs) {
        return stay("The organization is not accessible.");
    }
    if request.for_organization && chosen.len() != 1 {
        return stay("No organization was chosen.");
    }
    let kind = match chosen.first() {
        Some(organization) if request.for_organization && store.settings.organizations_earlier => {
            Kind::Organization(organization.clone())
        }
        _ => Kind::User,
    };
    if let Some(nonce) = &request.nonce {
        store.nonces.insert((request.client.id.clone(), nonce.clone()));
    }
    let scopes = request.scope.split(' ').filter(|scope| request.client.scope.split(' ').any(|known| known == *scope));
    let scope = scopes.collect::<Vec<_>>().join(" ");
    let consented = store.consents.entry((person.to_owned(), request.client.id.clone())).or_default();
    consented.extend(request.scope.split(' ').map(str::to_owned));
    let token = Token {
        kind,
        client_id: request.client.id.clone(),
        person: person.to_owned(),
        narrowed_to: (!chosen.is_empty()).then_some(chosen),
        scope,
        expires: 0,
        authenticated: now(),
        thumbprint: None,
    };
    let code = random("polar_ac_");
    let grant = Grant {
        token,
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        plain_challenge: request.plain_challenge,
        nonce: request.nonce.clone(),
        created: now(),
        thumbprint: request.thumbprint.clone(),
    };
    store.codes.insert(code.clone(), grant);
    request.back(store, &[("code", &code)])
}
