// The client without any interface: `createClient(options)`. It decides nothing about the protocol: the core does,
// in WebAssembly, which is fetched when it is first needed.
import { PolarSigninError, own } from "./errors.js";
import { allowedParent, framed, tellParent } from "./frame.js";
import { mayCarry, read } from "./options.js";
import { sendBearer, sendBound } from "./request.js";
import { expected, isResponse, withResponse } from "./response.js";
import { bury, isTrap, load } from "./wasm.js";
import { openWindow } from "./window.js";

// What other scripts do to these later does not reach us.
const { fetch, Request, EventTarget, Event, URL } = globalThis;
const { stringify, parse: parseText } = JSON;
const { freeze, setPrototypeOf } = Object;

/** Objects without a prototype: what somebody put on `Object.prototype` is no member of them. */
const parse = (text) =>
  parseText(text, (_, value) => (value && typeof value === "object" && !Array.isArray(value) ? setPrototypeOf(value, null) : value));

const SIGN_IN = ["add", "organization", "prompt", "scope", "maxAge", "loginHint", "returnTo"];

/** The client of these options. Equal options have the same one, so that all of a page share its session. */
export function createClient(options) {
  const [settings, origins, parents] = read(options);
  const key = stringify([settings, origins, parents]);
  if (!clients.has(key)) clients.set(key, new PolarSigninClient(OURS, settings, origins, parents));
  return clients.get(key);
}

const clients = new Map();
const OURS = Symbol("made by createClient");

export class PolarSigninClient extends EventTarget {
  #settings;
  #page;
  #redirectUri;
  #origins;
  /** Whose page is around this one, and may be. */
  #parent;
  /** Why nothing runs here. */
  #refusal;
  #engine;
  /** Ends what waits for the engine. */
  #lost = new Set();
  #starting;
  #expected;
  #snapshot = { __proto__: null };
  #error;
  #view;

