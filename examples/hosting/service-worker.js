// For a site that has a service worker: what it may keep of polar-signin. A page whose address holds an
// answer of the provider is never kept, nor answered from what was kept; neither is config.json.
const CACHE = "polar-signin";
const hashed = /-[0-9a-f]{8,16}(_bg)?\.(css|js|svg|wasm)$/;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || url.search || !hashed.test(url.pathname)) {
    return; // The browser asks the network, as if there were no service worker.
  }
  event.respondWith(kept(event.request));
});

async function kept(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}
