// The client without any interface. The element is "polar-signin/element".
export { createClient, PolarSigninClient } from "./client.js";
export { PolarSigninError } from "./errors.js";
