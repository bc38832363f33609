//! Answers, in Polar's forms.

use hyper::StatusCode;
use serde_json::{Value, json};

/// An answer before anything is sent of it: faults may still change it.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status: status.as_u16(), headers, body: body.into() }
    }

    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    pub(crate) fn ok(value: &Value) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// OAuth's error form (RFC 6749 5.2).
    pub(crate) fn oauth_error(status: StatusCode, error: &str, description: &str) -> Self {
        Self::json(status, &json!({ "error": error, "error_description": description }))
    }

    /// The form of Polar's own API.
    pub(crate) fn api_error(status: StatusCode, error: &str, detail: &str) -> Self {
        Self::json(status, &json!({ "error": error, "detail": detail }))
    }

    /// What Polar answers with when a request's content is wrong.
    pub(crate) fn validation_error(location: &[&str], message: &str) -> Self {
        let detail = json!([{ "loc": location, "msg": message, "type": "value_error" }]);
        Self::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": "RequestValidationError", "detail": detail }))
    }

    pub(crate) fn not_found() -> Self {
        Self::api_error(StatusCode::NOT_FOUND, "ResourceNotFound", "Not found")
    }

    pub(crate) fn html(body: String) -> Self {
        // The pages cannot be framed. There is no form-action: it would also stop the way back.
        let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
        Self::new(StatusCode::OK, "text/html; charset=utf-8", body)
            .with("content-security-policy", policy)
            .with("x-frame-options", "DENY")
            .with("cache-control", "no-store")
    }

    pub(crate) fn redirect(to: &str) -> Self {
        // 303 turns the form's POST into a GET.
        let reply = Self { status: 303, headers: Vec::new(), body: Vec::new() };
        reply.with("location", to).with("cache-control", "no-store")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Any origin, no credentials; only `Polar-Version` can be read of the headers.
    pub(crate) fn with_cors(self) -> Self {
        self.with("access-control-allow-origin", "*").with("access-control-expose-headers", "Polar-Version")
    }

    /// And what a provider with proofs lets through besides.
    pub(crate) fn with_dpop_cors(mut self) -> Self {
        for (name, value) in &mut self.headers {
            match name.as_str() {
                "access-control-expose-headers" => value.push_str(", DPoP-Nonce, WWW-Authenticate"),
                "access-control-allow-headers" => value.push_str(", DPoP"),
                _ => {}
            }
        }
        self
    }

    /// The answer to a preflight.
    pub(crate) fn preflight() -> Self {
        Self::new(StatusCode::OK, "text/plain; charset=utf-8", "OK")
            .with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
            .with(
                "access-control-allow-headers",
                "Accept, Accept-Language, Authorization, Content-Language, Content-Type, Polar-Version",
            )
            .with("access-control-max-age", "600")
    }
}
