// How the element looks. A sheet that is made, not parsed out of markup: strict policies have no word against it, and
// all elements of a page share it. Every `--polar-signin-*` can be set from outside.
const CSS = `
:host { display: inline-block; vertical-align: middle; max-inline-size: 100%;
  --_accent: var(--polar-signin-accent, #2450d8); --_on-accent: var(--polar-signin-on-accent, #fff);
  --_line: var(--polar-signin-line, #8a93a3); --_danger: var(--polar-signin-danger, #a8261c);
  --_radius: var(--polar-signin-radius, .625rem); }
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
@supports (color: light-dark(#000, #fff)) {
  :host { --_accent: var(--polar-signin-accent, light-dark(#2450d8, #9db8ff));
    --_on-accent: var(--polar-signin-on-accent, light-dark(#fff, #0b1226));
    --_line: var(--polar-signin-line, light-dark(#737b89, #8a93a3));
    --_danger: var(--polar-signin-danger, light-dark(#a8261c, #ff9f95)); }
}
.base { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; min-block-size: 2.75rem; min-inline-size: 0;
  font: var(--polar-signin-font, 1rem/1.4 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  letter-spacing: normal; word-spacing: normal; text-align: start; text-indent: 0; text-transform: none; text-shadow: none;
  white-space: normal; overflow-wrap: anywhere; cursor: auto; }
[hidden] { display: none !important; }
.button, .plain { box-sizing: border-box; display: inline-flex; align-items: center; justify-content: center; gap: .5rem;
  min-block-size: 2.75rem; padding: .5rem 1rem; margin: 0; border: 1px solid transparent; border-radius: var(--_radius);
  font: inherit; font-weight: 600; text-decoration: none; text-align: center; cursor: pointer; }
.button { background: var(--_accent); color: var(--_on-accent); }
.button:hover { filter: brightness(1.08); }
.button[aria-disabled="true"] { cursor: progress; opacity: .85; }
.plain { background: transparent; color: inherit; border-color: var(--_line); }
.plain:hover { text-decoration: underline; }
.button:focus-visible, .plain:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.spinner { inline-size: 1em; block-size: 1em; border: 2px solid; border-inline-end-color: transparent; border-radius: 50%;
  animation: turn .9s linear infinite; }
@keyframes turn { to { rotate: 1turn; } }
@media (prefers-reduced-motion: reduce) { .spinner { animation: none; border-inline-end-color: currentcolor; opacity: .6; } }
.status:empty { position: absolute; }
.account { display: flex; align-items: center; gap: .625rem; min-inline-size: 0; }
.avatar { flex: none; display: grid; place-items: center; inline-size: 2.25rem; block-size: 2.25rem; border-radius: 50%;
  overflow: hidden; background: var(--_accent); color: var(--_on-accent); font-weight: 600; }
.avatar img { inline-size: 100%; block-size: 100%; object-fit: cover; }
.name, .organization { display: block; min-inline-size: 0; }
.name { font-weight: 600; }
.organization { font-size: .875em; }
.error { flex: 1 1 100%; color: var(--_danger); }
.quiet { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { .button, .plain { border-color: ButtonText; } .spinner { forced-color-adjust: none; color: Highlight; } }
`;

let sheet;

/** The sheet, made when the first element needs it. */
export function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
