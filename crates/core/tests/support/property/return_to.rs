//! FZ-02: where a person is sent back to.

use polar_signin_core::url::safe_return_to;
use url::Url;

use super::Choices;

/// Any text, or one put together from what is dangerous.
pub fn text(bytes: &[u8]) -> String {
    let mut choices = Choices::new(bytes);
    if choices.one_in(3) {
        choices.text()
    } else {
        let pieces = [
            "/",
            "//",
            "\\",
            ".",
            "..",
            "%2e",
            "%2E",
            "%2f",
            "%5C",
            "evil.example",
            "@",
            ":",
            "?",
            "#",
            "\t",
            "\n",
            "\u{1}",
            " ",
            "https:",
            "a",
            "é",
            "\u{202e}",
            "%",
            "javascript:",
            "\u{7f}",
            "/a/",
            "../",
        ];
        (0..choices.below(10)).map(|_| choices.pick(&pieces)).collect()
    }
}

/// Wherever somebody shall be sent: it is on this site, read once or twice.
pub fn any(bytes: &[u8]) {
    let text = text(bytes);
    let safe = safe_return_to(&text);
    assert!(safe == "/" || safe == text);
    assert_eq!(safe_return_to(safe), safe);
    assert!(safe.starts_with('/') && !safe.starts_with("//"), "{text:?}");

    let site = Url::parse("https://rp.example/callback").expect("an address");
    let ours = |path: &str| {
        let url = site.join(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let plain = url.username().is_empty() && url.password().is_none();
        assert!(url.origin() == site.origin() && plain, "{text:?} leads to {url}");
        url
    };
    let once = ours(safe);
    ours(once.path());
    let whole = &once[url::Position::BeforePath..];
    ours(whole);
}
