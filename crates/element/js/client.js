// The client without any interface: `createClient(options)`. It decides nothing about the protocol: the core does,
// in WebAssembly, which is fetched when it is first needed.
import { PolarSigninError, own } from "./errors.js";
import { load } from "./wasm.js";

// What other scripts do to these later does not reach us.
const { fetch, Request, Headers, EventTarget, Event, URL } = globalThis;
const { stringify } = JSON;
const { parse: parseText } = JSON;
const { setPrototypeOf } = Object;

/** Objects without a prototype: what somebody put on `Object.prototype` is no member of them. */
const parse = (text) =>
  parseText(text, (_, value) => (value && typeof value === "object" && !Array.isArray(value) ? setPrototypeOf(value, null) : value));

const PREFIX = "polar-signin:v1:";
const POPUP = `${PREFIX}popup`;
const OPTIONS = {
  __proto__: null,
  provider: "provider", name: "name", issuer: "issuer", metadataUrl: "metadata_url", clientId: "client_id",
  organizationsEndpoint: "organizations_endpoint", redirectUri: "redirect_uri", scope: "scope",
  allowHttpOnLoopback: "allow_http_on_loopback", rpInitiatedLogout: "rp_initiated_logout",
};
const SIGN_IN = ["organization", "prompt", "scope", "maxAge", "loginHint", "returnTo"];

/** The client of these options. Equal options have the same one, so that all of a page share its session. */
export function createClient(options) {
  const [settings, origins] = read(options);
  const key = stringify([settings, origins]);
  if (!clients.has(key)) clients.set(key, new PolarSigninClient(OURS, key, settings, origins));
  return clients.get(key);
}

const clients = new Map();
const OURS = Symbol("made by createClient");

export class PolarSigninClient extends EventTarget {
  #settings;
  #page;
  #redirectUri;
  #origins;
  #engine;
  #starting;
  #expected;
  #snapshot = { __proto__: null };
  #error;
  #view;

  constructor(ours, key, settings, origins) {
    if (ours !== OURS) throw new TypeError("use createClient(options)");
    super();
    this.#settings = stringify(settings);
    this.#redirectUri = settings.redirect_uri;
    this.#page = location.origin + location.pathname;
    this.#origins = origins;
    // A page that somebody comes back to, or who is signed in on it: not a moment of "signed out" before.
    this.#expected = returned !== undefined || keys().some((key) => key === POPUP || key.endsWith(":session"));
    this.#look();
    if (this.#expected) this.ready().catch(() => {});
  }

  /** `signed-out`, `working`, `signed-in` or `failed`. */
  get state() {
    return this.#view.state;
  }

  /** Who is signed in. */
  get session() {
    return this.#view.session;
  }

  /** What went wrong last, until it is dismissed. */
  get error() {
    return this.#view.error;
  }

  /** All of it at this moment. */
  get view() {
    return this.#view;
  }

  /** Fetches what is needed, and finds the session of this page. */
  ready() {
    this.#starting ??= this.#open().catch((error) => {
      this.#starting = undefined;
      // What was fetched beforehand, and in vain, is nothing to say to a person: it is fetched again when it is needed.
      if (this.#expected || !error.retryable) this.#fail(error);
      throw error;
    });
    return this.#starting;
  }

  /** A sign-in is likely: what it needs is fetched beforehand. */
  async prepare() {
    await this.ready();
    this.#call("prepare");
  }

