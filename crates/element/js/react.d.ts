// For React 19: `import "polar-signin/react"` once, for the types of <polar-signin> in JSX. There is no code behind it.
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { PolarSigninAttributes, PolarSigninElement, PolarSigninEventMap } from "./element.js";

type Handlers = { [Name in keyof PolarSigninEventMap as `on${Name}`]?: (event: PolarSigninEventMap[Name]) => void };
type Plain = Omit<DetailedHTMLProps<HTMLAttributes<PolarSigninElement>, PolarSigninElement>, keyof PolarSigninAttributes>;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "polar-signin": Plain & PolarSigninAttributes & Handlers;
    }
  }
}
