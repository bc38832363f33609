//! What fills in after the sign-in: userinfo, and which organizations it reaches.

use crate::{
    error::{Code, Error},
    http::HttpOutcome,
    organization::{self, Page, from_claims, refuse},
    snapshot::{Loadable, Reach, SubjectKind, UnknownReach},
    userinfo::{self, AwaitUserinfo},
};

use super::{Effect, Identity, Session, Turn, Waiting};

impl Session {
    /// Asks for both, unless they are there or on their way.
    pub(super) fn fetch_details(&mut self, turn: &mut Turn<'_>) {
        if self.unconfirmed {
            return self.want_metadata(turn);
        }
        let Some(identity) = &mut self.identity else { return };
        if identity.has_ended(turn.now) {
            return self.look_at_the_clock(turn);
        }
        turn.effects.push(Effect::Show);
        let mut requests = Vec::new();
        if !matches!(identity.userinfo, Loadable::Ready(_)) {
            identity.userinfo = Loadable::Absent;
            if let Some(endpoint) = &identity.endpoints.userinfo {
                identity.userinfo = Loadable::Waiting;
                let (request, waiting) = userinfo::request(endpoint, &identity.access_token, identity.key.as_ref());
                requests.push((request, Waiting::Userinfo(waiting)));
            }
        }
        if !matches!(identity.organizations, Loadable::Ready(_)) {
            let provider = self.config.provider();
            // A scope that was granted without being asked for widens nothing.
            let has = |scopes: &[String]| scopes.iter().any(|scope| scope == organization::SCOPE);
            let may_list = has(&identity.scope_granted) && has(&identity.scope_requested);
            identity.organizations = match (provider.organizations_endpoint(), may_list) {
                (Some(endpoint), true) => {
                    let (request, waiting) = organization::request(
                        endpoint,
                        provider.transport(),
                        &identity.access_token,
                        identity.key.as_ref(),
                    );
                    requests.push((request, Waiting::Organizations(waiting)));
                    Loadable::Waiting
                }
                (endpoint, _) => Loadable::Ready(identity.reach_without_list(endpoint.is_some())),
            };
        }
        self.waiting.retain(|(_, waiting)| !matches!(waiting, Waiting::Userinfo(_) | Waiting::Organizations(_)));
        for (request, waiting) in requests {
            let ticket = self.ticket(waiting);
            turn.effects.push(Effect::Send(ticket, request));
        }
    }

    /// Neither can be asked for.
    pub(super) fn details_failed(&mut self, turn: &mut Turn<'_>, error: &Error) {
        if let Some(identity) = &mut self.identity {
            identity.userinfo = Loadable::Failed(error.clone());
            identity.organizations = Loadable::Failed(error.clone());
            turn.effects.push(Effect::Show);
        }
        self.grant_if_idle(turn);
    }

    pub(super) fn userinfo_arrived(&mut self, turn: &mut Turn<'_>, waiting: AwaitUserinfo, outcome: HttpOutcome) {
        let Some(identity) = &mut self.identity else { return };
        match waiting.process(outcome, &identity.subject) {
            Ok(userinfo) => identity.userinfo = Loadable::Ready(userinfo),
            // The access token speaks for somebody else than the ID token: nothing of it is believed.
            Err(error) if error.code() == Code::UserinfoSubject => return self.end_session(turn, error),
            Err(error) if error.code() == Code::UserinfoUnauthorized => return self.access_token_refused(turn, error),
            Err(error) => identity.userinfo = Loadable::Failed(error),
        }
        turn.effects.push(Effect::Show);
    }

    /// Looks once more whether a token that was narrowed to one organization still reaches it. What is
    /// known stays on the screen meanwhile.
    pub(super) fn check_organization(&mut self, turn: &mut Turn<'_>) {
        let Some(identity) = self.identity.as_ref().filter(|identity| !identity.has_ended(turn.now)) else { return };
        let known = identity.chosen.is_some() && matches!(identity.organizations, Loadable::Ready(_));
        let waits = self.waiting.iter().any(|(_, waiting)| matches!(waiting, Waiting::Organizations(_)));
        let provider = self.config.provider();
        if let Some(endpoint) = provider.organizations_endpoint().filter(|_| known && !waits && !self.unconfirmed) {
            let (token, key) = (&identity.access_token, identity.key.as_ref());
            let (request, waiting) = organization::request(endpoint, provider.transport(), token, key);
            let ticket = self.ticket(Waiting::Organizations(waiting));
            turn.effects.push(Effect::Send(ticket, request));
        }
    }

    pub(super) fn organizations_arrived(&mut self, turn: &mut Turn<'_>, page: Result<Page, Error>) {
        let Some(identity) = &mut self.identity else { return };
        let reach = page.and_then(|page| page.reach(identity.kind, &identity.subject, identity.organization));
        let known = matches!(identity.organizations, Loadable::Ready(_));
        let mut is_new = false;
        identity.organizations = match reach {
            Ok(Reach::Selected(one)) => match &identity.chosen {
                Some(chosen) if chosen.id != one.id => Loadable::Failed(refuse(Code::OrganizationChanged)),
                chosen => {
                    is_new = chosen.as_ref() != Some(&one);
                    identity.chosen = Some(one.clone());
                    Loadable::Ready(Reach::Selected(one))
                }
            },
            Ok(reach) => Loadable::Ready(reach),
            Err(_) if identity.kind == SubjectKind::Organization => Loadable::Ready(identity.reach_without_list(true)),
            Err(error) if error.code() == Code::OrganizationNone && identity.chosen.is_some() => {
                Loadable::Failed(refuse(Code::OrganizationLost))
            }
            // Only what the provider says of organizations says something of them.
            Err(error) if known && error.code() != Code::OrganizationSeveral => return,
            Err(error) => Loadable::Failed(error),
        };
        if is_new {
            self.keep_session(turn, Waiting::SessionKept);
        }
        turn.effects.push(Effect::Show);
    }
}

impl Identity {
    /// What is known without the list: an organization's own token names it.
    fn reach_without_list(&self, offered: bool) -> Reach {
        match (self.kind, offered) {
            (SubjectKind::Organization, _) => Reach::Itself(from_claims(&self.subject, self.claims().str("name"))),
            (SubjectKind::User, true) => Reach::Unknown(UnknownReach::ScopeNotGranted),
            (SubjectKind::User, false) => Reach::Unknown(UnknownReach::NotOffered),
        }
    }
}
