//! Strict JSON (RFC 8259): duplicates refused at every level, depth and size bounded.
//!
//! The only place that knows JSON. Stricter than most readers on purpose: a member that stands
//! twice is refused, also when one of the two is spelled with escapes, since "the last one wins"
//! lets two readers of one document disagree (RFC 7515 4, RFC 7519 4). Numbers stay text until
//! somebody asks for a fixed-point integer, so nothing is rounded, and no float parser is linked.

mod number;
mod reader;
mod writer;

use std::borrow::Cow;

pub use number::Number;
pub use writer::{ObjectWriter, write_string};

use reader::Reader;

/// How deep arrays and objects may nest.
const DEPTH: usize = 127;

/// A JSON value that borrows from the text where it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(Number<'a>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Self>),
    /// An object, in the text's order, without duplicates.
    Object(Object<'a>),
}

/// The members of an object, in the text's order, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// The text is not strict JSON, or goes over a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads one value that fills the whole text (white space around it is allowed).
///
/// # Errors
/// [`Malformed`] for anything but strict RFC 8259 UTF-8 text of depth at most 127.
pub fn parse(text: &[u8]) -> Result<Value<'_>, Malformed> {
    let text = core::str::from_utf8(text).map_err(|_| Malformed)?;
    let mut reader = Reader::new(text);
    reader.whole(DEPTH)
}

/// Reads one object; see [`parse`].
///
/// # Errors
/// [`Malformed`] as in [`parse`], and for any other kind of value.
pub fn parse_object(text: &[u8]) -> Result<Object<'_>, Malformed> {
    match parse(text)? {
        Value::Object(object) => Ok(object),
        _ => Err(Malformed),
    }
}

impl<'a> Value<'a> {
    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number<'a>> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The items, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// As text to show: strings bare, everything else as compact JSON.
    #[must_use]
    pub fn to_display(&self) -> String {
        match self {
            Self::String(text) => text.clone().into_owned(),
            other => {
                let mut out = String::new();
                other.write(&mut out);
                out
            }
        }
    }

    /// Appends compact JSON.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(number) => out.push_str(number.0),
            Self::String(text) => write_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(object) => {
                out.push('{');
                for (index, (name, value)) in object.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl<'a> Object<'a> {
    /// The member of this name; `None` also where it is `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.member(name).filter(|value| **value != Value::Null)
    }

    /// The member of this name, `null` included.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value<'a>> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The string of this name; `None` if absent or something else.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The members in the text's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_rfc_8259_allows() {
        let text = r#" {"a":[1,-2.5e+3,true,null,"\u00e9\ud83d\ude00\n"],"b":{}} "#;
        let object = parse_object(text.as_bytes()).expect("valid");
        let items = object.get("a").and_then(Value::as_array).expect("array");
        assert_eq!(items[4].as_str(), Some("é😀\n"));
        let mut again = String::new();
        Value::Object(object).write(&mut again);
        assert_eq!(again, "{\"a\":[1,-2.5e+3,true,null,\"é😀\\u000a\"],\"b\":{}}");
    }

    #[test]
    fn refuses_what_is_not_strict() {
        for text in [
            "",
            "{",
            "{}x",
            "\u{feff}{}",
            "{\"a\":1,}",
            "[1,]",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "NaN",
            "tru",
            "nul",
            "'a'",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\n\"",
            "{a:1}",
            "\"\\u+123\"",
            "{\"a\":1,\"a\":2}",
            "{\"sub\":1,\"s\\u0075b\":2}",
            "[{\"x\":{\"y\":1,\"y\":1}}]",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Malformed), "{text}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(Malformed));
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse(nested(127).as_bytes()).is_ok());
        assert_eq!(parse(nested(128).as_bytes()), Err(Malformed));
        assert_eq!(parse(nested(100_000).as_bytes()), Err(Malformed));
    }
}
