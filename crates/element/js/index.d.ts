/** Who is asked, and as which client. Relative addresses are meant from the page. */
export interface ClientOptions {
  /** The public client's id. */
  clientId: string;
  /** Whose client it is. Default: `"polar"`. `"oidc"` is any other; it needs `issuer`. */
  provider?: "polar" | "polar-sandbox" | "oidc" | "local";
  /** What buttons call the provider. */
  name?: string;
  /** Expected byte for byte in the metadata and in each ID token. */
  issuer?: string;
  /** Where the metadata is. Default: at the issuer's well-known address. */
  metadataUrl?: string;
  /** A list of organizations in Polar's form. Default: Polar's own. */
  organizationsEndpoint?: string;
  /** On the origin of the page. Default: the address of the page, without query and fragment. */
  redirectUri?: string;
  /** Space-separated. `openid` is added. */
  scope?: string;
  /**
   * Where `fetch` sends the access token: these origins and no others. Default: those of the provider's API and
   * userinfo.
   */
  allowedOrigins?: string[];
  /**
   * Which page may have this one in a frame: its exact origin. It has to be the outermost one. Signing in is by popup
   * there, and signing out ends here. The page around gets `{ type: "polar-signin:status", status }` by `postMessage`,
   * with the `state`, at each change of it; it cannot ask for anything. Default: none; in a frame nothing runs, and
   * whatever is called fails with `framed`.
   */
  parentOrigins?: string[];
  /** Whether signing out goes on at the provider, where that offers it. Default: `true`. */
  rpInitiatedLogout?: boolean;
  /**
   * Tokens are bound to a key of this browser that nobody can read (DPoP, RFC 9449), where the provider announces that;
   * elsewhere signing in fails. Only in a package that was built with it (`cargo xtask package --dpop`): any other
   * refuses the option (`invalid_configuration`). Default: `false`.
   */
  dpop?: boolean;
  /** A weakening, for development on one machine: accepts endpoints on `http://localhost`. Default: `false`. */
  allowHttpOnLoopback?: boolean;
}

/** Whoever can be given up on. */
export interface Abortable {
  signal?: AbortSignal;
}

/** Whose. */
export interface OfIdentity extends Abortable {
  /** The `id` of one of the identities. Default: the active one. */
  identity?: number;
}

/** How a person signs in this time. */
export interface SignInOptions extends Abortable {
  /** Leave the page, or open a window: then call `signIn` in the click itself. Default: `"redirect"`. */
  mode?: "redirect" | "popup";
  /** Besides whoever is signed in, and not in their place. Whoever is added becomes the active one. Default: `false`. */
  add?: boolean;
  /** Choose an organization (Polar). */
  organization?: boolean;
  /** What the provider asks even if it need not. */
  prompt?: "login" | "consent" | "select_account";
  /** Further scopes, space-separated, besides those of the client. */
  scope?: string;
  /** How old the sign-in at the provider may be, in seconds. */
  maxAge?: number;
  /** Whom the provider may suggest. */
  loginHint?: string;
  /** The path on this site to go to afterwards. Default: this page. */
  returnTo?: string;
}

/** An organization. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly slug?: string;
  readonly avatarUrl?: string;
}

/** Which organizations a sign-in reaches. */
export interface Reach {
  /**
   * `itself`: the token is the organization's own; `selected`: one was chosen; `organizations`: the person's;
   * `unknown`: the scope was not granted, or the provider has no such list.
   */
  readonly kind: "itself" | "selected" | "organizations" | "unknown";
  /** How many in all. */
  readonly total: number;
  /** The first of them, at most 100. */
  readonly organizations: readonly Organization[];
}

/** Who is signed in, out of a verified ID token. No token is in it. */
export interface Session {
  /** `sub`: the only claim that identifies. */
  readonly subject: string;
  readonly kind: "user" | "organization";
  /** The first of name, email and subject that is known. */
  readonly displayName: string;
  readonly name?: string;
  /** To show, never to identify by. */
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly picture?: string;
  /** The organization that was chosen. */
  readonly organization?: Organization;
  /** What was granted, space-separated. */
  readonly scope: string;
  /** Milliseconds since 1970. */
  readonly signedInAt: number;
  /** When the access token ends, in milliseconds since 1970, if the provider said so. */
  readonly expiresAt?: number;
  /** Whether it is renewed when it ends. */
  readonly renewable: boolean;
  /** Every claim of the ID token, as text to show. */
  readonly claims: Readonly<Record<string, string>>;
}

/** One of those who are signed in here: a person, or an organization that has a sign-in of its own. */
export interface Identity {
  /** Stays what it is until this one signs out. */
  readonly id: number;
  /** Whose requests are made, unless somebody else's are asked for. */
  readonly active: boolean;
  readonly session: Session;
}