  constructor(ours, settings, origins, parents) {
    if (ours !== OURS) throw new TypeError("use createClient(options)");
    super();
    this.#parent = allowedParent(parents);
    // The provider's page for signing out would take the place of this one.
    this.#settings = stringify(framed() ? { __proto__: null, ...settings, rp_initiated_logout: false } : settings);
    this.#redirectUri = settings.redirect_uri;
    this.#page = location.origin + location.pathname;
    this.#origins = origins;
    this.#refusal = framed() && !this.#parent ? own("framed") : undefined;
    // A response in a frame is for nobody: there is nothing to show, and nothing to click on.
    if (this.#refusal) this.#snapshot.inert = isResponse();
    // A page that somebody comes back to, or who is signed in on it: not a moment of "signed out" before.
    else this.#expected = expected();
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

  /** Everybody who is signed in here; `session` is that of the active one. */
  get identities() {
    return this.#view.identities;
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
    if (this.#refusal) return Promise.reject(this.#refusal);
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
    const { signal, mode = this.#parent ? "popup" : "redirect" } = { __proto__: null, ...options };
    signal?.throwIfAborted();
    const request = { __proto__: null };
    for (const name of Object.keys(options)) {
      if (SIGN_IN.includes(name)) request[name] = options[name];
      else if (name !== "signal" && name !== "mode") throw own("invalid_configuration", name);
    }
    if (mode !== "redirect" && mode !== "popup") throw own("invalid_configuration", "mode");
    if (framed() && (this.#refusal || mode !== "popup")) throw own("framed");
    // In the click itself, before anything is waited for: later no browser opens one.
    const popup = mode === "popup" ? openWindow() : undefined;
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
  async signOut({ signal, identity } = {}) {
    await until(this.ready(), signal);
    const here = (identities) => identities.some(({ id }) => id === whose);
    const whose = this.#whose(identity);
    if (!here(this.identities)) return this.#snapshot.signedOut ?? "here";
    this.#call("sign_out", whose);
    return this.#settled(signal, undefined, ({ working, identities }) =>
      working || here(identities) ? undefined : (this.#snapshot.signedOut ?? "here"));
  }

  /** Makes another of the identities the active one. */
  switchTo(identity) {
    this.#call("switch_to", this.#whose(identity));
  }

  /** An access token that can be used now: renewed first if that is due, once for all who ask. */
  async accessToken({ signal, identity } = {}) {
    await until(this.ready(), signal);
    return (await this.#token(this.#whose(identity), undefined, signal)).token;
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
    // Whoever is active by then may be somebody else.
    const whose = this.#whose();
    const first = await this.#token(whose, undefined, request.signal);
    const answer = await this.#send(request, first, whose);
    if (answer.status !== 401) return answer;
    let next;
    try {
      next = await this.#token(whose, first.generation, request.signal);
    } catch (error) {
      if (request.signal.aborted) throw error;
      return answer;
    }
    answer.body?.cancel().catch(() => {});
    return this.#send(again, next, whose);
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
    const engine = { __proto__: null };
    try {
      withResponse(core.namespace(this.#settings, this.#page), () => {
        this.#error = undefined;
        this.#engine = engine;
        engine.core = core.start(this.#settings, this.#page, (text) => this.#engine === engine && this.#hear(text));
      });
    } catch (error) {
      if (typeof error !== "string") {
        PolarSigninClient.#bury();
        throw own("internal");
      }
      this.#engine = undefined;
      // Settings that are wrong stay so.
      throw new PolarSigninError({ ...parse(error), retryable: false });
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
      return this.#engine?.core?.[name](...given);
    } catch (error) {
      if (typeof error === "string") throw new PolarSigninError(parse(error));
      PolarSigninClient.#bury();
      throw own("internal");
    }
  }

  static {
    // What the browser calls in the core nobody of ours could catch.
    const hear = (error) => isTrap(error) && this.#bury();
    globalThis.addEventListener?.("error", ({ error }) => hear(error));
    globalThis.addEventListener?.("unhandledrejection", ({ reason }) => hear(reason));
  }

  /** All clients share the instance that has trapped. What is kept is still there: whatever is used next starts anew. */
  static #bury() {
    bury();
    for (const client of clients.values()) {
      if (!client.#engine) continue;
      client.#engine = client.#starting = undefined;
      client.#snapshot = { ...client.#snapshot, __proto__: null, working: undefined };
      for (const end of [...client.#lost]) end(own("internal"));
      client.#fail(own("internal"));
    }
  }

  /** The number of one of the identities, or of the active one. */
  #whose(identity = this.#snapshot.active ?? 0) {
    if (identity !== this.#snapshot.active && !this.identities.some(({ id }) => id === identity)) throw own("invalid_configuration", "identity");
    return identity;
  }

  #hear(text) {
    this.#snapshot = parse(text);
    this.#expected = false;
    this.#look();
  }

  #look() {
    const { working, error, active, identities = [], signedOut, provider, memoryOnly, inert, inPopup } = this.#snapshot;
    const session = identities.find(({ id }) => id === active)?.session;
    const before = this.#view;
    const failed = this.#refusal ?? this.#error ?? (error && new PolarSigninError(error));
    let state = "signed-out";
    if (working || this.#expected) state = "working";
    else if (session) state = "signed-in";
    else if (failed) state = "failed";
    this.#view = freeze({
      __proto__: null, state, working: working ?? (this.#expected ? "completing" : undefined), error: failed,
      session, identities: freeze(identities.map(({ id, session }) => freeze({ __proto__: null, id, active: id === active, session: freeze(session) }))),
      signedOut, provider, memoryOnly: memoryOnly === true, inert: inert === true, inPopup: inPopup === true,
    });
    if (this.#parent && before?.state !== state) tellParent(this.#parent, state);
    this.dispatchEvent(new Event("change"));
    if (!before) return;
    if (session && before.session?.subject !== session.subject) this.dispatchEvent(new Event("signed-in"));
    if (!session && before.session) this.dispatchEvent(new Event("signed-out"));
    if (session && session.organization?.id !== before.session?.organization?.id) this.dispatchEvent(new Event("organization"));
    if (failed && before.error?.code !== failed.code) this.dispatchEvent(new Event("error"));
  }

  #token(identity, refused, signal) {
    return this.#unlessLost(signal, undefined, (resolve, reject) => {
      // Without a prototype: a promise asks what it gets for `then`.
      this.#call("access_token", identity, refused, (token, generation, error, key) =>
        error ? reject(new PolarSigninError(parse(error))) : resolve({ __proto__: null, token, generation, key }));
    });
  }

  /** One request with a token, and with proofs if that is bound to a key. */
  #send(request, { token, key }, identity) {
    if (!key) return sendBearer(request, token);
    const prove = () => this.#unlessLost(request.signal, undefined, (resolve, reject) =>
      this.#call("prove", identity, key, request.method, request.url, token, (proof, error) =>
        error ? reject(new PolarSigninError(parse(error))) : resolve(proof)));
    return sendBound(request, token, prove, (nonce) => this.#call("learn_nonce", request.url, nonce));
  }

  /** A promise that ends with an abort, and with the engine. */
  async #unlessLost(signal, abandon, executor) {
    let lose;
    try {
      return await until(new Promise((resolve, reject) => {
        this.#lost.add((lose = reject));
        executor(resolve, reject);
      }), signal, abandon);
    } finally {
      this.#lost.delete(lose);
    }
  }

  /** Waits until the test has an answer. */
  async #settled(signal, abandon, test) {
    // The core may be in the middle of a step that we were called from.
    await null;
    let end;
    try {
      return await this.#unlessLost(signal, abandon, (resolve, reject) => {
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
    } finally {
      end();
    }
  }

  #allowed(request) {
    const url = new URL(request.url);
    return mayCarry(url) && (this.#origins ?? this.#snapshot.origins ?? []).includes(url.origin);
  }
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
