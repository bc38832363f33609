/** Importing it registers `<polar-signin>`. */
export { PolarSigninElement } from "./element.js";
