//! Which organizations a sign-in reaches (Polar).
//!
//! Neither the token response, nor the ID token, nor userinfo says it today: the list of
//! organizations, fetched with the token, shows exactly those that it reaches. Polar's older
//! tokens belong to an organization themselves.

use crate::{
    error::{Code, Error, Phase},
    form,
    http::{HttpOutcome, HttpRequest, JsonType, KeyName},
    json::{self, Object, Value},
    secret::AccessToken,
    snapshot::{Reach, SubjectKind},
    url::{EndpointUrl, Transport},
};

/// The scope that the list needs.
pub const SCOPE: &str = "organizations:read";

/// One organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// `id`.
    pub id: String,
    /// `name`; the slug or the id where only that is known.
    pub name: String,
    /// `slug`; absent if it is not known.
    pub slug: Option<String>,
    /// `avatar_url`, only if it is an address that may be shown.
    pub avatar_url: Option<String>,
}

/// The answer to [`request`] that is waited for.
#[derive(Debug)]
pub struct AwaitOrganizations {
    transport: Transport,
}

/// The first organizations of those that a token reaches, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    total: u64,
    listed: Vec<Organization>,
}

/// Asks for the first hundred.
#[must_use]
pub fn request(
    endpoint: &EndpointUrl,
    transport: Transport,
    token: &AccessToken,
    key: Option<&KeyName>,
) -> (HttpRequest, AwaitOrganizations) {
    let mut url = endpoint.as_str().to_owned();
    if endpoint.query().is_none() {
        url.push('?');
    }
    form::append(&mut url, "page", "1");
    form::append(&mut url, "limit", "100");
    (HttpRequest::get_with(&url, token).proven_by(key), AwaitOrganizations { transport })
}

impl AwaitOrganizations {
    /// Reads the answer.
    ///
    /// # Errors
    /// A network or status error, `InsufficientScope`, or `OrganizationsMalformed`.
    pub fn process(self, outcome: HttpOutcome) -> Result<Page, Error> {
        let malformed = || refuse(Code::OrganizationsMalformed);
        let response = outcome.answer(Phase::Organizations)?;
        if response.status == 403 {
            return Err(refuse(Code::InsufficientScope));
        }
        let body = response.json(JsonType::Plain, Phase::Organizations, Code::OrganizationsMalformed)?;
        let page = json::parse_object(body).map_err(|_| malformed())?;
        let items = page.get("items").and_then(Value::as_array).ok_or_else(malformed)?;
        let total = page.get("pagination").and_then(Value::as_object).and_then(|p| p.get("total_count"));
        let total = total.and_then(Value::as_number).and_then(|n| n.to_fixed(0)).and_then(|n| u64::try_from(n).ok());
        let listed = read(items, self.transport)?;
        let total = total.filter(|total| *total >= listed.len() as u64).ok_or_else(malformed)?;
        Ok(Page { total, listed })
    }
}

impl Organization {
    fn parse(item: &Object<'_>, transport: Transport) -> Option<Self> {
        let text = |name| item.str(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let id = text("id")?;
        let slug = text("slug");
        let name = text("name").or_else(|| slug.clone()).unwrap_or_else(|| id.clone());
        let avatar_url = text("avatar_url").filter(|url| EndpointUrl::parse(url, transport).is_some());
        Some(Self { id, name, slug, avatar_url })
    }
}

impl Page {
    /// What the list means for a sign-in: of whom it is, and whether one organization was asked for.
    ///
    /// # Errors
    /// One was asked for and there is none, or there are several: none is taken for the chosen one.
    pub fn reach(mut self, kind: SubjectKind, subject: &str, one_asked_for: bool) -> Result<Reach, Error> {
        if kind == SubjectKind::Organization {
            let itself = self.listed.into_iter().find(|organization| organization.id == subject);
            return itself.map(Reach::Itself).ok_or_else(|| refuse(Code::OrganizationsMalformed));
        }
        match (one_asked_for, self.total) {
            (false, total) => Ok(Reach::Organizations { total, listed: self.listed }),
            (true, 0) => Err(refuse(Code::OrganizationNone)),
            (true, 1) => self.listed.pop().map(Reach::Selected).ok_or_else(|| refuse(Code::OrganizationsMalformed)),
            (true, _) => Err(refuse(Code::OrganizationSeveral)),
        }
    }
}

/// What is known of an organization from its own token alone: its id, and its slug as `name`.
#[must_use]
pub fn from_claims(subject: &str, name: Option<&str>) -> Organization {
    Organization {
        id: subject.to_owned(),
        name: name.unwrap_or(subject).to_owned(),
        slug: name.map(str::to_owned),
        avatar_url: None,
    }
}

/// Reads the items of a list, this one or a later page of it.
///
/// # Errors
/// `OrganizationsMalformed`: one of them is no organization.
pub fn read(items: &[Value<'_>], transport: Transport) -> Result<Vec<Organization>, Error> {
    let organization = |item: &Value<'_>| Organization::parse(item.as_object()?, transport);
    let all = items.iter().map(organization).collect::<Option<_>>();
    all.ok_or_else(|| refuse(Code::OrganizationsMalformed))
}

/// Who the subject of this token is: Polar's older organization tokens say so in their prefix.
#[must_use]
pub fn subject_kind(token: &AccessToken) -> SubjectKind {
    if token.expose().starts_with("polar_at_o_") { SubjectKind::Organization } else { SubjectKind::User }
}

pub(crate) fn refuse(code: Code) -> Error {
    Error::new(code, Phase::Organizations)
}
