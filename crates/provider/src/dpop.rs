//! Proof of possession (RFC 9449), strictly, behind the setting `dpop`: Polar has none.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::StatusCode;
use p256::{
    EncodedPoint,
    ecdsa::{Signature, VerifyingKey, signature::Verifier as _},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    reply::Reply,
    routes::Asked,
    state::{Store, now, random},
};

/// How old a proof may be, or from how far in the future, in seconds.
const WINDOW: i64 = 60;
/// So many of the last nonces are good.
const GOOD_NONCES: usize = 4;

/// Why a proof is not accepted.
pub(crate) enum Refusal {
    /// It is none, or not for this request.
    Proof(&'static str),
    /// It lacks the nonce that is wanted.
    Nonce,
}

use Refusal::Proof;

/// RFC 9449 4.3: checks the proof of a request; gives the thumbprint of its key.
pub(crate) fn verify(
    store: &mut Store,
    asked: &Asked,
    access_token: Option<&str>,
    wants_nonce: bool,
) -> Result<String, Refusal> {
    let proof = asked.header("dpop").ok_or(Proof("there is none"))?;
    let parts: Vec<&str> = proof.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(Proof("no JWT")) };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Proof("no base64url"));
    let read = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| Proof("no JSON"));
    let (header_value, claims_value) = (read(header)?, read(claims)?);
    if header_value["typ"] != "dpop+jwt" || header_value["alg"] != "ES256" {
        return Err(Proof("typ or alg"));
    }
    let (key, thumbprint) = key_of(&header_value["jwk"]).ok_or(Proof("jwk"))?;
    let signature = Signature::from_slice(&decode(signature)?).map_err(|_| Proof("no signature"))?;
    let signed = format!("{header}.{claims}");
    key.verify(signed.as_bytes(), &signature).map_err(|_| Proof("the signature is wrong"))?;

    let url = format!("{}{}", store.origin, asked.path);
    if claims_value["htm"] != asked.method.as_str() || claims_value["htu"] != url.as_str() {
        return Err(Proof("htm or htu"));
    }
    if claims_value["iat"].as_i64().is_none_or(|iat| (now() - iat).abs() > WINDOW) {
        return Err(Proof("iat"));
    }
    let ath = access_token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    if claims_value["ath"].as_str() != ath.as_deref() {
        return Err(Proof("ath"));
    }
    if wants_nonce && !store.server_nonces.iter().any(|nonce| claims_value["nonce"] == *nonce) {
        return Err(Refusal::Nonce);
    }
    let jti = claims_value["jti"].as_str().filter(|jti| jti.len() >= 16).ok_or(Proof("jti"))?;
    if !store.proofs.insert(jti.to_owned()) {
        return Err(Proof("it was used before"));
    }
    Ok(thumbprint)
}

/// A public key of P-256 and no more, with its thumbprint (RFC 7638).
fn key_of(jwk: &Value) -> Option<(VerifyingKey, String)> {
    let members = jwk.as_object()?;
    if jwk["kty"] != "EC" || jwk["crv"] != "P-256" || members.contains_key("d") {
        return None;
    }
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok().filter(|bytes| bytes.len() == 32);
    let (x, y) = (coordinate("x")?, coordinate("y")?);
    let point = EncodedPoint::from_affine_coordinates(x.as_slice().into(), y.as_slice().into(), false);
    let canonical = format!(
        r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
        URL_SAFE_NO_PAD.encode(&x),
        URL_SAFE_NO_PAD.encode(&y)
    );
    let key = VerifyingKey::from_encoded_point(&point).ok()?;
    Some((key, URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))))
}

/// RFC 9449 5, 8: what the token endpoint binds to. The demand for a nonce comes before anything else is looked at.
///
/// # Errors
/// The refusal to answer with.
pub(crate) fn at_token_endpoint(store: &mut Store, asked: &Asked) -> Result<Option<String>, Reply> {
    if !store.settings.dpop || asked.header("dpop").is_none() {
        return Ok(None);
    }
    let wants_nonce = store.settings.dpop_nonce_token;
    verify(store, asked, None, wants_nonce).map(Some).map_err(|refusal| match refusal {
        Refusal::Nonce => with_nonce(store, Reply::oauth_error(StatusCode::BAD_REQUEST, "use_dpop_nonce", "A nonce.")),
        Proof(why) => Reply::oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof", why),
    })
}

/// RFC 9449 7, 9: whether a request may use the token that it carries. `None` means that it may, as far as proofs go.
pub(crate) fn guard(store: &mut Store, asked: &Asked) -> Option<Reply> {
    let (scheme, text) = asked.header("authorization")?.split_once(' ')?;
    let (by_proof, text) = (scheme.eq_ignore_ascii_case("dpop"), text.to_owned());
    let bound = store.access_tokens.get(&text).and_then(|token| token.thumbprint.clone());
    if bound.is_none() && !by_proof {
        return None;
    }
    if !by_proof {
        // A stolen token that is shown as what it is not.
        return Some(challenge("invalid_token"));
    }
    let wants_nonce = store.settings.dpop_nonce_resource;
    match verify(store, asked, Some(&text), wants_nonce) {
        Err(Refusal::Nonce) => {
            let reply = challenge("use_dpop_nonce");
            Some(with_nonce(store, reply))
        }
        Err(Proof(_)) => Some(challenge("invalid_dpop_proof")),
        Ok(thumbprint) if bound.as_deref() == Some(thumbprint.as_str()) => None,
        Ok(_) => Some(challenge("invalid_token")),
    }
}

/// Every answer tells the nonce for the next request; where none is wanted, there is none.
pub(crate) fn tell_nonce(store: &mut Store, asked: &Asked, reply: Reply) -> Reply {
    let at_token = asked.endpoint() == "token";
    let wanted = if at_token { store.settings.dpop_nonce_token } else { store.settings.dpop_nonce_resource };
    let told = reply.headers.iter().any(|(name, _)| name == "dpop-nonce");
    if wanted && !told && asked.header("dpop").is_some() { with_nonce(store, reply) } else { reply }
}

/// With a fresh nonce. Those before stay good for a while: several requests may be under way.
fn with_nonce(store: &mut Store, reply: Reply) -> Reply {
    let nonce = random("nonce_");
    let reply = reply.with("dpop-nonce", &nonce);
    store.server_nonces.push_front(nonce);
    store.server_nonces.truncate(GOOD_NONCES);
    reply
}

fn challenge(error: &str) -> Reply {
    Reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": error }))
        .with("www-authenticate", &format!("DPoP error=\"{error}\", algs=\"ES256\""))
}
