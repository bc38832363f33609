//! RP-Initiated Logout 1.0, where the settings offer it: Polar has none.

use hyper::StatusCode;

use super::Asked;
use crate::{pages, reply::Reply, state::Store};

/// GET asks, since any page can send a browser here; POST signs out.
pub(super) fn answer(store: &mut Store, asked: &Asked) -> Reply {
    if !store.settings.end_session {
        return Reply::not_found();
    }
    let client = asked.parameter("client_id").and_then(|id| store.clients.get(&id));
    let back = asked.parameter("post_logout_redirect_uri");
    let known = |uri: &String| client.is_some_and(|client| client.redirect_uris.contains(uri));
    if back.as_ref().is_some_and(|uri| !known(uri)) {
        return Reply::api_error(StatusCode::BAD_REQUEST, "invalid_request", "The address to return to is not known.");
    }
    if asked.method == "GET" {
        return Reply::html(pages::sign_out(&asked.query));
    }
    if let Some(session) = asked.cookie("session") {
        store.sessions.remove(session);
    }
    let Some(back) = back else { return Reply::html(pages::signed_out()) };
    let state = asked.parameter("state").unwrap_or_default();
    let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
    let fault = store.fault("signed_out", None);
    let query = fault.as_ref().and_then(|fault| fault.members.get("query")).and_then(|query| query.as_str());
    let query = query.unwrap_or("state={state}").replace("{state}", &state);
    let separator = if back.contains('?') { "&" } else { "?" };
    let separator = if query.is_empty() { "" } else { separator };
    Reply::redirect(&[back.as_str(), separator, &query].concat())
        .with("set-cookie", "session=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/oauth2")
}
