// Registers <polar-signin>.
import { PolarSigninElement } from "./element.js";

PolarSigninElement.define();
export { PolarSigninElement };
