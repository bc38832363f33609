// The attributes of the element, one table, and the properties that mirror them.

// Attribute, property, and how an option is made of it. Read once: whoever changes them later changes nothing.
const text = (value) => value;
const list = (value) => value.split(/\s+/).filter(Boolean);
export const CONFIG = [
  ["client-id", "clientId", text],
  ["provider", "provider", text],
  ["issuer", "issuer", text],
  ["metadata-url", "metadataUrl", text],
  ["organizations-endpoint", "organizationsEndpoint", text],
  ["redirect-uri", "redirectUri", text],
  ["scope", "scope", text],
  ["provider-name", "providerName", text, "name"],
  ["allowed-origins", "allowedOrigins", list],
  ["parent-origins", "parentOrigins", list],
  ["allow-http-on-loopback", "allowHttpOnLoopback", () => true],
  ["dpop", "dpop", () => true],
  ["no-provider-sign-out", "noProviderSignOut", () => false, "rpInitiatedLogout"],
];
// Read at each sign-in.
export const SIGN_IN = [
  ["sub-type", "subType", (value) => value === "organization", "organization"],
  ["prompt", "prompt", text],
  ["max-age", "maxAge", Number],
  ["login-hint", "loginHint", text],
  ["return-to", "returnTo", text],
];
// How it looks: followed at once.
const LOOKS = [["mode", "mode"], ["theme", "theme"], ["locale", "locale"], ["eager", "eager"]];
export const ALL = [...CONFIG, ...SIGN_IN, ...LOOKS];
const BOOLEAN = ["dpop", "allow-http-on-loopback", "no-provider-sign-out", "eager"];
export const CHOICES = {
  __proto__: null,
  "sub-type": ["user", "organization"], mode: ["redirect", "popup"], theme: ["auto", "light", "dark"],
  prompt: ["login", "consent", "select_account"],
};

/** Gives each attribute its property. */
export function reflect(prototype) {
  for (const [attribute, property] of ALL) {
    const isBoolean = BOOLEAN.includes(attribute);
    Object.defineProperty(prototype, property, {
      __proto__: null,
      configurable: true,
      enumerable: true,
      get() {
        return isBoolean ? this.hasAttribute(attribute) : (this.getAttribute(attribute) ?? undefined);
      },
      set(value) {
        if (value === undefined || value === null || (isBoolean && !value)) this.removeAttribute(attribute);
        else this.setAttribute(attribute, isBoolean ? "" : value);
      },
    });
  }
}
