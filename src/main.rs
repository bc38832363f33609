//! The single-page app: settings, session, page.

mod pages;

use leptos::prelude::*;
use polar_signin::{
    browser::{dom, http},
    client::config,
};

fn main() {
    // Before anything that other scripts could have their hands in later.
    http::capture();
    wasm_bindgen_futures::spawn_local(async {
        let loaded = config::load().await;
        dom::remove("shell");
        mount_to_body(move || pages::app(loaded));
        let _ = dom::take_mark("starting");
    });
}
