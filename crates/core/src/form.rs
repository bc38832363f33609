//! `application/x-www-form-urlencoded` (WHATWG URL, RFC 6749 appendix B): query strings and form bodies.

/// Appends `name=value`, with `&` before it unless it is the first.
pub(crate) fn append(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() && !out.ends_with(['?', '&']) {
        out.push('&');
    }
    encode(out, name);
    out.push('=');
    encode(out, value);
}

/// A form body or query of these pairs.
#[must_use]
pub(crate) fn encode_pairs(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        append(&mut out, name, value);
    }
    out
}

fn encode(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}

/// The raw parts of a query, split at `&`, with the decoded name of each. Empty parts are left out.
pub(crate) fn parts(query: &str) -> impl Iterator<Item = (&str, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| (part, decode(part.split_once('=').map_or(part, |(name, _)| name))))
}

/// The decoded pairs of a query: split at `&`, then at the first `=`, `+` is a space, bad
/// percent-escapes stand for themselves, bad UTF-8 becomes U+FFFD.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |index: usize| bytes.get(index).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) => {
                out.push(b' ');
                at += 1;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let value = "a+b&c=%d~é😀\u{0} \r\n";
        let query = encode_pairs(&[("x y", value), ("z", "")]);
        let back: Vec<_> = pairs(&query).collect();
        assert_eq!(back, [("x y".to_owned(), value.to_owned()), ("z".to_owned(), String::new())]);
    }

    #[test]
    fn decodes_as_browsers_do() {
        let decoded = |query| pairs(query).collect::<Vec<_>>();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            decoded("a=YQ==&&b=%zz&c=%&%63=%FF"),
            [pair("a", "YQ=="), pair("b", "%zz"), pair("c", "%"), pair("c", "\u{fffd}"),]
        );
    }
}
