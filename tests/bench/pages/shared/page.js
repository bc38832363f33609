// What every page of the comparison has in common: where the provider is, and where things are shown.

/* global __PROVIDER__ */
export const provider = __PROVIDER__;
export const issuer = `${provider}/`;
export const clientId = "polar_ci_bench";
export const scope = "openid profile email";
export const redirectUri = location.origin + location.pathname;
/** Where people are when they come back from the provider. */
export const returns = new URLSearchParams(location.search).has("code");

/** Whether this run is one of many tabs that are to share what they can: set by what measures. */
export const shared = localStorage.getItem("bench:shared") !== null;

/** Whether the client itself is to ask for userinfo, where that is a setting: set by what compares. */
export const loadsUserinfo = localStorage.getItem("bench:userinfo") !== null;

const button = document.querySelector("#sign-in");

/** The button may be used from now on. */
export function ready(signIn) {
  button.addEventListener("click", signIn);
  button.disabled = false;
}

/** Who is signed in. */
export function who(subject) {
  document.querySelector("#who").textContent = subject;
}

/** What userinfo says. */
export function userinfo(claims) {
  document.querySelector("#userinfo").textContent = claims.name;
}

export function failed(error) {
  document.querySelector("#failure").textContent = String(error);
  console.error(error);
}

/** The response of the provider leaves the address. */
export function scrub() {
  history.replaceState({}, "", location.pathname);
}

/** Userinfo, for clients that have no function for it. */
export async function askUserinfo(endpoint, accessToken) {
  const answer = await fetch(endpoint, { headers: { authorization: `Bearer ${accessToken}` } });
  return answer.json();
}
