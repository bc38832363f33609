//! Who is signed in: made from a verified ID token alone, kept as one record.

use crate::{
    discovery::Endpoints,
    http::KeyName,
    id_token::VerifiedIdToken,
    json::{self, Object, ObjectWriter, Value},
    organization::{Organization, subject_kind},
    secret::{AccessToken, FamilyKey, IdTokenText, Nonce, RecordText, RefreshToken},
    snapshot::{Account, Loadable, Reach, RenewalStatus, SubjectKind},
    time::UnixTime,
    token::TokenResponse,
    transaction::Transaction,
    url::{EndpointUrl, Transport},
    userinfo::{Profile, Userinfo, shown},
};

use super::{Effect, Records, Session, Turn, Waiting, tabs};

/// From how many seconds on a wrong clock is worth a word.
const NOTABLE_SKEW: i64 = 60;

/// A signed-in subject with its tokens.
pub(super) struct Identity {
    pub(super) access_token: AccessToken,
    pub(super) refresh_token: Option<RefreshToken>,
    /// Another tab of the family keeps the refresh token.
    pub(super) elsewhere: bool,
    /// Shared with the tabs that the browser copied this session to.
    pub(super) family: Option<FamilyKey>,
    /// How often the session was renewed.
    pub(super) generation: u64,
    pub(super) id_token: IdTokenText,
    /// The key that its tokens are bound to.
    pub(super) key: Option<KeyName>,
    /// The verified claims, as the signed JSON text.
    claims: String,
    /// The sign-in's, which the ID token of any renewal may repeat.
    pub(super) nonce: Nonce,
    pub(super) subject: String,
    pub(super) kind: SubjectKind,
    pub(super) scope_requested: Vec<String>,
    pub(super) scope_granted: Vec<String>,
    signed_in_at: UnixTime,
    /// When the access token came.
    pub(super) renewed_at: UnixTime,
    /// By how many seconds this device's clock was behind the provider's at the sign-in.
    clock_skew: i64,
    pub(super) expires_at: Option<UnixTime>,
    /// It has been seen that the access token had ended: a clock that is set back does not revive it.
    pub(super) ended: bool,
    /// One organization was asked for.
    pub(super) organization: bool,
    /// And this is the one that the token reached first.
    pub(super) chosen: Option<Organization>,
    pub(super) endpoints: Endpoints,
    pub(super) userinfo: Loadable<Userinfo>,
    pub(super) organizations: Loadable<Reach>,
}

impl Identity {
    pub(super) fn new(
        verified: &VerifiedIdToken,
        tokens: TokenResponse,
        transaction: Transaction,
        turn: &mut Turn<'_>,
    ) -> Self {
        let now = turn.now;
        let expires_at = tokens.expires_at(now);
        Self {
            kind: subject_kind(&tokens.access_token),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            elsewhere: false,
            family: tabs::new_family(turn.entropy),
            generation: 0,
            id_token: IdTokenText::new(verified.text().expose()),
            key: transaction.key_name,
            claims: verified.claims().to_owned(),
            nonce: transaction.nonce,
            subject: verified.subject().to_owned(),
            scope_granted: tokens.scope.unwrap_or_else(|| transaction.scope.clone()),
            scope_requested: transaction.scope,
            signed_in_at: now,
            renewed_at: now,
            clock_skew: verified.issued_at().millis_since(now) / 1000,
            expires_at,
            ended: false,
            organization: transaction.organization,
            chosen: None,
            endpoints: transaction.endpoints,
            userinfo: Loadable::Waiting,
            organizations: Loadable::Waiting,
        }
    }

