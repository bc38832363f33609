//! The metadata: where everything is. The issuer is a constant that is not this host, as Polar's.

use serde_json::json;

use crate::{reply::Reply, seed::SCOPES, state::Store};

pub(super) fn metadata(store: &Store) -> Reply {
    let origin = &store.origin;
    let with_secret = json!(["client_secret_basic", "client_secret_post"]);
    let mut document = json!({
        "issuer": store.settings.issuer,
        "authorization_endpoint": format!("{origin}/oauth2/authorize"),
        "token_endpoint": format!("{origin}/v1/oauth2/token"),
        "jwks_uri": format!("{origin}{}", store.settings.jwks_path),
        "userinfo_endpoint": format!("{origin}/v1/oauth2/userinfo"),
        "registration_endpoint": format!("{origin}/v1/oauth2/register"),
        "revocation_endpoint": format!("{origin}/v1/oauth2/revoke"),
        "introspection_endpoint": format!("{origin}/v1/oauth2/introspect"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "web"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": with_secret,
        "introspection_endpoint_auth_methods_supported": with_secret,
        "code_challenge_methods_supported": ["plain", "S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [if store.settings.es256 { "ES256" } else { "RS256" }],
        "claims_supported": ["sub", "name", "email", "email_verified"],
    });
    if store.settings.public_revocation {
        document["revocation_endpoint_auth_methods_supported"] =
            json!(["client_secret_basic", "client_secret_post", "none"]);
    }
    if store.settings.dpop {
        document["dpop_signing_alg_values_supported"] = json!(["ES256"]);
    }
    if store.settings.end_session {
        document["end_session_endpoint"] = json!(format!("{origin}/oauth2/end-session"));
    }
    if store.settings.iss_parameter {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    Reply::ok(&store.shaped("discovery", document))
}
