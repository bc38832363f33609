//! The reader: recursive, bounded in depth, refusing a name that stands twice.

use std::{borrow::Cow, collections::HashSet};

use super::{Malformed, Number, Object, Value};

/// The position is a byte index that always lies on a character boundary.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// One value that fills the whole text.
    pub(super) fn whole(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.space();
        let value = self.value(depth)?;
        self.space();
        if self.at == self.text.len() { Ok(value) } else { Err(Malformed) }
    }

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
