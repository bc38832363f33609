//! The provider as a process, and a client for it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub const REDIRECT: &str = "http://localhost:9/app/";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub struct Provider {
    pub child: Child,
    pub origin: String,
    pub agent: ureq::Agent,
}

pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// A parameter of the redirect.
    pub fn back(&self, name: &str) -> Option<String> {
        let (_, query) = self.headers.get("location")?.split_once('?')?;
        form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

impl Provider {
    pub fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_polar-signin-provider"))
            .args(["--control", "--client", &format!("app={REDIRECT}")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the provider starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let origin = line.trim().trim_start_matches("listening on ").to_owned();
        let agent = ureq::AgentBuilder::new().redirects(0).timeout(Duration::from_secs(10)).build();
        Self { child, origin, agent }
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, String> {
        let mut request = self.agent.request(method, &format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.set(name, value);
        }
        let response = match request.send_string(body) {
            Ok(response) | Err(ureq::Error::Status(_, response)) => response,
            Err(error) => return Err(error.to_string()),
        };
        let names = response.headers_names();
        let headers =
            names.iter().map(|name| (name.clone(), response.header(name).unwrap_or_default().to_owned())).collect();
        let status = response.status();
        let mut body = String::new();
        response.into_reader().read_to_string(&mut body).map_err(|error| error.to_string())?;
        Ok(Answer { status, headers, body })
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, &[("authorization", &format!("Bearer {token}"))], "").expect("an answer")
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.try_post(path, form).expect("an answer")
    }

    pub fn try_post(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, String> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.call("POST", path, &[("content-type", "application/x-www-form-urlencoded")], &body)
    }

    pub fn control(&self, path: &str, body: &Value) {
        let answer = self.call("POST", &format!("/control/{path}"), &[], &body.to_string()).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub fn authorize_path(nonce: &str, more: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        format!(
            "/oauth2/authorize?response_type=code&client_id=app&redirect_uri={}&scope=openid+email+organizations:read\
             &state=s1&nonce={nonce}&code_challenge={challenge}&code_challenge_method=S256{more}",
            form_urlencoded::byte_serialize(REDIRECT.as_bytes()).collect::<String>()
        )
    }

    /// Signs in and decides; the answer is the redirect back.
    pub fn sign_in(&self, person: &str, nonce: &str, more: &str, decision: &[(&str, &str)]) -> Answer {
        let path = Self::authorize_path(nonce, more);
        let signed_in = self.post(&path, &[("person", person)]);
        if signed_in.status != 200 {
            // Silent, since it was granted before; or refused where it stands.
            return signed_in;
        }
        let cookie = signed_in.headers["set-cookie"].split(';').next().expect("a cookie").to_owned();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(decision).finish();
        self.call("POST", &path, &[("cookie", &cookie)], &body).expect("an answer")
    }

    pub fn exchange(&self, code: &str, verifier: &str) -> Answer {
        self.post(
            "/v1/oauth2/token",
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", REDIRECT),
                ("client_id", "app"),
                ("code_verifier", verifier),
            ],
        )
    }

    /// Tokens of a person.
    pub fn tokens(&self, person: &str, nonce: &str, more: &str, decision: &[(&str, &str)]) -> Value {
        let code = self.sign_in(person, nonce, more, decision).back("code").expect("a code");
        self.exchange(&code, VERIFIER).json()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn claims(id_token: &Value) -> Value {
    let payload = id_token.as_str().expect("text").split('.').nth(1).expect("a payload").to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

pub const ALLOW: &[(&str, &str)] = &[("decision", "allow")];
