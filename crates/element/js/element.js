// <polar-signin>: the button, who is signed in, and what went wrong. All that it knows comes from one client, which
// elements with equal settings share.
import { ALL, CHOICES, CONFIG, SIGN_IN, reflect } from "./attributes.js";
import { createClient } from "./client.js";
import { own } from "./errors.js";
import { framed } from "./frame.js";
import { address, arrive, offer } from "./link.js";
import { styles } from "./styles.js";
import { TEXTS, language, wordsFor } from "./texts.js";

const { CustomEvent, HTMLElement = class {} } = globalThis;

const STATES = ["signed-out", "working", "signed-in", "failed"];
const QUIET = ["popup_closed", "cancelled"];
const NOT_HERE = ["load_failed", "wasm_missing", "wasm_refused", "internal"];

// A page can name an image `createElement`, and then `document.createElement` is that image.
const make = (tag, part, ...children) => {
  const element = Document.prototype.createElement.call(document, tag);
  if (part) {
    element.className = element.tagName === "BUTTON" ? "plain" : part;
    element.setAttribute("part", part);
  }
  element.append(...children);
  return element;
};
const slot = (name, ...children) => {
  const element = make("slot", undefined, ...children);
  if (name) element.setAttribute("name", name);
  return element;
};

export class PolarSigninElement extends HTMLElement {
  static observedAttributes = ALL.map(([attribute]) => attribute);

  /** Registers it, unless somebody has. */
  static define(tag = "polar-signin", registry = globalThis.customElements) {
    if (registry && !registry.get(tag)) registry.define(tag, this);
  }

  #client;
  #error;
  #parts;
  #states;
  #listening;
  #last;
  #attempt;
  #texts;
  #loading;
  #read = false;

  constructor() {
    super();
    try {
      this.#states = this.attachInternals().states;
    } catch {
      // An older browser has no states to show.
    }
  }

  /** The client, for whatever there is no attribute for. `undefined` if the settings are not valid. */
  get client() {
    return this.#client;
  }

  get state() {
    return this.#error ? "failed" : (this.#client?.state ?? "signed-out");
  }

  get session() {
    return this.#client?.session;
  }

  get error() {
    return this.#error ?? this.#client?.error;
  }

  /** Own words in place of some of the table's. */
  get texts() {
    return this.#texts;
  }

  set texts(texts) {
    this.#texts = texts;
    this.#show();
  }

