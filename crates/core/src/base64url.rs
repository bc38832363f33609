//! Base64url without padding (RFC 7515 2), strict: no padding, no other alphabet, no stray bits.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Encodes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; `None` unless the text is the one and only encoding of some bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_decoded() {
        assert_eq!(decode("YQ"), Some(b"a".to_vec()));
        for wrong in ["YQ==", "YR", "Y", "Y+", "Y/", "YQ ", "YQ\r\n", "Yé"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }
}
