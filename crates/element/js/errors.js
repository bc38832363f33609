// What can go wrong, as one class. Programs look at `code`, people read `message`, developers `hint`.

/** @typedef {import("./index.js").ErrorRecord} ErrorRecord */

// What this side of the WebAssembly has to say. Every other code is the core's: docs/errors.md.
const OWN = {
  __proto__: null,
  cancelled: ["authorization", "The sign-in was not finished.", "The page was left and shown again, or cancel() was called."],
  framed: ["start", "Signing in does not work inside another page.", "The page is in a frame, and parentOrigins does not name the page around it; or mode is redirect there."],
  internal: ["start", "That is a fault of this page.", "A fault of polar-signin itself. Please report it. What is used next starts anew."],
  invalid_configuration: ["start", "This page is not set up rightly.", "The named setting is missing or not allowed."],
  load_failed: ["start", "Please check the connection and try again.", "The WebAssembly did not arrive, or is not the one that belongs to this version (integrity)."],
  wasm_refused: ["start", "This page may not start the sign-in.", "The page's Content-Security-Policy lacks 'wasm-unsafe-eval'."],
  wasm_missing: ["start", "This browser is too old.", "There is no WebAssembly in this browser."],
};
const RETRYABLE = ["cancelled", "internal", "load_failed"];

export class PolarSigninError extends Error {
  constructor(/** @type {ErrorRecord} */ record) {
    super(record.message);
    for (const name of Object.keys(record)) {
      if (name !== "message") Object.defineProperty(this, name, { __proto__: null, value: record[name], enumerable: true });
    }
  }

  get name() {
    return "PolarSigninError";
  }
}

/** An error of this side. */
export function own(code, about) {
  const [phase, message, hint] = OWN[code];
  const record = { __proto__: null, code, phase, message, hint, retryable: RETRYABLE.includes(code) };
  if (about) record.about = about;
  return new PolarSigninError(record);
}
