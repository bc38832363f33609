//! Strict JSON (RFC 8259): duplicates refused at every level, depth and size bounded.
//!
//! The only file that knows JSON. Stricter than most readers on purpose: a member that stands
//! twice is refused, also when one of the two is spelled with escapes, since "the last one wins"
//! lets two readers of one document disagree (RFC 7515 4, RFC 7519 4). Numbers stay text until
//! somebody asks for a fixed-point integer, so nothing is rounded, and no float parser is linked.

use std::{borrow::Cow, collections::HashSet};

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

/// A number's text, checked against the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a>(&'a str);

/// The text is not strict JSON, or goes over a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads one value that fills the whole text (white space around it is allowed).
///
/// # Errors
/// [`Malformed`] for anything but strict RFC 8259 UTF-8 text of depth at most 127.
pub fn parse(text: &[u8]) -> Result<Value<'_>, Malformed> {
    let text = core::str::from_utf8(text).map_err(|_| Malformed)?;
    let mut reader = Reader { text, at: 0 };
    reader.space();
    let value = reader.value(DEPTH)?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { Err(Malformed) }
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

impl Number<'_> {
    /// The value times 10^`decimals`, rounded down, saturating at plus and minus `i64::MAX`.
    /// `None` where a double would be infinite (1e400).
    #[must_use]
    pub fn to_fixed(self, decimals: i64) -> Option<i64> {
        let (negative, digits) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, saturating_parse(exponent)),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = whole.bytes().chain(fraction.bytes()).map(|b| i64::from(b - b'0'));
        let leading = all.clone().take_while(|digit| *digit == 0).count();
        let significant = whole.len() + fraction.len() - leading;
        if significant == 0 {
            return Some(0);
        }
        // Digits before the decimal point of the value itself.
        let magnitude = exponent.saturating_add(whole.len() as i64).saturating_sub(leading as i64);
        if magnitude > 309 {
            return None;
        }
        let wanted = magnitude.saturating_add(decimals);
        let mut value: i64 = 0;
        let mut inexact = wanted < significant as i64;
        for index in 0..wanted.clamp(0, 20) {
            let digit = all.clone().nth(leading + index as usize).unwrap_or(0);
            value = value.saturating_mul(10).saturating_add(digit);
        }
        if wanted > 20 {
            value = i64::MAX;
        }
        // Trailing zeros that were cut off change nothing.
        if inexact {
            let cut = leading + wanted.max(0) as usize;
            inexact = all.skip(cut).any(|digit| digit != 0);
        }
        Some(match (negative, inexact) {
            (false, _) => value,
            (true, false) => value.saturating_neg(),
            (true, true) => value.saturating_neg().saturating_sub(1).max(-i64::MAX),
        })
    }
}

fn saturating_parse(exponent: &str) -> i64 {
    let (negative, digits) = match exponent.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let value = digits.bytes().fold(0_i64, |sum, b| sum.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    if negative { -value } else { value }
}

/// Appends a JSON string with its quotes.
pub fn write_string(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => {
                out.push_str("\\u00");
                out.push(char::from(HEX[(c as usize) >> 4]));
                out.push(char::from(HEX[(c as usize) & 15]));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Writes one flat object, member by member.
#[derive(Default)]
pub struct ObjectWriter(String);

impl ObjectWriter {
    /// Adds a string member.
    pub fn string(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        write_string(&mut self.0, value);
        self
    }

    /// Adds a string member if there is one.
    pub fn optional(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.string(name, value);
        }
        self
    }

    /// Adds a member whose JSON is given.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.0.push_str(json);
        self
    }

    /// The object's text.
    #[must_use]
    pub fn finish(&mut self) -> String {
        let mut text = core::mem::take(&mut self.0);
        if text.is_empty() {
            text.push('{');
        }
        text.push('}');
        text
    }

    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        write_string(&mut self.0, name);
        self.0.push(':');
    }
}

