//! The relying-party modules of the OpenID conformance suite, mirrored: a provider in the shape of
//! the one that the suite plays, and the suite's way to decide.
//!
//! A module that expects an ID token to be accepted passes when userinfo is asked for with the
//! access token that came with it. One that expects it to be refused passes when, for a while
//! after it, nothing is asked for at all. Here the page has to say the same: who is signed in, or
//! why nobody is, with nothing kept.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    Context, Failure, Result, Stage, Tab,
    flows::{codes_were_sent, nothing_is_kept, only_a_session_is_kept},
    pages::{ErrorPage, SignedInPage, StartPage},
    provider::{METADATA, Seen, TOKEN, USERINFO},
    stage::CLIENT_ID,
};

/// The path of the authorization endpoint.
pub const AUTHORIZE: &str = "/oauth2/authorize";
/// The path of the sign-out endpoint.
pub const END_SESSION: &str = "/oauth2/end-session";

/// How long nothing may happen after the page has said no. The suite waits five seconds from its
/// bad answer on, since it sees no page.
const AFTERWARDS: Duration = Duration::from_millis(1500);
/// Where the keys are: on no path that could be guessed.
pub const KEYS: &str = "/jwks/7c1f0d";

/// A module under way.
#[derive(Debug)]
pub struct Module {
    stage: Stage,
    tab: Tab,
}

/// Public keys of kinds that have nothing to do with RS256, and of RSA for encryption: three sets.
fn other_keys() -> Result<Vec<Vec<Value>>> {
    Ok(serde_json::from_str(include_str!("conformance/keys.json"))?)
}

impl Module {
    /// The app, made for a provider in the suite's shape.
    ///
    /// # Errors
    /// If the provider or the browser does not follow.
    pub async fn begin(stage: &Stage) -> Result<Self> {
        Self::begin_with(stage, |_| ()).await
    }

    /// The same, with settings of the provider that are different for this module.
    ///
    /// # Errors
    /// As for [`Module::begin`].
    pub async fn begin_with(stage: &Stage, change: impl FnOnce(&mut Value)) -> Result<Self> {
        let provider = stage.provider();
        // It ends in a slash, and is all that the app knows of the provider.
        let issuer = format!("{}/", provider.origin());
        let mut settings = json!({
            "issuer": issuer,
            "auto_sign_in": "olive",
            "auto_consent": true,
            "id_token_kid": true,
            "jwks_path": KEYS,
            "shape": {
                "discovery": {
                    "code_challenge_methods_supported": null,
                    "revocation_endpoint": null,
                    "introspection_endpoint": null,
                    "scopes_supported": ["openid", "phone", "profile", "email", "address", "offline_access"],
                    "response_types_supported":
                        ["code", "id_token code", "token code id_token", "id_token", "token id_token", "token code", "token"],
                    "response_modes_supported": ["query", "fragment", "form_post"],
                    "grant_types_supported": ["authorization_code", "implicit"],
                    "token_endpoint_auth_methods_supported":
                        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"],
                    "id_token_signing_alg_values_supported":
                        ["none", "RS256", "RS384", "RS512", "PS256", "ES256", "ES256K", "EdDSA", "HS256"],
                    "claims_parameter_supported": true,
                    "acr_values_supported": ["PASSWORD"],
                    "subject_types_supported": ["public", "pairwise"],
                    "claim_types_supported": ["normal", "aggregated", "distributed"],
                },
                "token": { "expires_in": null, "refresh_token": null, "scope": null },
                "id_token": { "aud": CLIENT_ID, "auth_time": null, "email": null, "email_verified": null },
                "userinfo": {
                    "name": "Demo T. User", "given_name": "Demo", "family_name": "User", "locale": "se",
                    "phone_number": "+46 90 7865000", "address": { "locality": "Umeå", "country": "Sweden" },
                },
            },
        });
        change(&mut settings);
        provider.settings(settings).await?;
        let keys = other_keys()?.into_iter().next().context("no keys")?;
        provider.extra_keys(keys).await?;
        stage.gateway().configure(&json!({
            "provider": "oidc", "issuer": issuer, "client_id": CLIENT_ID, "allow_http_on_loopback": true,
        }));
        let tab = stage.tab().await?;
        StartPage::open(stage, &tab).await?;
        Ok(Self { stage: stage.clone(), tab })
    }

