// What a page does with <polar-signin>: hear of it, and ask the provider's API in the name of whoever is signed in.
const element = document.querySelector("#above");
const greeting = document.querySelector("#greeting");
const load = document.querySelector("#load");
const list = document.querySelector("#organizations");

function show() {
  const name = element.session?.displayName;
  greeting.textContent = name ? `Hello, ${name}.` : "Nobody is signed in.";
  load.hidden = !name;
  if (!name) list.replaceChildren();
}

element.addEventListener("polar-signed-in", show);
element.addEventListener("polar-signed-out", show);
element.addEventListener("polar-error", (event) => {
  greeting.textContent = `That did not work (${event.detail.code}).`;
});

load.addEventListener("click", async () => {
  // `element.client` has what no attribute is for. `element.fetch(address)` would ask any address of the provider's API:
  // it adds the access token there, and nowhere else.
  const { organizations } = await element.client.organizations();
  list.replaceChildren(
    ...organizations.map(({ name }) => {
      const item = document.createElement("li");
      item.textContent = name;
      return item;
    }),
  );
});
