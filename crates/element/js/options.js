// What `createClient` is given, read strictly, and told to the core in its own words.
import { own } from "./errors.js";

const { URL } = globalThis;

const OPTIONS = {
  __proto__: null,
  provider: "provider", name: "name", issuer: "issuer", metadataUrl: "metadata_url", clientId: "client_id",
  organizationsEndpoint: "organizations_endpoint", redirectUri: "redirect_uri", scope: "scope",
  allowHttpOnLoopback: "allow_http_on_loopback", rpInitiatedLogout: "rp_initiated_logout", dpop: "dpop",
};

/**
 * The settings of the core, the origins that `fetch` sends the token to, and those that may be around this page. Own
 * members alone, and none that is not known: a slip of the pen is said.
 */
export function read(options) {
  const settings = { __proto__: null };
  let origins, parents = [];
  for (const name of Object.keys(options).sort()) {
    const value = options[name];
    if (value === undefined || value === null) continue;
    if (name === "allowedOrigins") origins = exactOrigins(value, name);
    else if (name === "parentOrigins") parents = exactOrigins(value, name);
    else if (!(name in OPTIONS) || !["string", "boolean"].includes(typeof value)) throw own("invalid_configuration", name);
    else settings[OPTIONS[name]] = value;
  }
  // A relative one is meant from this page.
  if (settings.redirect_uri) settings.redirect_uri = address(settings.redirect_uri, "redirectUri").href;
  return [settings, origins, parents];
}

function exactOrigins(given, name) {
  if (!Array.isArray(given)) throw own("invalid_configuration", name);
  return given.map((text) => {
    const url = address(text, name);
    if (url.origin !== text || !mayCarry(url)) throw own("invalid_configuration", name);
    return text;
  });
}

function address(text, name) {
  try {
    return new URL(text, location.href);
  } catch {
    throw own("invalid_configuration", name);
  }
}

/** Whether a token may travel there at all: https, or this machine. */
export function mayCarry({ protocol, hostname }) {
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && loopback);
}
