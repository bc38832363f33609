import { createClient, type ClientOptions } from "polar-signin";
import { createRoot } from "react-dom/client";
import { App } from "./App";

// `config.json` beside the page; the same could stand here.
const answer = await fetch("config.json");
const options = (await answer.json()) as ClientOptions;
// If this page is a callback, that is finished by itself.
createRoot(document.getElementById("root")!).render(<App client={createClient(options)} />);
