//! The fixtures that every case of the matrix is a mutation of.

use std::sync::LazyLock;

use polar_signin_core::{
    config::{Config, Options},
    http::{Dpop, HttpOutcome, HttpResponse},
    pkce::{Entropy, NoEntropy},
    time::UnixTime,
};

use super::{
    keys::{Key, jwks},
    token::{Members, good},
};

/// 2026-11-23T00:00:00Z.
pub const NOW: i64 = 1_795_392_000;
pub const ISSUER: &str = "https://op.example";
pub const CLIENT_ID: &str = "rp-1";
pub const REDIRECT_URI: &str = "https://rp.example/callback";
pub const TOKEN_ENDPOINT: &str = "https://op.example/token";
pub const JWKS_URI: &str = "https://op.example/jwks";
pub const USERINFO_ENDPOINT: &str = "https://op.example/userinfo";
pub const METADATA_URL: &str = "https://op.example/.well-known/openid-configuration";

/// The nonce and the verifier of the first sign-in under [`Steps`]: 32 times 2 and 3.
pub const NONCE: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
pub const VERIFIER: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";

pub fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

/// Each draw gives the next number, 32 times: values that a test can know beforehand.
pub struct Steps(pub u8);

impl Entropy for Steps {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(self.0);
        self.0 = self.0.wrapping_add(1);
        Ok(())
    }
}

pub fn options() -> Options {
    Options {
        provider: Some("oidc".to_owned()),
        issuer: Some(ISSUER.to_owned()),
        client_id: Some(CLIENT_ID.to_owned()),
        ..Options::default()
    }
}

/// OP-A.
pub fn config() -> Config {
    static CONFIG: LazyLock<Config> =
        LazyLock::new(|| Config::new(&options(), REDIRECT_URI).expect("a good configuration"));
    CONFIG.clone()
}

/// OP-P: Polar's shape.
pub fn polar() -> Config {
    let options = Options { client_id: Some(CLIENT_ID.to_owned()), ..Options::default() };
    Config::new(&options, REDIRECT_URI).expect("a good configuration")
}

/// The good metadata of OP-A.
pub fn metadata() -> Members {
    Members::new()
        .text("issuer", ISSUER)
        .text("authorization_endpoint", "https://op.example/authorize")
        .text("token_endpoint", TOKEN_ENDPOINT)
        .text("jwks_uri", JWKS_URI)
        .text("userinfo_endpoint", USERINFO_ENDPOINT)
        .set("response_types_supported", r#"["code"]"#)
        .set("subject_types_supported", r#"["public"]"#)
        .set("id_token_signing_alg_values_supported", r#"["RS256"]"#)
        .set("code_challenge_methods_supported", r#"["plain","S256"]"#)
        .set("token_endpoint_auth_methods_supported", r#"["none"]"#)
}

/// The metadata of OP-P.
pub fn polar_metadata() -> Members {
    metadata()
        .text("issuer", "https://polar.sh")
        .text("authorization_endpoint", "https://polar.sh/oauth2/authorize")
        .text("token_endpoint", "https://api.polar.sh/v1/oauth2/token")
        .text("jwks_uri", "https://api.polar.sh/.well-known/jwks.json")
        .text("userinfo_endpoint", "https://api.polar.sh/v1/oauth2/userinfo")
        .text("registration_endpoint", "https://api.polar.sh/v1/oauth2/register")
        .set("token_endpoint_auth_methods_supported", r#"["client_secret_basic","client_secret_post","none"]"#)
}

/// The good key set: k1.
pub fn keys() -> String {
    static KEYS: LazyLock<String> = LazyLock::new(|| jwks(&[Key::K1.jwk()]));
    KEYS.clone()
}

/// The good token response, with this ID token.
pub fn tokens(id_token: &str) -> Members {
    Members::new()
        .text("access_token", "AT-1")
        .text("token_type", "Bearer")
        .number("expires_in", 3600)
        .text("refresh_token", "RT-1")
        .text("id_token", id_token)
        .text("scope", "openid profile email")
}

/// The good token response.
pub fn good_tokens() -> Members {
    tokens(&good())
}

/// An answer of this status with this JSON.
pub fn json(status: u16, body: impl Into<Vec<u8>>) -> HttpOutcome {
    answer(status, Some("application/json"), body)
}

/// An answer of this status and content type.
pub fn answer(status: u16, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> HttpOutcome {
    HttpOutcome::Answered(response(status, content_type, body))
}

pub fn response(status: u16, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> HttpResponse {
    let content_type = content_type.map(str::to_owned);
    HttpResponse { status, content_type, retry_after: None, dpop: Dpop::default(), body: body.into() }
}

/// A page of HTML, as a captive portal has it.
pub fn html(status: u16) -> HttpOutcome {
    answer(status, Some("text/html"), "<!doctype html><title>Sign in to the hotel</title>")
}
