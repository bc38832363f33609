//! Addresses that may be fetched or navigated to, kept exactly as they were given.
//!
//! This is no general URL parser: it accepts the plain https addresses that endpoints have, and
//! refuses everything on which two parsers could disagree.

use core::fmt;

/// Which addresses are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// https alone.
    Https,
    /// Also http on `localhost`, `127.0.0.1` and `[::1]`: for development.
    HttpsOrLoopback,
}

/// An absolute https address (or http on loopback, where allowed): printable ASCII, no
/// credentials, no fragment. Compared byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    text: String,
    /// Where the authority ends.
    authority_end: usize,
}

impl EndpointUrl {
    /// Checks the text; nothing is normalised. `None` if it is not such an address.
    #[must_use]
    pub fn parse(text: &str, transport: Transport) -> Option<Self> {
        let printable = |b: u8| {
            matches!(b, 0x21..=0x7e)
                && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#')
        };
        if text.len() > 4096 || !text.bytes().all(printable) {
            return None;
        }
        let (secure, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://")?),
        };
        let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        let (host, port) = split_port(authority)?;
        if !is_host(host) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return None;
        }
        if !(secure || transport == Transport::HttpsOrLoopback && is_loopback(host)) {
            return None;
        }
        let authority_end = text.len() - rest.len() + authority.len();
        Some(Self { text: text.to_owned(), authority_end })
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port in the form that browsers use: lower case, no default port.
    #[must_use]
    pub fn origin(&self) -> String {
        let origin = self.text[..self.authority_end].to_ascii_lowercase();
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
            if let (true, Some(bare)) = (origin.starts_with(scheme), origin.strip_suffix(port)) {
                return bare.to_owned();
            }
        }
        origin
    }

    /// Whether scheme, host and port are the same, byte for byte.
    #[must_use]
    pub fn shares_authority(&self, other: &Self) -> bool {
        self.text[..self.authority_end] == other.text[..other.authority_end]
    }

    /// Path and query, at least `/`.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        let rest = &self.text[self.authority_end..];
        if rest.is_empty() { "/" } else { rest }
    }

    /// The query without its `?`, if there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.text[self.authority_end..].split_once('?').map(|(_, query)| query)
    }

    /// The host, in lower case.
    #[must_use]
    pub fn host(&self) -> String {
        let start = self.text.find("//").map_or(0, |at| at + 2);
        let authority = &self.text[start..self.authority_end];
        split_port(authority).map_or(authority, |(host, _)| host).to_ascii_lowercase()
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may carry what does not belong into a log.
        f.write_str(self.text.split('?').next().unwrap_or_default())
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let rest = &authority[end..];
        return match rest.strip_prefix(':') {
            Some(port) => Some((&authority[..end], Some(port))),
            None if rest.is_empty() => Some((authority, None)),
            None => None,
        };
    }
    Some(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn is_host(host: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    host == "[::1]" || host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

/// Whether the host names this very machine, by one of the three names that browsers trust.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Scheme, host and port of an address, as they stand in it.
#[cfg(feature = "dpop")]
pub(crate) fn authority(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

/// The address up to its query and fragment.
#[must_use]
pub fn without_query(url: &str) -> &str {
    &url[..url.find(['?', '#']).unwrap_or(url.len())]
}

/// `return_to` if it is a path on this site, else `/`: it begins with exactly one `/`, holds no
/// backslash and no control character, is at most 2 KiB long, and no prefix of it resolves to
/// something that begins with `//` (RFC 9700 4.11.1).
#[must_use]
pub fn safe_return_to(return_to: &str) -> &str {
    let plain = return_to.len() <= 2048
        && return_to.starts_with('/')
        && !return_to.bytes().any(|b| b < 0x20 || b == 0x7f || b == b'\\');
    if plain && !resolves_to_other_authority(return_to) { return_to } else { "/" }
}

/// Whether the path, after its dot segments are resolved as browsers do, begins with `//`: such
/// a path is harmless when it is read once, and another site's address when it is read twice.
fn resolves_to_other_authority(path: &str) -> bool {
    let path = without_query(path);
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        // Something behind an empty first segment: `//…`.
        if segments.first() == Some(&"") {
            return true;
        }
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        match dots.as_str() {
            ".." => drop(segments.pop()),
            "." => {}
            _ => segments.push(segment),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_addresses_are_endpoints() {
        let ok = |text| EndpointUrl::parse(text, Transport::Https).is_some();
        for good in
            ["https://op.example", "https://op.example/a/b?c=d", "https://OP.example:8443/", "https://op.example./"]
        {
            assert!(ok(good), "{good}");
        }
        for bad in [
            "",
            "http://op.example/",
            "http://localhost/",
            "HTTPS://op.example",
            "//op.example",
            "/x",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://u:p@op.example/",
            "https://op.example/#f",
            "https://op.example:port/",
            "https://op.example:99999/",
            "https://op.example:/",
            "https://op%2eexample/",
            "https://op.example\\@evil/",
            "https://op.example/ x",
            " https://op.example/",
            "https://öp.example/",
            "https://op..example/",
            "https://[::2]/",
        ] {
            assert!(!ok(bad), "{bad}");
        }
    }

    #[test]
    fn loopback_is_for_development_alone() {
        let ok = |text| EndpointUrl::parse(text, Transport::HttpsOrLoopback).is_some();
        for good in ["http://localhost:8080/", "http://127.0.0.1/x", "http://[::1]:9/"] {
            assert!(ok(good), "{good}");
        }
        for bad in ["http://localhost.evil.example/", "http://127.0.0.2/", "http://10.0.0.1/", "http://evil.example/"] {
            assert!(!ok(bad), "{bad}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_do() {
        let origin = |text| EndpointUrl::parse(text, Transport::HttpsOrLoopback).expect("valid").origin();
        assert_eq!(origin("https://OP.example:443/x"), "https://op.example");
        assert_eq!(origin("http://localhost:8080?x"), "http://localhost:8080");
    }

    #[test]
    fn cb_35_to_38_return_to_stays_on_this_site() {
        for good in ["/", "/app", "/app?x=1#y", "/%5Cevil", "/a/../b", "/#/api", "/a//b"] {
            assert_eq!(safe_return_to(good), good, "{good}");
        }
        let long = format!("/{}", "a".repeat(2048));
        for bad in [
            "",
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
            "/..//evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            "//.",
            "/..//.",
            "//.",
            "/..//.",
            "/%2E//evil.example",
            "/a/.%2e//evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://rp.example/uuid",
            "vbscript:",
            "about:blank",
            "%",
            "/\0",
            long.as_str(),
        ] {
            assert_eq!(safe_return_to(bad), "/", "{bad}");
        }
    }
}
