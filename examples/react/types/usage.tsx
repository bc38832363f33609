// What a strict compiler must take, and what it must not: checked with the app, and part of no bundle.
import { createClient, PolarSigninClient, PolarSigninError, type Identity, type Session } from "polar-signin";
import { PolarSigninElement } from "polar-signin/element";
import type {} from "polar-signin/react";

export async function client(signal: AbortSignal): Promise<void> {
  const client = createClient({ clientId: "polar_ci_1", provider: "polar", scope: "openid email", allowedOrigins: [] });
  const session: Session = await client.signIn({ mode: "popup", organization: true, add: true, maxAge: 60, signal });
  const email: string | undefined = session.email;
  const identities: readonly Identity[] = client.identities;
  for (const { id } of identities) client.switchTo(id);
  const token: string = await client.accessToken({ identity: 1, signal });
  const answer: Response = await client.fetch("https://api.polar.sh/v1/users/me", { signal });
  const { organizations, kind } = await client.organizations();
  const reached: "here" | "elsewhere" | "revoked" | "not-revoked" | "everywhere" = await client.signOut({ identity: 1 });
  const stop: () => void = client.subscribe(({ state, error }) => console.log(state, error?.code, error?.retryable));
  client.addEventListener("organization", () => stop());
  void [email, token, answer.ok, organizations[0]?.slug, kind === "itself", reached];

  // @ts-expect-error An option that is misspelt.
  createClient({ clientID: "polar_ci_1" });
  // @ts-expect-error Without a client there is no sign-in.
  createClient({});
  // @ts-expect-error Nobody makes one but createClient.
  new PolarSigninClient();
  // @ts-expect-error A session is not written to.
  session.subject = "somebody else";
  // @ts-expect-error No token is in it.
  void session.accessToken;
  // @ts-expect-error There is no such way.
  await client.signIn({ mode: "iframe" });
}

export function element(): PolarSigninElement {
  PolarSigninElement.define();
  const element = document.createElement("polar-signin");
  element.clientId = "polar_ci_1";
  element.texts = { signIn: "Enter" };
  element.addEventListener("polar-signed-in", ({ detail }) => console.log(detail.subject));
  element.addEventListener("polar-organization", ({ detail }) => console.log(detail.id?.length));
  element.addEventListener("polar-error", ({ detail }) => console.log(detail.code, detail.phase, detail.retryable));
  // @ts-expect-error No token is in an event.
  element.addEventListener("polar-signed-in", ({ detail }) => console.log(detail.token));
  // @ts-expect-error There are two.
  element.mode = "frame";
  return element;
}

export const inReact = (
  <polar-signin client-id="polar_ci_1" mode="popup" theme="dark" eager="">
    <a href="/help/">Help</a>
  </polar-signin>
);
// @ts-expect-error It has no such attribute.
export const misspelt = <polar-signin client-id="polar_ci_1" return="/there" />;

export function said(error: unknown): string {
  return error instanceof PolarSigninError ? `${error.code} in ${error.phase}: ${error.hint}` : String(error);
}