  /** Signs in as the attributes say; options outrank them. */
  async signIn(options = {}) {
    if (!this.#client) throw this.#error ?? own("invalid_configuration", "the element is not in a page");
    const settings = { __proto__: null };
    for (const [attribute, , read, name = attribute] of SIGN_IN) {
      const value = this.getAttribute(attribute);
      if (value !== null) settings[name === attribute ? camel(attribute) : name] = read(value);
    }
    if (this.#inWindow) settings.mode = "popup";
    this.#attempt?.abort();
    const attempt = (this.#attempt = new AbortController());
    const { signal } = options;
    signal?.addEventListener("abort", () => attempt.abort(signal.reason), { __proto__: null, once: true, signal: attempt.signal });
    try {
      return await this.#client.signIn(Object.assign(settings, options, { signal: attempt.signal }));
    } finally {
      if (this.#attempt === attempt) this.#attempt = undefined;
    }
  }

  /** A page inside another cannot be left: whoever signs in there does so in a window. */
  get #inWindow() {
    return this.mode === "popup" || framed();
  }

  get identities() {
    return this.#client?.identities ?? [];
  }

  signOut(options) {
    return this.#client?.signOut(options) ?? Promise.resolve("here");
  }

  accessToken(options) {
    return this.#client ? this.#client.accessToken(options) : Promise.reject(this.#error ?? own("cancelled"));
  }

  fetch(input, init) {
    return this.#client ? this.#client.fetch(input, init) : Promise.reject(this.#error ?? own("cancelled"));
  }

  connectedCallback() {
    this.#build();
    if (!this.#read) this.#configure();
    if (!this.#listening && this.#client) this.#listen();
    this.#show();
  }

  disconnectedCallback() {
    // An element that is moved is taken out and put in again, all in one go.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#listening?.();
      this.#listening = undefined;
      // Whoever closed what it was in does not expect to be led away.
      if (["leaving", "in-popup"].includes(this.#client?.view.working)) this.#attempt?.abort();
    });
  }

  attributeChangedCallback(attribute, before, now) {
    if (!this.#read || before === now) return;
    if (CONFIG.some(([name]) => name === attribute)) console.warn(`<polar-signin>: ${attribute} is read once, at the start`);
    else this.#show();
  }

  /** Reads the settings, once, from this element and nothing else. What is not valid makes it inert. */
  #configure() {
    for (const [attribute, property] of ALL) {
      // Set before this class was there: it would hide the accessor.
      if (Object.hasOwn(this, property)) {
        const value = this[property];
        delete this[property];
        this[property] = value;
      }
      const choices = CHOICES[attribute];
      if (choices && this.hasAttribute(attribute) && !choices.includes(this.getAttribute(attribute))) this.#refuse(attribute);
    }
    for (const name of this.getAttributeNames()) {
      // Any attribute may stand on an element; one of ours that is written otherwise is a slip of the pen.
      const plain = name.replace(/[-_]/g, "");
      if (ALL.some(([known]) => known !== name && known.replace(/-/g, "") === plain)) this.#refuse(name);
    }
    this.#read = true;
    if (this.#error) return;
    const options = { __proto__: null };
    for (const [attribute, property, read, name = property] of CONFIG) {
      const value = this.getAttribute(attribute);
      if (value !== null) options[name] = read(value);
    }
    try {
      this.#client = createClient(options);
    } catch (error) {
      this.#refuse(undefined, error);
    }
  }

  #refuse(about, error = own("invalid_configuration", about)) {
    this.#error ??= error;
    console.warn(`<polar-signin>: ${error.code} ${error.about ?? ""}`);
    this.#tell("polar-error", details(error));
  }

  #listen() {
    const stop = new AbortController();
    this.#client.subscribe((view) => {
      const before = this.#last;
      this.#last = view;
      this.#show();
      if (before) this.#report(before, view);
    }, { signal: stop.signal });
    this.#load(stop.signal);
    this.#listening = () => stop.abort();
    if (!this.#inWindow) arrive(this, () => this.#press());
  }

  #report(before, view) {
    if (view.session && view.session.subject !== before.session?.subject) {
      this.#tell("polar-signed-in", { __proto__: null, subject: view.session.subject });
    }
    if (!view.session && before.session) this.#tell("polar-signed-out", { __proto__: null, reached: view.signedOut });
    const chosen = view.session?.organization?.id;
    if (view.session && chosen !== before.session?.organization?.id) this.#tell("polar-organization", { __proto__: null, id: chosen });
    const { error } = view;
    if (error && error.code !== before.error?.code && !QUIET.includes(error.code)) this.#tell("polar-error", details(error));
  }

  #tell(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { __proto__: null, bubbles: true, composed: true, cancelable, detail: Object.freeze(detail) }));
  }

  /** Fetches the WebAssembly when it can be seen and nothing else is to be done, or when it is about to be used. */
  #load(signal) {
    const ready = () => {
      this.#loading ??= this.#client.ready().then(() => this.#tell("polar-ready", {}), () => (this.#loading = undefined));
    };
    if (this.eager || this.#client.state !== "signed-out") return ready();
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      (globalThis.requestIdleCallback ?? setTimeout)(() => !signal.aborted && ready());
    });
    seen.observe(this);
    signal.addEventListener("abort", () => seen.disconnect());
  }

  #build() {
    if (this.#parts) return;
    const root = this.shadowRoot ?? this.attachShadow({ __proto__: null, mode: "open", delegatesFocus: true });
    root.replaceChildren();
    root.adoptedStyleSheets = [styles()];
    const label = make("span", "label");
    const spinner = make("span", "spinner");
    spinner.setAttribute("aria-hidden", "true");
    const inside = [slot("icon"), spinner, slot("label", label)];
    const [anchor, button] = [make("a", "button"), make("button", "button")];
    button.className = "button";
    button.type = "button";
    const status = make("span", "status");
    status.setAttribute("role", "status");
    const [cancel, signOut, here] = [make("button", "cancel"), make("button", "sign-out"), make("button", "redirect")];
    for (const plain of [cancel, signOut, here]) plain.type = "button";
    const [avatar, name, organization] = [make("span", "avatar"), make("span", "name"), make("span", "organization")];
    avatar.setAttribute("aria-hidden", "true");
    const account = make("div", "account", avatar, make("span", undefined, name, organization));
    const error = make("div", "error");
    error.setAttribute("role", "alert");
    const [failed, signedIn, fallback] = [slot("error"), slot("signed-in"), slot()];
    const base = make("div", "base", error, failed, anchor, button, status, account, signedIn, signOut, cancel, here, fallback);
    root.append(base);
    this.#parts = { base, anchor, button, inside, label, spinner, status, cancel, signOut, here, avatar, name, organization, account, error, failed, signedIn, fallback };

    for (const control of [anchor, button]) {
      control.addEventListener("click", (event) => {
        // A link that is opened elsewhere is the browser's.
        if (control === anchor && (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) return;
        event.preventDefault();
        if (control.getAttribute("aria-disabled") !== "true") this.#press();
      });
      for (const kind of ["pointerenter", "focus", "pointerdown"]) {
        control.addEventListener(kind, (event) => {
          if (control === anchor) {
            anchor.href = address(this);
            if (kind === "pointerdown") offer(this, event);
          }
          if (this.state === "signed-out") this.#client?.prepare().catch(() => {});
        });
      }
    }
    anchor.addEventListener("keydown", (event) => offer(this, event));
    cancel.addEventListener("click", () => this.#client?.cancel());
    here.addEventListener("click", () => this.#press({ mode: "redirect" }));
    signOut.addEventListener("click", () => this.signOut().catch(() => {}));
  }

  #press(options = {}) {
    if (!this.#client || !this.#tell("polar-sign-in", {}, true)) return;
    // What goes wrong is in the view.
    this.signIn(options).catch(() => {});
  }

  #word(name, about = this.#client?.view.provider ?? this.#providerName()) {
    const words = this.#texts && Object.hasOwn(this.#texts, name) ? this.#texts : TEXTS[this.#language()];
    return String(words[name]).replace("{}", () => about);
  }

  #providerName() {
    const known = { __proto__: null, polar: "Polar", "polar-sandbox": "Polar sandbox", local: "Polar (local demo)" }[this.provider ?? "polar"];
    return this.providerName ?? known ?? this.issuer?.replace(/^https?:\/\/([^/]*).*$/, "$1") ?? "";
  }

  #language() {
    let around = this;
    // Also around a shadow root that this is in.
    while (around && !around.closest("[lang]")) around = around.getRootNode().host;
    return language(this.locale, around?.closest("[lang]").getAttribute("lang"), navigator.language);
  }

  #show() {
    if (!this.#parts || !this.#read) return;
    const { base, anchor, button, inside, label, spinner, status, cancel, signOut, here, avatar, name, organization, account, error, failed, signedIn, fallback } = this.#parts;
    const view = this.#client?.view;
    const wrong = this.#error ?? view?.error;
    let { state } = this;
    if (state === "failed" && QUIET.includes(wrong.code)) state = "signed-out";
    const had = this.shadowRoot.activeElement;

    for (const known of STATES) this.#states?.[known === state ? "add" : "delete"](known);
    const lang = this.#language();
    base.lang = lang;
    base.dir = lang === "ar" ? "rtl" : "ltr";

    const working = state === "working";
    const popup = this.#inWindow;
    const usable = this.#client && !(wrong && !wrong.retryable && state === "failed");
    const primary = popup ? button : anchor;
    const offered = usable && state !== "signed-in" && !view.inert && !view.inPopup && !(working && ["signing-out", "completing"].includes(view.working));
    anchor.hidden = popup || !offered;
    button.hidden = !popup || !offered;
    if (offered && !inside.includes(primary.firstChild)) primary.append(...inside);
    primary.setAttribute("aria-disabled", String(working));
    if (!popup && !anchor.hash) anchor.href = address(this);
    spinner.hidden = !working;
    const again = state === "failed" && !(wrong.code === "session_expired");
    const asks = this.subType === "organization" ? "organization" : "signIn";
    set(label, this.#word(again ? "again" : asks));

    const step = { __proto__: null, leaving: "leaving", "in-popup": "popup", completing: "completing", "signing-out": "signingOut" }[view?.working];
    const said = view?.inPopup ? "close" : working ? (step ?? "completing") : undefined;
    set(status, said ? this.#word(said) : "");
    cancel.hidden = !(working && ["leaving", "in-popup"].includes(view.working));
    set(cancel, this.#word("cancel"));

    const { session } = view ?? {};
    const isIn = state === "signed-in";
    account.hidden = signOut.hidden = signedIn.hidden = !isIn;
    if (isIn) {
      set(name, session.displayName);
      set(organization, session.organization?.name ?? "");
      organization.hidden = !session.organization;
      face(avatar, session.organization?.avatarUrl ?? session.picture, session.organization?.name ?? session.displayName);
      set(signOut, this.#word("signOut"));
    }

    const shown = wrong && !QUIET.includes(wrong.code) && !working && !view?.inert;
    error.hidden = !shown;
    set(error, shown ? this.#word(wordsFor(wrong)) : "");
    error.dataset.code = shown ? wrong.code : "";
    failed.hidden = !shown;
    here.hidden = !(shown && wrong.code === "popup_blocked" && !framed());
    set(here, this.#word("signIn"));
    fallback.hidden = !(shown && NOT_HERE.includes(wrong.code));

    // The control that had the focus may be gone: the next one gets it.
    if (had?.hidden) [primary, signOut, cancel].find((control) => !control.hidden)?.focus();
  }
}

reflect(PolarSigninElement.prototype);

function camel(attribute) {
  return attribute.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

function details({ code, phase, retryable }) {
  return { __proto__: null, code, phase, retryable };
}

/** A text, written only if it is another: whoever reads the page aloud would say it again. */
function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function face(avatar, picture, name) {
  if (avatar.dataset.of === `${picture} ${name}`) return;
  avatar.dataset.of = `${picture} ${name}`;
  const initial = () => avatar.replaceChildren([...name][0]?.toUpperCase() ?? "");
  initial();
  if (!picture) return;
  const image = make("img");
  image.alt = "";
  image.referrerPolicy = "no-referrer";
  image.decoding = "async";
  // The page's policy may not allow it.
  image.addEventListener("error", initial);
  image.src = picture;
  avatar.replaceChildren(image);
}