    /// What a renewal brought (RFC 6749 6): what it leaves out stays as it was, and a scope that was
    /// not granted before widens nothing.
    pub(super) fn renew(&mut self, tokens: TokenResponse, now: UnixTime) {
        self.expires_at = tokens.expires_at(now);
        self.ended = false;
        let kind = subject_kind(&tokens.access_token);
        if kind != self.kind {
            // A token of another kind may speak for another subject: userinfo has to say.
            self.kind = kind;
            self.userinfo = Loadable::Waiting;
            self.organizations = Loadable::Waiting;
        }
        self.access_token = tokens.access_token;
        if let Some(refresh_token) = tokens.refresh_token {
            self.refresh_token = Some(refresh_token);
        }
        if let Some(scope) = tokens.scope {
            self.scope_granted.retain(|granted| scope.contains(granted));
        }
        self.renewed_at = now;
        self.generation += 1;
    }

    /// A renewed ID token that was proven to continue this session.
    pub(super) fn replace_id_token(&mut self, verified: &VerifiedIdToken) {
        self.id_token = IdTokenText::new(verified.text().expose());
        self.claims = verified.claims().to_owned();
    }

    /// What another page of this tab has kept meanwhile; what was fetched here stays.
    pub(super) fn adopt(&mut self, kept: Self) {
        let (userinfo, organizations) = (self.userinfo.clone(), self.organizations.clone());
        *self = Self { userinfo, organizations, ..kept };
    }

    /// What may be shown of it.
    pub(super) fn account(&self, renewal: RenewalStatus) -> Account {
        let claims = self.claims();
        Account {
            subject: self.subject.clone(),
            kind: self.kind,
            profile: Profile::of(&claims),
            claims: shown(&claims),
            scope_requested: self.scope_requested.clone(),
            scope_granted: self.scope_granted.clone(),
            signed_in_at: self.signed_in_at,
            expires_at: self.expires_at,
            clock_skew: Some(self.clock_skew).filter(|skew| skew.abs() >= NOTABLE_SKEW),
            renewal,
            chosen: self.chosen.clone(),
            endpoints: self.endpoints.clone(),
            userinfo: self.userinfo.clone(),
            organizations: self.organizations.clone(),
        }
    }