/// The position is a byte index that always lies on a character boundary.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, token: &str) -> Result<(), Malformed> {
        if self.text.as_bytes()[self.at..].starts_with(token.as_bytes()) {
            self.at += token.len();
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'n' => self.eat("null").map(|()| Value::Null),
            b't' => self.eat("true").map(|()| Value::Bool(true)),
            b'f' => self.eat("false").map(|()| Value::Bool(false)),
            b'"' => self.string().map(Value::String),
            b'[' => self.array(depth.checked_sub(1).ok_or(Malformed)?),
            b'{' => self.object(depth.checked_sub(1).ok_or(Malformed)?),
            _ => self.number().map(Value::Number),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.eat("[")?;
        let mut items = Vec::new();
        self.space();
        if self.eat("]").is_ok() {
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth)?);
            self.space();
            if self.eat("]").is_ok() {
                return Ok(Value::Array(items));
            }
            self.eat(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.eat("{")?;
        let mut members = Vec::new();
        self.space();
        if self.eat("}").is_ok() {
            return Ok(Value::Object(Object(members)));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.eat(":")?;
            self.space();
            members.push((name, self.value(depth)?));
            self.space();
            if self.eat("}").is_ok() {
                break;
            }
            self.eat(",")?;
        }
        // A set keeps a document of many thousand members affordable.
        let mut names = HashSet::with_capacity(members.len());
        if members.iter().all(|(name, _)| names.insert(name.as_ref())) {
            Ok(Value::Object(Object(members)))
        } else {
            Err(Malformed)
        }
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    fn number(&mut self) -> Result<Number<'a>, Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Number(&self.text[start..self.at]))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.eat("\"")?;
        let start = self.at;
        let mut unescaped: Option<String> = None;
        let mut run = start;
        loop {
            match self.peek().ok_or(Malformed)? {
                b'"' => {
                    let rest = &self.text[run..self.at];
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                b'\\' => {
                    let text = unescaped.get_or_insert_with(String::new);
                    text.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    let c = self.escape()?;
                    unescaped.get_or_insert_with(String::new).push(c);
                    run = self.at;
                }
                0x00..=0x1f => return Err(Malformed),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let kind = self.peek().ok_or(Malformed)?;
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex4()?;
                if (0xd800..0xdc00).contains(&high) {
                    self.eat("\\u")?;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(Malformed);
                    }
                    let scalar = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    char::from_u32(scalar).ok_or(Malformed)?
                } else {
                    char::from_u32(high).ok_or(Malformed)?
                }
            }
            _ => return Err(Malformed),
        })
    }

    fn hex4(&mut self) -> Result<u32, Malformed> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek().ok_or(Malformed)?).to_digit(16).ok_or(Malformed)?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
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

    #[test]
    fn numbers_become_fixed_point_without_rounding() {
        let fixed = |text: &str, decimals| match parse(text.as_bytes()) {
            Ok(Value::Number(number)) => number.to_fixed(decimals),
            _ => panic!("{text} is no number"),
        };
        for (text, decimals, expected) in [
            ("3600", 0, Some(3600)),
            ("3600.9", 0, Some(3600)),
            ("3600.0", 3, Some(3_600_000)),
            ("1.7953956e9", 0, Some(1_795_395_600)),
            ("1795395600.5", 3, Some(1_795_395_600_500)),
            ("0", 3, Some(0)),
            ("-0", 3, Some(0)),
            ("-0.5", 0, Some(-1)),
            ("-1", 0, Some(-1)),
            ("0.0004", 3, Some(0)),
            ("12e-1", 0, Some(1)),
            ("0.000e999999999999999999999", 0, Some(0)),
            ("1e300", 0, Some(i64::MAX)),
            ("-1e300", 0, Some(-i64::MAX)),
            ("1e400", 0, None),
            ("18446744073709551615", 0, Some(i64::MAX)),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("9223372036854775806", 0, Some(i64::MAX - 1)),
            ("1e-400", 3, Some(0)),
        ] {
            assert_eq!(fixed(text, decimals), expected, "{text}");
        }
    }
}
