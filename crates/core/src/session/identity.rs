//! Who is signed in: made from a verified ID token alone, kept as one record.

use crate::{
    discovery::Endpoints,
    id_token::VerifiedIdToken,
    json::{self, Object, ObjectWriter, Value},
    organization::subject_kind,
    secret::{AccessToken, IdTokenText, RecordText, RefreshToken},
    snapshot::{Account, Loadable, Reach, SubjectKind},
    time::UnixTime,
    token::TokenResponse,
    transaction::Transaction,
    url::{EndpointUrl, Transport},
    userinfo::{Profile, Userinfo, shown},
};

use super::{Effect, Records, Session, Turn, Waiting};

/// A signed-in subject with its tokens.
pub(super) struct Identity {
    pub(super) access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    id_token: IdTokenText,
    /// The verified claims, as the signed JSON text.
    claims: String,
    pub(super) subject: String,
    pub(super) kind: SubjectKind,
    pub(super) scope_requested: Vec<String>,
    pub(super) scope_granted: Vec<String>,
    signed_in_at: UnixTime,
    pub(super) expires_at: Option<UnixTime>,
    /// One organization was asked for.
    pub(super) organization: bool,
    pub(super) endpoints: Endpoints,
    pub(super) userinfo: Loadable<Userinfo>,
    pub(super) organizations: Loadable<Reach>,
}

impl Identity {
    pub(super) fn new(
        verified: &VerifiedIdToken,
        tokens: TokenResponse,
        transaction: Transaction,
        now: UnixTime,
    ) -> Self {
        let expires_at = tokens.expires_at(now);
        Self {
            kind: subject_kind(&tokens.access_token),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            id_token: IdTokenText::new(verified.text().expose()),
            claims: verified.claims().to_owned(),
            subject: verified.subject().to_owned(),
            scope_granted: tokens.scope.unwrap_or_else(|| transaction.scope.clone()),
            scope_requested: transaction.scope,
            signed_in_at: now,
            expires_at,
            organization: transaction.organization,
            endpoints: transaction.endpoints,
            userinfo: Loadable::Waiting,
            organizations: Loadable::Waiting,
        }
    }

    /// What may be shown of it.
    pub(super) fn account(&self) -> Account {
        let empty = Object::default();
        let claims = json::parse_object(self.claims.as_bytes());
        let claims = claims.as_ref().unwrap_or(&empty);
        Account {
            subject: self.subject.clone(),
            kind: self.kind,
            profile: Profile::of(claims),
            claims: shown(claims),
            scope_requested: self.scope_requested.clone(),
            scope_granted: self.scope_granted.clone(),
            signed_in_at: self.signed_in_at,
            expires_at: self.expires_at,
            renewable: self.refresh_token.is_some(),
            userinfo: self.userinfo.clone(),
            organizations: self.organizations.clone(),
        }
    }

    fn encode(&self) -> RecordText {
        let mut record = ObjectWriter::default();
        record
            .string("access_token", self.access_token.expose())
            .optional("refresh_token", self.refresh_token.as_ref().map(RefreshToken::expose))
            .string("id_token", self.id_token.expose())
            .string("claims", &self.claims)
            .string("scope_requested", &self.scope_requested.join(" "))
            .string("scope", &self.scope_granted.join(" "))
            .raw("signed_in_at", &self.signed_in_at.as_millis().to_string())
            .raw("organization", if self.organization { "true" } else { "false" })
            .string("token_endpoint", self.endpoints.token.as_str())
            .string("jwks_uri", self.endpoints.jwks.as_str())
            .optional("userinfo_endpoint", self.endpoints.userinfo.as_ref().map(EndpointUrl::as_str));
        if let Some(expires_at) = self.expires_at {
            record.raw("expires_at", &expires_at.as_millis().to_string());
        }
        RecordText::new(record.finish())
    }

    /// Reads a record; `None` unless it is whole: what stands in a storage may have been edited.
    fn decode(text: &str, transport: Transport) -> Option<Self> {
        let record = json::parse_object(text.as_bytes()).ok()?;
        let text = |name| record.str(name).filter(|text| !text.is_empty());
        let time = |name| record.get(name).map(|value| value.as_number()?.to_fixed(0).map(UnixTime::from_millis));
        let endpoint = |name| EndpointUrl::parse(record.str(name)?, transport);
        let scopes = |name| Some(record.str(name)?.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect());
        let claims = text("claims")?;
        let access_token = AccessToken::new(text("access_token")?);
        Some(Self {
            kind: subject_kind(&access_token),
            access_token,
            refresh_token: text("refresh_token").map(RefreshToken::new),
            id_token: IdTokenText::new(text("id_token")?),
            subject: json::parse_object(claims.as_bytes()).ok()?.str("sub").filter(|sub| !sub.is_empty())?.to_owned(),
            claims: claims.to_owned(),
            scope_requested: scopes("scope_requested")?,
            scope_granted: scopes("scope")?,
            signed_in_at: time("signed_in_at")??,
            expires_at: match time("expires_at") {
                None => None,
                Some(time) => Some(time?),
            },
            organization: record.get("organization")? == &Value::Bool(true),
            endpoints: Endpoints {
                token: endpoint("token_endpoint")?,
                jwks: endpoint("jwks_uri")?,
                userinfo: match record.get("userinfo_endpoint") {
                    None => None,
                    Some(_) => Some(endpoint("userinfo_endpoint")?),
                },
            },
            userinfo: Loadable::Waiting,
            organizations: Loadable::Waiting,
        })
    }
}

impl Session {
    pub(super) fn session_key(&self) -> String {
        [&self.config.namespace(), "session"].concat()
    }

    /// Opens the session of a verified sign-in, and keeps it.
    pub(super) fn enter(&mut self, turn: &mut Turn<'_>, identity: Identity) {
        let record = identity.encode();
        self.unconfirmed = false;
        self.identity = Some(identity);
        let ticket = self.ticket(Waiting::SessionKept);
        turn.effects.push(Effect::Keep(ticket, self.session_key(), record));
        self.fetch_details(turn);
    }

    /// The session lives on in memory; what may stand in the storage is of somebody before.
    pub(super) fn session_not_kept(&mut self, turn: &mut Turn<'_>) {
        self.memory_only = true;
        turn.effects.push(Effect::Forget(self.session_key()));
        turn.effects.push(Effect::Show);
    }

    /// Finds the session that this tab kept, if it is whole and has not ended.
    pub(super) fn restore(&mut self, turn: &mut Turn<'_>, records: &Records) {
        let Some(text) = records.get(&self.session_key()) else { return };
        match Identity::decode(text, self.config.provider().transport()) {
            None => turn.effects.push(Effect::Forget(self.session_key())),
            Some(identity) => {
                self.unconfirmed = !self.vouches_for(&identity.endpoints);
                self.identity = Some(identity);
                self.expire(turn);
                if self.identity.is_some() {
                    self.fetch_details(turn);
                }
            }
        }
    }

    /// The metadata is here: it says whether the kept endpoints are the provider's.
    pub(super) fn confirm_identity(&mut self, turn: &mut Turn<'_>, endpoints: &Endpoints) {
        if !core::mem::take(&mut self.unconfirmed) {
            return;
        }
        if self.identity.as_ref().is_some_and(|identity| identity.endpoints == *endpoints) {
            self.fetch_details(turn);
        } else {
            // Somebody changed the record: nothing of it is believed.
            self.drop_tickets();
            self.identity = None;
            turn.effects.push(Effect::Forget(self.session_key()));
            turn.effects.push(Effect::Show);
        }
    }
}
