import type { Identity, OfIdentity, PolarSigninClient, PolarSigninError, Session, SignInOptions, SignedOut, State } from "./index.js";

/** Each text of the element by its name. `{}` stands for the provider's name. */
export type Texts = Partial<
  Record<
    | "signIn" | "organization" | "leaving" | "popup" | "completing" | "signingOut" | "cancel" | "signOut" | "again" | "close"
    | "denied" | "network" | "storage" | "setUp" | "expired" | "blocked" | "framed" | "failed",
    string
  >
>;

/**
 * `<polar-signin>`.
 *
 * States for CSS: `:state(signed-out)`, `:state(working)`, `:state(signed-in)`, `:state(failed)`.
 * Parts: `base button label spinner status cancel account avatar name organization sign-out redirect error`.
 * Slots: `label`, `icon`, `signed-in`, `error`; the default one is shown where the element cannot work.
 * Variables: `--polar-signin-accent -on-accent -line -danger -radius -font`.
 */
export class PolarSigninElement extends HTMLElement {
  /** Registers it under this name, unless something is. */
  static define(tag?: string, registry?: CustomElementRegistry): void;

  // Read once, when the element is first put into a page.
  clientId?: string;
  provider?: string;
  issuer?: string;
  metadataUrl?: string;
  organizationsEndpoint?: string;
  redirectUri?: string;
  scope?: string;
  providerName?: string;
  /** Space-separated. */
  allowedOrigins?: string;
  /** Space-separated. */
  parentOrigins?: string;
  allowHttpOnLoopback: boolean;
  dpop: boolean;
  noProviderSignOut: boolean;

  // Read at each sign-in.
  subType?: "user" | "organization";
  prompt?: "login" | "consent" | "select_account";
  maxAge?: string | number;
  loginHint?: string;
  returnTo?: string;

  // Followed at once.
  mode?: "redirect" | "popup";
  theme?: "auto" | "light" | "dark";
  /** Of the words. Default: the language of the page around the element, then the browser's. */
  locale?: string;
  /** Fetch the WebAssembly at once, and not only when the element is seen or used. */
  eager: boolean;
  /** Own words in place of some of the table's. */
  texts?: Texts;

  readonly state: State;
  readonly session: Session | undefined;
  /** Everybody who is signed in here; `session` is that of the active one. */
  readonly identities: readonly Identity[];
  readonly error: PolarSigninError | undefined;
  /** The client, for whatever there is no attribute for. `undefined` if the settings are not valid. */
  readonly client: PolarSigninClient | undefined;

  signIn(options?: SignInOptions): Promise<Session>;
  signOut(options?: OfIdentity): Promise<SignedOut>;
  accessToken(options?: OfIdentity): Promise<string>;
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
}

/** The events of the element. All bubble, and cross shadow roots. None carries a token. */
export interface PolarSigninEventMap {
  /** The core is there, and knows whether somebody is signed in. */
  "polar-ready": CustomEvent<Record<string, never>>;
  /** Somebody has used the button. Cancelable. */
  "polar-sign-in": CustomEvent<Record<string, never>>;
  "polar-signed-in": CustomEvent<{ readonly subject: string }>;
  "polar-signed-out": CustomEvent<{ readonly reached?: SignedOut }>;
  /** Another organization is the chosen one now, or none. */
  "polar-organization": CustomEvent<{ readonly id: string | undefined }>;
  "polar-error": CustomEvent<{ readonly code: string; readonly phase: string; readonly retryable: boolean }>;
}

/** The attributes, for JSX. */
export interface PolarSigninAttributes {
  "client-id"?: string;
  provider?: "polar" | "polar-sandbox" | "oidc" | "local";
  issuer?: string;
  "metadata-url"?: string;
  "organizations-endpoint"?: string;
  "redirect-uri"?: string;
  scope?: string;
  "provider-name"?: string;
  "allowed-origins"?: string;
  "parent-origins"?: string;
  "allow-http-on-loopback"?: boolean | "";
  dpop?: boolean | "";
  "no-provider-sign-out"?: boolean | "";
  "sub-type"?: "user" | "organization";
  prompt?: "login" | "consent" | "select_account";
  "max-age"?: string | number;
  "login-hint"?: string;
  "return-to"?: string;
  mode?: "redirect" | "popup";
  theme?: "auto" | "light" | "dark";
  locale?: string;
  eager?: boolean | "";
}

declare global {
  interface HTMLElementTagNameMap {
    "polar-signin": PolarSigninElement;
  }
  interface GlobalEventHandlersEventMap extends PolarSigninEventMap {}
  interface HTMLElementEventMap extends PolarSigninEventMap {}
}
