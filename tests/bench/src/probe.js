// What measures in each page of the site, before any script of the page: the same for every client. It looks at the
// page as a person does, for an element that is there, and says when; on one clock for all pages of the machine.
(({ site, report, ready, signedIn, userinfo, early }) => {
  if (location.origin !== site || window.top !== window) return;
  // The memory of a WebAssembly is no part of what the browser tells.
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const own = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await own.apply(WebAssembly, given);
      window.benchMemory = (made.instance ?? made).exports.memory;
      return made;
    };
  }
  const now = () => performance.timeOrigin + performance.now();
  const seen = { page: performance.timeOrigin };
  const keep = sessionStorage;
  addEventListener("click", (event) => {
    if (event.target.closest?.("#sign-in")) keep.setItem("bench:click", performance.timeOrigin + event.timeStamp);
  }, true);
  let told = "";
  const tell = () => {
    const now = Object.keys(seen).join();
    if (now === told) return;
    told = now;
    navigator.sendBeacon(report, JSON.stringify({ ...seen, click: Number(keep.getItem("bench:click")) }));
  };
  const look = () => {
    const is = (selector) => document.querySelector(selector) !== null;
    if (!seen.ready && is(ready)) seen.ready = now();
    if (!seen.signedIn && is(signedIn)) seen.signedIn = now();
    if (!seen.userinfo && is(userinfo)) seen.userinfo = now();
    const failure = document.querySelector("#failure:not(:empty), main[data-view=error]");
    if (failure) seen.failure = failure.textContent;
    // Telling costs time: only what is waited for is told, and at once.
    if (seen.userinfo || seen.failure || (seen.ready && seen.paint)) tell();
    if (early && !seen.early && seen.paint && document.readyState !== "loading") press();
  };
  // As soon as there is something to press, and a person could see it.
  const press = () => {
    const button = document.querySelector("#sign-in") ?? document.querySelector("polar-signin")?.shadowRoot?.querySelector("a");
    if (!button || button.disabled) return;
    seen.early = now();
    tell();
    button.click();
  };
  // Not everything that changes is an element's.
  const poll = () => {
    look();
    if (!seen.ready || (early && !seen.early)) requestAnimationFrame(poll);
  };
  requestAnimationFrame(poll);
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) seen.paint = performance.timeOrigin + entry.startTime;
    look();
  }).observe({ type: "paint", buffered: true });
})