export type State = "signed-out" | "working" | "signed-in" | "failed";

/** All of it at one moment. */
export interface View {
  readonly state: State;
  /** What a person waits for. */
  readonly working?: "leaving" | "in-popup" | "completing" | "signing-out";
  /** Of the active identity. */
  readonly session?: Session;
  /** Everybody who is signed in here. */
  readonly identities: readonly Identity[];
  /** What went wrong last, until it is dismissed. Somebody may still be signed in. */
  readonly error?: PolarSigninError;
  /** How far a sign-out has come: always here; at the provider as far as that offers it. */
  readonly signedOut?: SignedOut;
  /** What the provider is called, once the core is there. */
  readonly provider?: string;
  /** Nothing can be kept in this browser: a reload ends the session. */
  readonly memoryOnly: boolean;
  /** A response came in a frame: there is nothing to do here. */
  readonly inert: boolean;
  /** This page is a window that was opened to sign in: it can be closed. */
  readonly inPopup: boolean;
}

export type SignedOut = "here" | "elsewhere" | "revoked" | "not-revoked" | "everywhere";

/** What an error holds. */
export interface ErrorRecord {
  /** For programs; stable. The list is docs/errors.md. */
  readonly code: string;
  /** Where in the sign-in it happened. */
  readonly phase: string;
  /** Whether trying again may help. */
  readonly retryable: boolean;
  /** What helps: `"sign in again"`, `"later"` or `"no"`. Errors of the JavaScript side have none. */
  readonly retry?: string;
  /** A few words for people, in English. */
  readonly title?: string;
  /** A sentence or two for people, in English. */
  readonly message: string;
  /** For developers. */
  readonly hint: string;
  /** The HTTP status, if it is about one. */
  readonly status?: number;
  /** The setting, parameter or member that it is about. */
  readonly about?: string;
  /** The provider's own words, filtered. Text, never markup. */
  readonly providerError?: string;
  readonly providerDescription?: string;
}

/** What is thrown, but for the reason of an `AbortSignal`. */
export class PolarSigninError extends Error implements ErrorRecord {
  constructor(record: ErrorRecord);
  readonly code: string;
  readonly phase: string;
  readonly retryable: boolean;
  readonly retry?: string;
  readonly title?: string;
  readonly hint: string;
  readonly status?: number;
  readonly about?: string;
  readonly providerError?: string;
  readonly providerDescription?: string;
}

/** The events of a client. They carry nothing: look at the client. */
export interface ClientEventMap {
  change: Event;
  "signed-in": Event;
  "signed-out": Event;
  /** Another organization is the chosen one now, or none. */
  organization: Event;
  error: Event;
}

/**
 * The client of one page. Made by `createClient` alone. The WebAssembly is fetched when it is first needed; at once, if
 * somebody comes back to this page from the provider, or is signed in on it.
 */
export class PolarSigninClient extends EventTarget {
  private constructor();
  readonly state: State;
  readonly session: Session | undefined;
  readonly identities: readonly Identity[];
  readonly error: PolarSigninError | undefined;
  readonly view: View;
  /** Fetches what is needed, and finds the session of this page. */
  ready(): Promise<void>;
  /** A sign-in is likely: what it needs is fetched beforehand. */
  prepare(): Promise<void>;
  /**
   * Signs in. By redirect the page is left, and the promise stays open; it is kept if the person comes back to the page
   * as it was (`cancelled`).
   */
  signIn(options?: SignInOptions): Promise<Session>;
  /** Ends an identity here, then at the provider as far as that offers it. Says how far that went. */
  signOut(options?: OfIdentity): Promise<SignedOut>;
  /** Makes another of the identities the active one. */
  switchTo(identity: number): void;
  /**
   * An access token that can be used now; renewed first if that is due, once for all who ask. With `dpop` it is of no
   * use without a proof for each request: `fetch` makes them.
   */
  accessToken(options?: OfIdentity): Promise<string>;
  /**
   * `fetch`, with the access token where it may go (`allowedOrigins`), and without it elsewhere. An answer 401 renews
   * the token, and the request is sent once more. With the token no redirect is followed, and no cookie is sent.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Which organizations the active identity reaches. */
  organizations(options?: Abortable): Promise<Reach>;
  /** Calls back at once and with every change, until the returned function is called. */
  subscribe(listener: (view: View) => void, options?: Abortable): () => void;
  /** Stays here after all. */
  cancel(): void;
  /** The error has been read. */
  dismissError(): void;
  addEventListener<K extends keyof ClientEventMap>(
    type: K,
    listener: (this: PolarSigninClient, event: ClientEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The client of these options. Equal options have the same one. Throws `invalid_configuration`. */
export function createClient(options: ClientOptions): PolarSigninClient;