    /// The verified claims.
    pub(super) fn claims(&self) -> Object<'_> {
        // They were read before they came here.
        json::parse_object(self.claims.as_bytes()).unwrap_or_default()
    }

    pub(super) fn encode(&self) -> RecordText {
        let mut record = ObjectWriter::default();
        record
            .string("access_token", self.access_token.expose())
            .optional("refresh_token", self.refresh_token.as_ref().map(RefreshToken::expose))
            .string("id_token", self.id_token.expose())
            .optional("key", self.key.as_ref().map(KeyName::as_str))
            .string("claims", &self.claims)
            .string("nonce", self.nonce.expose())
            .string("scope_requested", &self.scope_requested.join(" "))
            .string("scope", &self.scope_granted.join(" "))
            .raw("signed_in_at", &self.signed_in_at.as_millis().to_string())
            .raw("renewed_at", &self.renewed_at.as_millis().to_string())
            .raw("clock_skew", &self.clock_skew.to_string())
            .raw("organization", if self.organization { "true" } else { "false" })
            .raw("generation", &self.generation.to_string())
            .raw("elsewhere", if self.elsewhere { "true" } else { "false" })
            .optional("family", self.family.as_ref().map(FamilyKey::expose));
        if let Some(chosen) = &self.chosen {
            record
                .string("chosen", &chosen.id)
                .string("chosen_name", &chosen.name)
                .optional("chosen_slug", chosen.slug.as_deref())
                .optional("chosen_avatar", chosen.avatar_url.as_deref());
        }
        self.endpoints.write(&mut record);
        if let Some(expires_at) = self.expires_at {
            record.raw("expires_at", &expires_at.as_millis().to_string());
        }
        RecordText::new(record.finish())
    }

    /// Reads a record; `None` unless it is whole: what stands in a storage may have been edited.
    pub(super) fn decode(text: &str, transport: Transport) -> Option<Self> {
        let record = json::parse_object(text.as_bytes()).ok()?;
        let text = |name| record.str(name).filter(|text| !text.is_empty());
        let time = |name| record.get(name).map(|value| value.as_number()?.to_fixed(0).map(UnixTime::from_millis));
        let scopes = |name| Some(record.str(name)?.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect());
        let claims = text("claims")?;
        let access_token = AccessToken::new(text("access_token")?);
        Some(Self {
            kind: subject_kind(&access_token),
            access_token,
            refresh_token: text("refresh_token").map(RefreshToken::new),
            elsewhere: record.get("elsewhere")? == &Value::Bool(true),
            family: text("family").filter(|key| key.len() == 43).map(FamilyKey::new),
            generation: u64::try_from(record.get("generation")?.as_number()?.to_fixed(0)?).ok()?,
            id_token: IdTokenText::new(text("id_token")?),
            key: text("key").map(KeyName::new),
            subject: json::parse_object(claims.as_bytes()).ok()?.str("sub").filter(|sub| !sub.is_empty())?.to_owned(),
            claims: claims.to_owned(),
            nonce: Nonce::new(text("nonce")?),
            scope_requested: scopes("scope_requested")?,
            scope_granted: scopes("scope")?,
            signed_in_at: time("signed_in_at")??,
            renewed_at: time("renewed_at")??,
            clock_skew: record.get("clock_skew")?.as_number()?.to_fixed(0)?,
            expires_at: match time("expires_at") {
                None => None,
                Some(time) => Some(time?),
            },
            ended: false,
            organization: record.get("organization")? == &Value::Bool(true),
            chosen: text("chosen").map(|id| {
                let own = |name| text(name).map(str::to_owned);
                Organization {
                    id: id.to_owned(),
                    name: own("chosen_name").unwrap_or_else(|| id.to_owned()),
                    slug: own("chosen_slug"),
                    avatar_url: own("chosen_avatar").filter(|url| EndpointUrl::parse(url, transport).is_some()),
                }
            }),
            endpoints: Endpoints::read(&record, transport)?,
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
        self.unconfirmed = false;
        self.entered = true;
        self.identity = Some(identity);
        self.keep_session(turn, Waiting::SessionKept);
        self.join_new(turn);
        self.fetch_details(turn);
    }

    /// Keeps the session as it is now, in one write.
    pub(super) fn keep_session(&mut self, turn: &mut Turn<'_>, waiting: Waiting) {
        let Some(record) = self.identity.as_ref().map(Identity::encode) else { return };
        let ticket = self.ticket(waiting);
        turn.effects.push(Effect::Keep(ticket, self.session_key(), record));
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
        // Whoever wants tokens bound to a key keeps none that are not.
        let bound = |identity: &Identity| identity.key.is_some() || !self.config.dpop();
        match Identity::decode(text, self.config.provider().transport()).filter(bound) {
            None => turn.effects.push(Effect::Forget(self.session_key())),
            Some(identity) => {
                self.unconfirmed = !self.vouches_for(&identity.endpoints);
                self.identity = Some(identity);
                self.join_kept(turn);
                self.go_on_with_session(turn);
            }
        }
    }

    /// A session that is here again: what is due is done, what is missing is fetched.
    pub(super) fn go_on_with_session(&mut self, turn: &mut Turn<'_>) {
        self.look_at_the_clock(turn);
        let usable = |identity: &Identity| !identity.has_ended(turn.now) && Self::details_are_missing(identity);
        if self.identity.as_ref().is_some_and(usable) {
            self.fetch_details(turn);
        }
    }

    /// The metadata is here: it says whether the kept endpoints are the provider's.
    pub(super) fn confirm_identity(&mut self, turn: &mut Turn<'_>, endpoints: &Endpoints) {
        if !core::mem::take(&mut self.unconfirmed) {
            return;
        }
        if self.identity.as_ref().is_some_and(|identity| identity.endpoints == *endpoints) {
            self.go_on_with_session(turn);
            self.grant_if_idle(turn);
        } else {
            // Somebody changed the record: nothing of it is believed.
            self.forget_session(turn);
            turn.effects.push(Effect::Show);
        }
    }
}
