//! Where somebody is sent back to, as this browser reads it: once, and once more when the path that
//! came of it is taken for an address again.
#![cfg(target_arch = "wasm32")]

use polar_signin::browser::navigation;
use polar_signin_core::url::safe_return_to;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn text(source: &str) -> String {
    let value = js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
    value.as_string().expect("a text")
}

/// The origin that the browser takes an address to, from this page; "" if it is none.
fn origin_of(address: &str) -> String {
    let read: js_sys::Function =
        js_sys::eval("text => { try { return new URL(text, location.href).origin; } catch { return ''; } }")
            .expect("a function")
            .unchecked_into();
    let origin = read.call1(&JsValue::UNDEFINED, &JsValue::from_str(address)).expect("it throws nothing");
    origin.as_string().expect("a text")
}

/// Follows what the core makes of this, as the app does: the address stays on this site, also when the
/// path is read as an address a second time.
fn stays_here(return_to: &str) -> String {
    let ours = text("location.origin");
    let path = safe_return_to(return_to);
    assert_eq!(origin_of(path), ours, "{return_to:?}");
    assert!(navigation::replace_url(path), "{return_to:?}");
    let again = text("location.pathname");
    assert_eq!(origin_of(&again), ours, "{return_to:?} read twice");
    assert!(navigation::replace_url(&again), "{return_to:?} read twice");
    assert_eq!(text("location.origin"), ours);
    assert_eq!(text("location.pathname"), again, "{return_to:?}: the second reading is the first");
    assert!(navigation::replace_url("/"));
    path.to_owned()
}

#[wasm_bindgen_test]
fn cb_35_no_spelling_of_another_site_leaves_this_one() {
    let mut leave = 0;
    for evil in [
        "//evil",
        "///evil",
        "////evil",
        "/\\evil",
        "\\\\evil",
        "/\t/evil",
        "/\n/evil",
        "\u{1}//evil",
        " https://evil",
        "https:///evil",
        "https://rp.example@evil",
        "https://rp.example.evil",
        "//rp.example%2eevil",
        "http://rp.example/",
    ] {
        assert_eq!(stays_here(evil), "/", "{evil:?}");
        leave += usize::from(origin_of(evil) != text("location.origin"));
    }
    // Every one of them is another site's address in this browser, had it been believed.
    assert_eq!(leave, 14);
    for good in ["/%5Cevil", "/app", "/app?a=b#c"] {
        assert_eq!(stays_here(good), good);
    }
}

#[wasm_bindgen_test]
fn cb_36_no_path_leaves_this_site_when_it_is_read_twice() {
    for evil in ["/..//evil.example", "/.//evil.example", "/a/..//evil.example", "/%2e%2e//evil.example"] {
        assert_eq!(stays_here(evil), "/", "{evil:?}");
        // Read once it is a path of ours, read twice it is not.
        assert_eq!(origin_of(evil), text("location.origin"), "{evil:?}");
        let path = text(&format!("new URL({evil:?}, location.href).pathname"));
        assert_eq!(origin_of(&path), origin_of("//evil.example"), "{evil:?}");
    }
}
