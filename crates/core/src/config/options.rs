//! The settings as somebody wrote them down.

use super::invalid;
use crate::{
    error::Error,
    json::{self, Value},
};

/// The settings as they were written down, unchecked. Absent ones have defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `provider`: a preset's name. Default `polar`.
    pub provider: Option<String>,
    /// `name`: what the button calls the provider.
    pub name: Option<String>,
    /// `issuer`: expected byte for byte in the metadata and in each ID token.
    pub issuer: Option<String>,
    /// `metadata_url`: where the metadata is. Default: the issuer with `/.well-known/openid-configuration`.
    pub metadata_url: Option<String>,
    /// `organizations_endpoint`: a list of organizations in Polar's form.
    pub organizations_endpoint: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `redirect_uri`. Default: the page's own address.
    pub redirect_uri: Option<String>,
    /// `scope`, space-separated. `openid` is added.
    pub scope: Option<String>,
    /// `allow_http_on_loopback`: a weakening, for development on one machine.
    pub allow_http_on_loopback: bool,
    /// `rp_initiated_logout`: whether signing out goes on at the provider, where that offers it.
    /// Default `true`. The provider has to know the redirect URI as a `post_logout_redirect_uri` too.
    pub rp_initiated_logout: Option<bool>,
    /// `dpop`: tokens are to be bound to a key of this browser (RFC 9449), and a provider that does not
    /// announce that is refused. Default `false`.
    pub dpop: bool,
}

impl Options {
    /// Reads `config.json`: one flat object. Members that are not known are refused, so that a
    /// slip of the pen does not go unnoticed.
    ///
    /// # Errors
    /// `InvalidConfiguration`, naming the member.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let object = json::parse_object(text).map_err(|_| invalid("config.json"))?;
        let mut options = Self::default();
        for (name, value) in object.iter() {
            let slot = match name {
                "provider" => &mut options.provider,
                "name" => &mut options.name,
                "issuer" => &mut options.issuer,
                "metadata_url" => &mut options.metadata_url,
                "organizations_endpoint" => &mut options.organizations_endpoint,
                "client_id" => &mut options.client_id,
                "redirect_uri" => &mut options.redirect_uri,
                "scope" => &mut options.scope,
                "allow_http_on_loopback" => {
                    let Value::Bool(allowed) = value else { return Err(invalid("allow_http_on_loopback")) };
                    options.allow_http_on_loopback = *allowed;
                    continue;
                }
                "rp_initiated_logout" => {
                    let Value::Bool(wanted) = value else { return Err(invalid("rp_initiated_logout")) };
                    options.rp_initiated_logout = Some(*wanted);
                    continue;
                }
                "dpop" => {
                    let Value::Bool(wanted) = value else { return Err(invalid("dpop")) };
                    options.dpop = *wanted;
                    continue;
                }
                _ => return Err(invalid("config.json: a member that is not known")),
            };
            *slot = match value {
                Value::Null => None,
                Value::String(text) if text.is_empty() => None,
                Value::String(text) => Some(text.clone().into_owned()),
                _ => return Err(invalid("config.json: a member that is no text")),
            };
        }
        Ok(options)
    }
}