  /**
   * Signs in. With `mode: "redirect"` the page is left, and the promise stays open; it is kept if somebody comes back
   * to this page without having signed in. With `mode: "popup"` call it in the click itself.
   */
  async signIn(options = {}) {
    const { signal, mode = "redirect" } = { __proto__: null, ...options };
    signal?.throwIfAborted();
    const request = { __proto__: null };
    for (const name of Object.keys(options)) {
      if (SIGN_IN.includes(name)) request[name] = options[name];
      else if (name !== "signal" && name !== "mode") throw own("invalid_configuration", name);
    }
    if (mode !== "redirect" && mode !== "popup") throw own("invalid_configuration", "mode");
    if (framed()) throw own("framed");
    // In the click itself, before anything is waited for: later no browser opens one.
    const popup = mode === "popup" ? openPopup() : undefined;
    // Whoever leaves from another page than the one that they come back to wants to be here again.
    const here = location.pathname + location.search;
    if (this.#redirectUri && new URL(this.#redirectUri).pathname !== location.pathname) request.returnTo ??= here;
    this.#error = undefined;
    try {
      await until(this.ready(), signal);
    } catch (error) {
      popup?.close();
      if (!signal?.aborted) this.#fail(error);
      throw error;
    }
    if (mode === "popup") this.#call("sign_in_popup", stringify(request), popup);
    else this.#call("sign_in", stringify(request));
    return this.#settled(signal, () => this.#call("cancel"), ({ working, error, session }) => {
      if (working) return undefined;
      if (error) throw error;
      if (session) return session;
      throw own("cancelled");
    });
  }

  /** Ends the session here, and then at the provider as far as that offers it. Says how far that went. */
  async signOut({ signal } = {}) {
    await until(this.ready(), signal);
    if (!this.#snapshot.session) return this.#snapshot.signedOut ?? "here";
    this.#call("sign_out");
    return this.#settled(signal, undefined, ({ working, session }) =>
      working || session ? undefined : (this.#snapshot.signedOut ?? "here"));
  }

  /** An access token that can be used now: renewed first if that is due, once for all who ask. */
  async accessToken({ signal } = {}) {
    return (await this.#token(undefined, signal)).token;
  }

  /**
   * `fetch`, with the access token where it may go. An answer 401 renews the token, and the request is sent once more.
   * With the token no redirect is followed.
   */
  async fetch(input, init) {
    const request = new Request(input, init && Object.assign(Object.create(null), init));
    await until(this.ready(), request.signal);
    if (!this.#allowed(request) || request.headers.has("authorization")) return fetch(request);
    const again = request.clone();
    const first = await this.#token(undefined, request.signal);
    const answer = await send(request, first.token);
    if (answer.status !== 401) return answer;
    let next;
    try {
      next = await this.#token(first.generation, request.signal);
    } catch (error) {
      if (request.signal.aborted) throw error;
      return answer;
    }
    answer.body?.cancel().catch(() => {});
    return send(again, next.token);
  }

  /** Which organizations this sign-in reaches. */
  async organizations({ signal } = {}) {
    await until(this.ready(), signal);
    if (this.#snapshot.reach?.error) this.#call("retry_details");
    return this.#settled(signal, undefined, ({ session }) => {
      if (!session) throw this.#error ?? own("cancelled");
      const { reach } = this.#snapshot;
      if (reach.error) throw new PolarSigninError(reach.error);
      return reach.kind === "waiting" ? undefined : reach;
    });
  }

  /** Calls back with the view, at once and with every change, until the function that it gives is called. */
  subscribe(listener, { signal } = {}) {
    const hear = () => listener(this.#view);
    this.addEventListener("change", hear, { __proto__: null, signal });
    if (!signal?.aborted) hear();
    return () => this.removeEventListener("change", hear);
  }

  /** Stays here after all. */
  cancel() {
    this.#call("cancel");
  }

  /** The error has been read. */
  dismissError() {
    this.#error = undefined;
    this.#call("dismiss_error");
    this.#look();
  }

  async #open() {
    const core = await load();
    // What is ours has left the address by now. A response that is still there is somebody else's, and it is not for the
    // core to scrub: it looks at the address once, while it starts.
    const theirs = holdsResponse() ? location.href : undefined;
    try {
      asking = core.namespace(this.#settings, this.#page);
      if (theirs) history.replaceState(history.state, "", location.pathname);
      this.#engine = core.start(this.#settings, this.#page, (text) => this.#hear(text));
    } catch (error) {
      // Settings that are wrong stay so.
      throw typeof error === "string" ? new PolarSigninError({ ...parse(error), retryable: false }) : own("internal");
    } finally {
      asking = undefined;
      if (theirs) history.replaceState(history.state, "", theirs);
    }
  }

  #fail(error) {
    this.#expected = false;
    this.#error = error;
    this.#look();
  }

  /** Calls the core. A trap in it leaves an instance that is of no use any more. */
  #call(name, ...given) {
    try {
      return this.#engine?.[name](...given);
    } catch (error) {
      if (typeof error === "string") throw new PolarSigninError(parse(error));
      this.#fail(own("internal"));
      throw this.#error;
    }
  }

  #hear(text) {
    this.#snapshot = parse(text);
    this.#expected = false;
    this.#look();
  }

  #look() {
    const { working, error, session, signedOut, provider, memoryOnly, inert, inPopup } = this.#snapshot;
    const before = this.#view;
    const failed = this.#error ?? (error && new PolarSigninError(error));
    let state = "signed-out";
    if (working || this.#expected) state = "working";
    else if (session) state = "signed-in";
    else if (failed) state = "failed";
    this.#view = Object.freeze({
      __proto__: null, state, working: working ?? (this.#expected ? "completing" : undefined), error: failed,
      session: session && Object.freeze(session), signedOut, provider, memoryOnly: memoryOnly === true, inert: inert === true,
      inPopup: inPopup === true,
    });
    this.dispatchEvent(new Event("change"));
    if (!before) return;
    if (session && before.session?.subject !== session.subject) this.dispatchEvent(new Event("signed-in"));
    if (!session && before.session) this.dispatchEvent(new Event("signed-out"));
    if (failed && before.error?.code !== failed.code) this.dispatchEvent(new Event("error"));
  }

  async #token(refused, signal) {
    await until(this.ready(), signal);
    return until(new Promise((resolve, reject) => {
      // Without a prototype: a promise asks what it gets for `then`.
      this.#call("access_token", refused, (token, generation, error) =>
        error ? reject(new PolarSigninError(parse(error))) : resolve({ __proto__: null, token, generation }));
    }), signal);
  }

  /** Waits until the test has an answer. */
  async #settled(signal, abandon, test) {
    // The core may be in the middle of a step that we were called from.
    await null;
    let end;
    const settled = new Promise((resolve, reject) => {
      const look = () => {
        try {
          const answer = test(this.#view);
          if (answer !== undefined) resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.addEventListener("change", look);
      end = () => this.removeEventListener("change", look);
      look();
    });
    try {
      return await until(settled, signal, abandon);
    } finally {
      end();
    }
  }

  #allowed(request) {
    const { origin, protocol, hostname } = new URL(request.url);
    const safe = protocol === "https:" || (protocol === "http:" && loopback(hostname));
    return safe && (this.#origins ?? this.#snapshot.origins ?? []).includes(origin);
  }
}

/** An empty window. What it begins with is a copy of what this tab keeps, and a mark that says what it is for. */
function openPopup() {
  try {
    sessionStorage.setItem(POPUP, "1");
  } catch {
    // Without storage there is no sign-in: the core says so.
  }
  try {
    return window.open("about:blank", "_blank", "popup,width=480,height=720");
  } finally {
    try {
      sessionStorage.removeItem(POPUP);
    } catch {
      // As above.
    }
  }
}

/** One request with a token. Its address was chosen by whoever asked: no answer may lead the token elsewhere. */
function send(request, token) {
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${token}`);
  const redirect = request.redirect === "manual" ? "manual" : "error";
  return fetch(new Request(request, { __proto__: null, headers, redirect, credentials: "omit", referrerPolicy: "no-referrer" }));
}

/** The promise, or the abort. */
function until(promise, signal, abandon) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(signal.reason);
      abandon?.();
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { __proto__: null, once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Own members alone, and none that is not known: a slip of the pen is said. */
function read(options) {
  const settings = { __proto__: null };
  let origins;
  for (const name of Object.keys(options).sort()) {
    const value = options[name];
    if (value === undefined || value === null) continue;
    if (name === "allowedOrigins") origins = allowedOrigins(value);
    else if (!(name in OPTIONS) || !["string", "boolean"].includes(typeof value)) throw own("invalid_configuration", name);
    else settings[OPTIONS[name]] = value;
  }
  // A relative one is meant from this page.
  if (settings.redirect_uri) settings.redirect_uri = address(settings.redirect_uri, "redirectUri").href;
  return [settings, origins];
}

function allowedOrigins(given) {
  if (!Array.isArray(given)) throw own("invalid_configuration", "allowedOrigins");
  return given.map((text) => {
    const { origin, protocol, hostname } = address(text, "allowedOrigins");
    const safe = protocol === "https:" || (protocol === "http:" && loopback(hostname));
    if (origin !== text || !safe) throw own("invalid_configuration", "allowedOrigins");
    return origin;
  });
}

function address(text, name) {
  try {
    return new URL(text, location.href);
  } catch {
    throw own("invalid_configuration", name);
  }
}

function loopback(host) {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Whether this page is inside another. */
export function framed() {
  return window.top !== window.self;
}

function keys() {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

// A response of the provider leaves the address at once, before anything is fetched. It is ours only if something of
// ours waits for one: another script's is not touched. The core asks for the address once, and judges it.
let returned;
let asking;

const TELLING = ["code", "error", "state", "response", "id_token", "access_token"];

function holdsResponse() {
  const holds = (text) => TELLING.some((name) => new URLSearchParams(text).has(name));
  return holds(location.search) || holds(location.hash.slice(1).replace(/^[^?]*\?/, ""));
}

function takeResponse() {
  const query = new URLSearchParams(location.search);
  const ours = keys().some((key) => key === POPUP || key.includes(":transaction:"));
  if (!ours || !/^[\w-]{43}$/.test(query.get("state") ?? "") || !(query.has("code") || query.has("error"))) return;
  returned = location.href;
  history.replaceState(history.state, "", location.pathname);
  addEventListener("polar-signin:opened-at", (event) => {
    const waits = (key) => key === POPUP || (asking && key.startsWith(asking) && key.includes(":transaction:"));
    if (returned === undefined || !Array.isArray(event.detail) || !keys().some(waits)) return;
    event.detail.push(returned);
    returned = undefined;
  });
}
if (typeof location === "object") takeResponse();
