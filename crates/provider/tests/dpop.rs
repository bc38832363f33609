//! Proof of possession (RFC 9449), behind its setting.

mod support;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};
use support::{ALLOW, Answer, Provider, REDIRECT, VERIFIER, text};

const TOKEN: &str = "/v1/oauth2/token";
const USERINFO: &str = "/v1/oauth2/userinfo";

/// Somebody with a key.
struct Holder {
    key: SigningKey,
    jwk: Value,
}

impl Holder {
    fn new() -> Self {
        let key = SigningKey::random(&mut rand::thread_rng());
        let point = key.verifying_key().to_encoded_point(false);
        let part = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.expect("a coordinate"));
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": part(point.x().map(AsRef::as_ref)), "y": part(point.y().map(AsRef::as_ref)),
        });
        Self { key, jwk }
    }

    fn thumbprint(&self) -> String {
        let Self { jwk, .. } = self;
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// A proof, after these changes to header and claims.
    fn proof(&self, method: &str, url: &str, header: &Value, claims: &Value) -> String {
        let jti: [u8; 16] = rand::random();
        let mut head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let mut body = json!({ "jti": URL_SAFE_NO_PAD.encode(jti), "htm": method, "htu": url, "iat": now() });
        for (target, changes) in [(&mut head, header), (&mut body, claims)] {
            for (name, value) in changes.as_object().into_iter().flatten() {
                target[name] = value.clone();
            }
        }
        let signed = [head, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

fn ath(token: &str) -> Value {
    json!({ "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(token)) })
}

struct Bench {
    provider: Provider,
    holder: Holder,
}

impl Bench {
    fn start() -> Self {
        let provider = Provider::start();
        provider.control("settings", &json!({ "dpop": true, "auto_consent": true }));
        Self { provider, holder: Holder::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.provider.origin)
    }

    /// A code that is bound to the key.
    fn code(&self, nonce: &str) -> String {
        let more = format!("&dpop_jkt={}", self.holder.thumbprint());
        self.provider.sign_in("olive", nonce, &more, ALLOW).back("code").expect("a code")
    }

    fn post(&self, form: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(proof.map(|proof| ("dpop", proof)));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.provider.call("POST", TOKEN, &headers, &body).expect("an answer")
    }

    fn exchange(&self, code: &str, proof: Option<&str>) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("client_id", "app"),
            ("code_verifier", VERIFIER),
        ];
        self.post(&form, proof)
    }

    fn token_proof(&self) -> String {
        self.holder.proof("POST", &self.url(TOKEN), &json!({}), &json!({}))
    }

    fn tokens(&self, nonce: &str) -> Value {
        let answer = self.exchange(&self.code(nonce), Some(&self.token_proof()));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn userinfo(&self, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
        let authorization = format!("{scheme} {token}");
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proof.map(|proof| ("dpop", proof)));
        self.provider.call("GET", USERINFO, &headers, "").expect("an answer")
    }
}

#[test]
fn it_is_off_until_it_is_asked_for() {
    let provider = Provider::start();
    let metadata = provider.get("/.well-known/openid-configuration", "").json();
    assert_eq!(metadata.get("dpop_signing_alg_values_supported"), None);
    let tokens = provider.tokens("olive", "n", "&dpop_jkt=whatever", ALLOW);
    assert_eq!(tokens["token_type"], "Bearer");
    provider.control("settings", &json!({ "dpop": true }));
    let metadata = provider.get("/.well-known/openid-configuration", "").json();
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256"]));
    // Whoever proves nothing gets what they got before.
    assert_eq!(provider.tokens("olive", "m", "", ALLOW)["token_type"], "Bearer");
}

#[test]
fn tokens_are_bound_to_the_key_that_was_proven() {
    let bench = Bench::start();
    let tokens = bench.tokens("n1");
    assert_eq!(tokens["token_type"], "DPoP");
    let (token, other) = (text(&tokens["access_token"]), Holder::new());
    let url = bench.url(USERINFO);
    let good = bench.holder.proof("GET", &url, &json!({}), &ath(token));
    assert_eq!(bench.userinfo("DPoP", token, Some(&good)).status, 200);
    let replayed = bench.userinfo("DPoP", token, Some(&good));
    assert_eq!(replayed.status, 401, "a proof is good once");
    let challenge = &replayed.headers["www-authenticate"];
    assert!(challenge.starts_with("DPoP ") && challenge.contains("invalid_dpop_proof"), "{challenge}");
    // Whoever has the token alone.
    let fresh = |holder: &Holder| holder.proof("GET", &url, &json!({}), &ath(token));
    for (scheme, proof) in [
        ("Bearer", None),
        ("DPoP", None),
        ("DPoP", Some(fresh(&other))),
        ("Bearer", Some(fresh(&bench.holder))),
        ("DPoP", Some(bench.holder.proof("GET", &url, &json!({}), &json!({})))),
        ("DPoP", Some(bench.holder.proof("GET", &url, &json!({}), &ath("another token")))),
    ] {
        let answer = bench.userinfo(scheme, token, proof.as_deref());
        assert_eq!(answer.status, 401, "{scheme} {proof:?}");
    }
    // An unbound token does not become better by a proof.
    let bearer = bench.provider.tokens("olive", "n2", "", ALLOW);
    let bearer = text(&bearer["access_token"]);
    let proof = bench.holder.proof("GET", &url, &json!({}), &ath(bearer));
    assert_eq!(bench.userinfo("DPoP", bearer, Some(&proof)).status, 401);
}

#[test]
fn a_proof_is_read_strictly() {
    let bench = Bench::start();
    let url = bench.url(TOKEN);
    let mut private = bench.holder.jwk.clone();
    private["d"] = json!("AAAA");
    let wrong = [
        ("typ", json!({ "typ": "JWT" }), json!({})),
        ("alg", json!({ "alg": "none" }), json!({})),
        ("another alg", json!({ "alg": "ES384" }), json!({})),
        ("no key", json!({ "jwk": null }), json!({})),
        ("a private key", json!({ "jwk": private }), json!({})),
        ("another key", json!({ "jwk": Holder::new().jwk }), json!({})),
        ("htm", json!({}), json!({ "htm": "GET" })),
        ("htu", json!({}), json!({ "htu": bench.url(USERINFO) })),
        ("htu with a query", json!({}), json!({ "htu": format!("{url}?x=1") })),
        ("old", json!({}), json!({ "iat": now() - 120 })),
        ("of tomorrow", json!({}), json!({ "iat": now() + 120 })),
        ("no time", json!({}), json!({ "iat": null })),
        ("no jti", json!({}), json!({ "jti": null })),
        ("a short jti", json!({}), json!({ "jti": "1" })),
        ("an ath for nothing", json!({}), ath("x")),
    ];
    let code = bench.code("n");
    for (what, header, claims) in wrong {
        let proof = bench.holder.proof("POST", &url, &header, &claims);
        let answer = bench.exchange(&code, Some(&proof));
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_dpop_proof")), "{what}");
    }
    for proof in ["", "x", "a.b", "a.b.c", "..", "a.b.c.d"] {
        assert_eq!(bench.exchange(&code, Some(proof)).status, 400, "{proof:?}");
    }
    let spoilt = bench.token_proof() + "AA";
    assert_eq!(bench.exchange(&code, Some(&spoilt)).status, 400);
    // None of them has used the code up.
    assert_eq!(bench.exchange(&code, Some(&bench.token_proof())).status, 200);
}

#[test]
fn a_code_and_a_refresh_token_are_bound_too() {
    let bench = Bench::start();
    let other = Holder::new().proof("POST", &bench.url(TOKEN), &json!({}), &json!({}));
    assert_eq!(bench.exchange(&bench.code("n1"), None).json()["error"], "invalid_grant");
    assert_eq!(bench.exchange(&bench.code("n2"), Some(&other)).json()["error"], "invalid_grant");
    let tokens = bench.tokens("n3");
    let refresh = |proof: Option<&str>| {
        let token = text(&tokens["refresh_token"]);
        bench.post(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "app")], proof)
    };
    let other = Holder::new().proof("POST", &bench.url(TOKEN), &json!({}), &json!({}));
    assert_eq!(refresh(None).json()["error"], "invalid_grant");
    assert_eq!(refresh(Some(&other)).json()["error"], "invalid_grant");
    let renewed = refresh(Some(&bench.token_proof()));
    assert_eq!((renewed.status, &renewed.json()["token_type"]), (200, &json!("DPoP")), "{}", renewed.body);
}

#[test]
fn a_nonce_is_demanded_told_and_good_for_a_while() {
    let bench = Bench::start();
    bench.provider.control("settings", &json!({ "dpop_nonce_token": true, "dpop_nonce_resource": true }));
    let code = bench.code("n");
    let refused = bench.exchange(&code, Some(&bench.token_proof()));
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("use_dpop_nonce")));
    let with = |nonce: &str| bench.holder.proof("POST", &bench.url(TOKEN), &json!({}), &json!({ "nonce": nonce }));
    let nonce = refused.headers["dpop-nonce"].clone();
    for _ in 0..4 {
        assert_eq!(bench.exchange(&code, Some(&with("another"))).json()["error"], "use_dpop_nonce");
    }
    let answer = bench.exchange(&code, Some(&with(&nonce)));
    assert_eq!(answer.json()["error"], "use_dpop_nonce", "that one is over");
    let accepted = bench.exchange(&code, Some(&with(&answer.headers["dpop-nonce"])));
    assert_eq!(accepted.status, 200, "the demands have not used the code up: {}", accepted.body);
    let next = accepted.headers["dpop-nonce"].clone();
    assert!(accepted.headers["access-control-expose-headers"].contains("DPoP-Nonce"));

    let tokens = accepted.json();
    let token = text(&tokens["access_token"]);
    let proof = |nonce: Option<&str>| {
        let mut claims = ath(token);
        claims["nonce"] = json!(nonce);
        bench.holder.proof("GET", &bench.url(USERINFO), &json!({}), &claims)
    };
    assert_eq!(bench.userinfo("DPoP", token, Some(&proof(Some(&next)))).status, 200, "told with the answer before");
    let refused = bench.userinfo("DPoP", token, Some(&proof(None)));
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].contains("error=\"use_dpop_nonce\""));
    let nonce = refused.headers["dpop-nonce"].clone();
    assert_eq!(bench.userinfo("DPoP", token, Some(&proof(Some(&nonce)))).status, 200);
}