    /// Three keys of every kind, and none has a name: each has to be tried.
    ///
    /// # Errors
    /// If the provider does not follow.
    pub async fn nameless_keys(&self) -> Result {
        let provider = self.stage.provider();
        for _ in 0..2 {
            provider.rotate_keys(true).await?;
        }
        provider.extra_keys(other_keys()?.concat()).await?;
        provider.settings(json!({ "jwks_kids": false, "id_token_kid": false })).await
    }

    /// Adds keys to the set.
    ///
    /// # Errors
    /// If the provider does not follow.
    pub async fn further_keys(&self, keys: Vec<Value>) -> Result {
        self.stage.provider().extra_keys([other_keys()?.concat(), keys].concat()).await
    }

    /// Spoils the next ID token so.
    ///
    /// # Errors
    /// If the provider does not follow.
    pub async fn id_token(&self, how: Value) -> Result {
        let mut fault = how;
        fault["endpoint"] = json!("id_token");
        fault["times"] = json!(1);
        self.stage.provider().fault(fault).await
    }

    /// The tab.
    #[must_use]
    pub fn tab(&self) -> &Tab {
        &self.tab
    }

    /// Presses the button, wherever that leads.
    ///
    /// # Errors
    /// If there is none.
    pub async fn sign_in(&self) -> Result {
        self.tab.click("#sign-in").await
    }

    /// A sign-in that is accepted.
    ///
    /// # Errors
    /// If it is not, or the provider saw what it must not see.
    pub async fn accepted(&self) -> Result<SignedInPage> {
        self.accepted_as(1).await
    }

    /// The sign-in of this number, accepted as those before it.
    ///
    /// # Errors
    /// As for [`Module::accepted`].
    pub async fn accepted_as(&self, number: usize) -> Result<SignedInPage> {
        self.sign_in().await?;
        let page = SignedInPage::wait(&self.tab).await?;
        assert_eq!(page.userinfo("sub").await?, page.subject().await?);
        only_a_session_is_kept(&self.tab).await?;
        let log = self.log().await?;
        check_requests(&log, &self.stage)?;
        let answered = |path: &str| log.iter().filter(|seen| is(seen, "GET", path) && seen.status == Some(200)).count();
        // Only a token that the provider has given gets this answer.
        assert_eq!(answered(USERINFO), number, "userinfo");
        assert!(answered(METADATA) >= number && answered(KEYS) >= number, "metadata and keys");
        let first = |path: &str| log.iter().position(|seen| seen.path == path).context(format!("no {path}"));
        let order = [METADATA, AUTHORIZE, TOKEN, USERINFO].map(first).into_iter().collect::<Result<Vec<_>>>()?;
        assert!(order.is_sorted(), "{order:?}");
        assert!(first(KEYS)? < first(USERINFO)?, "userinfo came before the signature could be checked");
        codes_were_sent(&self.stage, number).await?;
        Ok(page)
    }

    /// A sign-in that is refused with this code, before userinfo is asked for.
    ///
    /// # Errors
    /// If it is not, or something of it is kept.
    pub async fn refused(&self, code: &str) -> Result {
        self.refused_after(code, 0).await
    }

    /// The same, after so many answers of userinfo.
    ///
    /// # Errors
    /// As for [`Module::refused`].
    pub async fn refused_after(&self, code: &str, userinfos: usize) -> Result {
        self.sign_in().await?;
        self.ended(code, userinfos).await?;
        codes_were_sent(&self.stage, 1).await
    }

