//! What crosses to JavaScript, as JSON. The types that it is made of hold no secret.

use polar_signin::text::en;
use polar_signin_core::{
    config::Config,
    error::{Detail, Error, Retry},
    identities::{Overview, Slot},
    json::{ObjectWriter, write_string},
    organization::Organization,
    snapshot::{Account, Loadable, Reach, RenewalStatus, SignedOut, Snapshot, Step, SubjectKind},
};

/// What does not change: who is asked.
pub(crate) struct Provider {
    name: String,
    /// Where a token may go before anybody says otherwise.
    origins: Vec<String>,
}

impl Provider {
    pub(crate) fn of(config: &Config) -> Self {
        let provider = config.provider();
        let mut origins = vec![provider.metadata_url().origin()];
        origins.extend(provider.organizations_endpoint().map(|url| url.origin()));
        Self { name: provider.name().to_owned(), origins }
    }
}

/// Whoever is here, the details of the active one, and what there is to say.
pub(crate) fn overview(overview: &Overview, provider: &Provider) -> String {
    let Snapshot { working, account, error: failed, signed_out, memory_only, inert, in_popup, .. } = &overview.snapshot;
    let mut out = ObjectWriter::default();
    out.string("provider", &provider.name);
    out.optional("working", working.map(step));
    out.raw("active", &overview.active.number().to_string());
    out.raw("identities", &list(overview.identities.iter().map(|(slot, account)| identity(*slot, account))));
    if let Some(account) = account {
        out.raw("origins", &origins(account, provider));
        out.raw("reach", &reach(&account.organizations));
    }
    if let Some(failed) = failed {
        out.raw("error", &error(failed));
    }
    out.optional("signedOut", signed_out.as_ref().map(reached));
    out.raw("memoryOnly", boolean(*memory_only)).raw("inert", boolean(*inert));
    out.raw("inPopup", boolean(*in_popup));
    out.finish()
}

/// An error: for programs its code, for people a title and a message, for developers a hint.
pub(crate) fn error(error: &Error) -> String {
    let code = error.code();
    let words = en::error(code);
    let mut out = ObjectWriter::default();
    out.string("code", code.name()).string("phase", error.phase().name());
    out.raw("retryable", boolean(code.retry() != Retry::Never)).string("retry", code.retry().name());
    out.string("title", words.title).string("message", &[words.what, " ", words.todo].concat());
    out.string("hint", code.hint());
    match error.detail() {
        Detail::Status(status) => drop(out.raw("status", &status.to_string())),
        Detail::Name(name) => drop(out.string("about", name)),
        Detail::Provider(said) => {
            out.string("providerError", said.error()).optional("providerDescription", said.description());
        }
        Detail::None | Detail::Skew(_) => {}
    }
    out.finish()
}

fn identity(slot: Slot, account: &Account) -> String {
    let mut out = ObjectWriter::default();
    out.raw("id", &slot.number().to_string()).raw("session", &session(account));
    out.finish()
}

fn session(account: &Account) -> String {
    let profiles = || {
        let further = match &account.userinfo {
            Loadable::Ready(userinfo) => Some(&userinfo.profile),
            _ => None,
        };
        [Some(&account.profile), further].into_iter().flatten()
    };
    let email = profiles().find(|profile| profile.email.is_some());
    let mut out = ObjectWriter::default();
    out.string("subject", &account.subject);
    out.string("kind", if account.kind == SubjectKind::User { "user" } else { "organization" });
    out.string("displayName", account.display_name());
    out.optional("name", profiles().find_map(|profile| profile.name.as_deref()));
    out.optional("email", email.and_then(|profile| profile.email.as_deref()));
    out.raw("emailVerified", boolean(email.is_some_and(|profile| profile.email_verified)));
    out.optional("picture", profiles().find_map(|profile| profile.picture.as_deref()));
    if let Some(chosen) = &account.chosen {
        out.raw("organization", &organization(chosen));
    }
    out.string("scope", &account.scope_granted.join(" "));
    out.raw("signedInAt", &account.signed_in_at.as_millis().to_string());
    if let Some(end) = account.expires_at {
        out.raw("expiresAt", &end.as_millis().to_string());
    }
    let ends = matches!(account.renewal, RenewalStatus::NotOffered | RenewalStatus::Stopped(_));
    out.raw("renewable", boolean(!ends));
    let mut claims = ObjectWriter::default();
    for (name, value) in &account.claims {
        claims.string(name, value);
    }
    out.raw("claims", &claims.finish());
    out.finish()
}

fn origins(account: &Account, provider: &Provider) -> String {
    let userinfo = account.endpoints.userinfo.as_ref().map(|url| url.origin());
    list(provider.origins.iter().chain(&userinfo).map(|origin| {
        let mut out = String::new();
        write_string(&mut out, origin);
        out
    }))
}

fn reach(organizations: &Loadable<Reach>) -> String {
    let (kind, total, listed): (_, u64, &[Organization]) = match organizations {
        Loadable::Absent => ("unknown", 0, &[]),
        Loadable::Waiting => ("waiting", 0, &[]),
        Loadable::Failed(failed) => return ["{\"error\":", &error(failed), "}"].concat(),
        Loadable::Ready(Reach::Unknown(_)) => ("unknown", 0, &[]),
        Loadable::Ready(Reach::Itself(one)) => ("itself", 1, std::slice::from_ref(one)),
        Loadable::Ready(Reach::Selected(one)) => ("selected", 1, std::slice::from_ref(one)),
        Loadable::Ready(Reach::Organizations { total, listed }) => ("organizations", *total, listed),
    };
    let mut out = ObjectWriter::default();
    out.string("kind", kind).raw("total", &total.to_string());
    out.raw("organizations", &list(listed.iter().map(organization)));
    out.finish()
}

fn organization(organization: &Organization) -> String {
    let mut out = ObjectWriter::default();
    out.string("id", &organization.id).string("name", &organization.name);
    out.optional("slug", organization.slug.as_deref()).optional("avatarUrl", organization.avatar_url.as_deref());
    out.finish()
}

fn list(items: impl Iterator<Item = String>) -> String {
    ["[", &items.collect::<Vec<_>>().join(","), "]"].concat()
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Leaving => "leaving",
        Step::InPopup => "in-popup",
        Step::Completing => "completing",
        Step::SigningOut => "signing-out",
    }
}

fn reached(reached: &SignedOut) -> &'static str {
    match reached {
        SignedOut::Here => "here",
        SignedOut::Elsewhere => "elsewhere",
        SignedOut::Revoked => "revoked",
        SignedOut::NotRevoked(_) => "not-revoked",
        SignedOut::Everywhere => "everywhere",
    }
}

fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
