//! Providers that others wrote, each a process of its own beside the local one, which the test then has no use
//! for: npm's `oidc-provider` and PyPI's `authlib`, from `providers/`.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue},
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Context, Failure, Result, Stage, Tab,
    gateway::Rule,
    http::Http,
    hygiene::{self, Secrets},
    pages::{ProviderPage, StartPage},
    processes::Process,
    provider::Seen,
    settings::Settings,
    stage::{BASE, CLIENT_ID},
};

/// Which one, and how it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `oidc-provider`, with ID tokens signed by RS256, and as it comes: its metadata has a revocation endpoint, but
    /// does not say that a public client may use it. It may.
    OidcProviderRs256,
    /// `oidc-provider`, with ID tokens signed by ES256, an issuer with a path, and revocation for public clients.
    OidcProviderEs256,
    /// `authlib`, with an issuer that ends with a slash.
    Authlib,
}

impl Kind {
    /// Whether a refresh token that is used twice takes its successors with it.
    #[must_use]
    pub fn ends_families(self) -> bool {
        self != Self::Authlib
    }

    /// Whether a renewal brings an ID token.
    #[must_use]
    pub fn renews_id_tokens(self) -> bool {
        self != Self::Authlib
    }

    fn program(self, providers: &Path) -> (OsString, PathBuf) {
        match self {
            Self::OidcProviderRs256 | Self::OidcProviderEs256 => {
                ("node".into(), providers.join("oidc-provider/server.mjs"))
            }
            Self::Authlib => {
                (providers.join("authlib/venv/bin/python").into_os_string(), providers.join("authlib/server.py"))
            }
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::OidcProviderRs256 | Self::Authlib => &[],
            Self::OidcProviderEs256 => &["--algorithm", "ES256", "--path", "/op", "--announce-revocation"],
        }
    }
}

/// A provider of others, and the site set up for it.
#[derive(Debug)]
pub struct Foreign {
    _process: Process,
    http: Http,
    /// Which one it is.
    pub kind: Kind,
    /// Its issuer.
    pub issuer: String,
    metadata: Value,
}

impl Foreign {
    /// Starts it with one public client, and sets the site up for it: `config.json` and, in the policy, its origin
    /// in place of the local provider's. `flags` are for the program, `config` goes into `config.json`.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(stage: &Stage, kind: Kind, flags: &[&str], config: Value) -> Result<Self> {
        let providers = Settings::from_env()?.providers.context(
            "E2E_PROVIDERS is not set: run `cargo xtask test e2e`, which installs the providers of others and sets it",
        )?;
        let (program, script) = kind.program(&providers);
        let redirect_uri = stage.site();
        let mut args = vec![script.into_os_string()];
        args.extend(["--client", CLIENT_ID, "--redirect-uri", &redirect_uri].map(OsString::from));
        args.extend(kind.flags().iter().chain(flags).map(OsString::from));
        let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
        let issuer = |line: &str| line.strip_prefix("issuer ").map(str::to_owned);
        let (process, issuer) = Process::start(&program, &args, issuer).context("a provider of others")?;
        let http = Http::default();
        let metadata = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata = http.get(&metadata).await?;
        let foreign = Self { _process: process, http, kind, issuer, metadata };
        foreign.set_site_up(stage, config).await?;
        Ok(foreign)
    }

    async fn set_site_up(&self, stage: &Stage, further: Value) -> Result {
        let page = self.http.send(Request::get(stage.site()).body(Full::default())?).await?;
        let policy = page.headers().get(CONTENT_SECURITY_POLICY).context("the site has no policy")?.to_str()?;
        if !policy.contains(stage.provider().origin()) {
            return Err(Failure::new(format!("the policy does not name the provider: {policy}")));
        }
        let policy = HeaderValue::from_str(&policy.replace(stage.provider().origin(), &self.origin()?))?;
        stage.gateway().rule(BASE, Rule::Header(CONTENT_SECURITY_POLICY, policy));
        let mut config = json!({
            "provider": "oidc",
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "allow_http_on_loopback": true,
        });
        for (name, value) in further.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        stage.gateway().configure(&config);
        Ok(())
    }

    fn origin(&self) -> Result<String> {
        Ok(Url::parse(&self.issuer)?.origin().ascii_serialization())
    }

    /// The address that the metadata has for this.
    ///
    /// # Errors
    /// If it has none.
    pub fn endpoint(&self, name: &str) -> Result<&str> {
        self.metadata[name].as_str().context(format!("no {name}"))
    }

    /// What it was asked for.
    ///
    /// # Errors
    /// If it does not answer, or in another form.
    pub async fn requests(&self) -> Result<Vec<Seen>> {
        Seen::all(&self.http.get(&format!("{}/log", self.origin()?)).await?)
    }

    /// The requests of one method to the endpoint of this name.
    ///
    /// # Errors
    /// As for [`Foreign::requests`], or if there is no such endpoint.
    pub async fn requests_to(&self, method: &str, endpoint: &str) -> Result<Vec<Seen>> {
        let url = Url::parse(self.endpoint(endpoint)?)?;
        let all = self.requests().await?.into_iter();
        Ok(all.filter(|seen| seen.method == method && seen.path == url.path()).collect())
    }

    /// The requests to the token endpoint of this grant.
    ///
    /// # Errors
    /// As for [`Foreign::requests`].
    pub async fn grants(&self, grant: &str) -> Result<Vec<Seen>> {
        let all = self.requests_to("POST", "token_endpoint").await?.into_iter();
        Ok(all.filter(|seen| seen.form().get("grant_type").is_some_and(|kind| kind == grant)).collect())
    }

    /// Uses a refresh token as somebody else would who got hold of it: the status, and `error` if there is one.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn refresh(&self, refresh_token: &str) -> Result<(StatusCode, Option<String>)> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", CLIENT_ID)])
            .finish();
        let request = Request::post(self.endpoint("token_endpoint")?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form))?;
        let response = self.http.send(request).await?;
        let body: Value = serde_json::from_slice(response.body())?;
        Ok((response.status(), body["error"].as_str().map(str::to_owned)))
    }

    /// A new browser at this provider's first page.
    ///
    /// # Errors
    /// If the app does not lead there.
    pub async fn begin(&self, stage: &Stage) -> Result<(Tab, ProviderPage)> {
        let tab = stage.tab().await?;
        let page = StartPage::open(stage, &tab).await?.sign_in().await?;
        Ok((tab, page))
    }

    /// What must be true of every page after every test, with the secrets that this provider knows.
    ///
    /// # Errors
    /// What is not as it should be.
    pub async fn check(&self, stage: &Stage) -> Result {
        let secrets = Secrets::in_requests(&self.requests().await?);
        for browser in stage.browsers() {
            hygiene::check_for(&browser, stage, &secrets, self.endpoint("authorization_endpoint")?).await?;
        }
        Ok(())
    }
}