    /// The page says that nobody is signed in any more, and why; nothing is asked for after that.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ended(&self, code: &str, userinfos: usize) -> Result {
        let page = ErrorPage::wait(&self.tab).await?;
        let before = self.log().await?.len();
        assert_eq!(page.code().await?, code);
        assert!(page.offers_a_way_on().await?);
        sleep(AFTERWARDS).await;
        let log = self.log().await?;
        check_requests(&log, &self.stage)?;
        // A preflight would be one too many as well.
        let asked = log.iter().filter(|seen| seen.path == USERINFO && seen.method != "OPTIONS").count();
        let preflights = log.iter().filter(|seen| seen.path == USERINFO && seen.method == "OPTIONS").count();
        assert_eq!((asked, preflights.saturating_sub(userinfos)), (userinfos, 0), "userinfo");
        let paths = |log: &[Seen]| log.iter().map(|seen| seen.path.clone()).collect::<Vec<_>>();
        assert_eq!(log.len(), before, "asked for afterwards: {:?}", paths(&log[before..]));
        assert_eq!(self.tab.url().await?, self.stage.site());
        nothing_is_kept(&self.tab).await?;
        self.tab.reload().await?;
        StartPage::wait(&self.tab).await?;
        nothing_is_kept(&self.tab).await?;
        let again = self.log().await?.into_iter().skip(before).filter(|seen| seen.path != METADATA);
        assert_eq!(paths(&again.collect::<Vec<_>>()), Vec::<String>::new(), "after a reload");
        Ok(())
    }

    /// What the provider was asked for.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn log(&self) -> Result<Vec<Seen>> {
        self.stage.provider().requests().await
    }
}

fn is(seen: &Seen, method: &str, path: &str) -> bool {
    seen.method == method && seen.path == path
}

/// What the suite looks at in every request, whatever the module is about.
fn check_requests(log: &[Seen], stage: &Stage) -> Result {
    for seen in log {
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", METADATA | KEYS) => {
                assert!(seen.query.is_empty() && !seen.headers.contains_key("authorization"), "{seen:?}");
            }
            ("GET", AUTHORIZE) => check_authorization(seen, stage)?,
            ("POST", AUTHORIZE) | ("GET" | "POST", END_SESSION) | ("OPTIONS", USERINFO) => {}
            // What the provider's own pages load.
            ("GET", "/style.css" | "/filter.js" | "/favicon.ico") => {}
            ("POST", TOKEN) => {
                let form = seen.form();
                assert_eq!(form.get("client_id").map(String::as_str), Some(CLIENT_ID));
                assert!(!form.contains_key("client_secret") && !form.contains_key("client_assertion"), "a secret");
                assert!(!seen.headers.contains_key("authorization"), "a secret");
                if form["grant_type"] == "authorization_code" {
                    assert_eq!(form["redirect_uri"], stage.site());
                }
            }
            ("GET", USERINFO) => {
                let header = seen.headers.get("authorization").context("no token")?;
                assert!(header.starts_with("Bearer "));
                assert!(seen.query.is_empty() && seen.body.is_empty(), "the token belongs into the header alone");
            }
            _ => return Err(Failure::new(format!("{} {} was not expected", seen.method, seen.path))),
        }
    }
    Ok(())
}

fn check_authorization(seen: &Seen, stage: &Stage) -> Result {
    let query = &seen.query;
    assert_eq!(query.get("response_type").map(String::as_str), Some("code"));
    assert_eq!(query.get("client_id").map(String::as_str), Some(CLIENT_ID));
    assert_eq!(query.get("redirect_uri"), Some(&stage.site()));
    assert_eq!(query.get("code_challenge_method").map(String::as_str), Some("S256"));
    assert!(query.get("scope").context("no scope")?.split(' ').any(|scope| scope == "openid"));
    for name in ["state", "nonce", "code_challenge"] {
        let value = query.get(name).context(format!("no {name}"))?;
        let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        assert!(value.len() == 43 && plain, "{name} is {value}");
    }
    assert!(["request", "request_uri", "response_mode"].iter().all(|name| !query.contains_key(*name)));
    Ok(())
}
