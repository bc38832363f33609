//! What Polar accepts as a redirect URI (RFC 6749 3.1.2, and its own rules).

use crate::url::{EndpointUrl, Transport};

/// What is wrong with a redirect URI by Polar's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriProblem {
    /// No absolute address, or one with characters that do not belong there.
    NotAnAddress,
    /// Neither https nor http.
    Scheme,
    /// http, and the host is neither localhost nor a private IPv4 address.
    HttpHost,
    /// It has a fragment (`#…`), which RFC 6749 3.1.2 forbids.
    Fragment,
}

/// Checks a redirect URI by Polar's rules: https, or http on `localhost`, `*.localhost` and
/// private IPv4 addresses; no fragment.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_redirect_uri(uri: &str) -> Result<(), RedirectUriProblem> {
    let lower = uri.trim().to_ascii_lowercase();
    let (secure, rest) = match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ if lower.contains("://") => return Err(RedirectUriProblem::Scheme),
        _ => return Err(RedirectUriProblem::NotAnAddress),
    };
    if lower.contains('#') {
        return Err(RedirectUriProblem::Fragment);
    }
    // The rest of the form is the same for both schemes.
    let as_https = EndpointUrl::parse(&["https://", rest].concat(), Transport::Https);
    let host = as_https.ok_or(RedirectUriProblem::NotAnAddress)?.host();
    let local = host == "localhost" || host.ends_with(".localhost") || is_private_ipv4(&host);
    if secure || local { Ok(()) } else { Err(RedirectUriProblem::HttpHost) }
}

fn is_private_ipv4(host: &str) -> bool {
    host.parse::<core::net::Ipv4Addr>().is_ok_and(|ip| ip.is_private() || ip.is_loopback() || ip.is_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polar_s_rules_one_by_one() {
        for good in [
            "https://app.example/",
            "https://app.example:8443/sub/?a=b",
            "http://localhost:8080/",
            "http://app.localhost/",
            "http://192.168.1.2/",
            "http://127.0.0.1:5000/x",
        ] {
            assert_eq!(check_redirect_uri(good), Ok(()), "{good}");
        }
        for (bad, problem) in [
            ("", RedirectUriProblem::NotAnAddress),
            ("/callback", RedirectUriProblem::NotAnAddress),
            ("https://", RedirectUriProblem::NotAnAddress),
            ("https://u:p@app.example/", RedirectUriProblem::NotAnAddress),
            ("ftp://localhost/", RedirectUriProblem::Scheme),
            ("http://app.example/", RedirectUriProblem::HttpHost),
            ("http://localhost.evil.example/", RedirectUriProblem::HttpHost),
            ("http://8.8.8.8/", RedirectUriProblem::HttpHost),
            ("https://app.example/#x", RedirectUriProblem::Fragment),
        ] {
            assert_eq!(check_redirect_uri(bad), Err(problem), "{bad}");
        }
    }
}
