//! FZ-04: the strict reader against `serde_json`.

use core::fmt;

use polar_signin_core::json::{self, Value};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Choices;

/// What `serde_json` makes of a text, with duplicates refused.
#[derive(Debug, PartialEq)]
enum Tree {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Tree::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut all: Vec<(String, Tree)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Tree>()? {
            if all.iter().any(|(n, _)| *n == name) {
                return Err(A::Error::custom("duplicate"));
            }
            all.push((name, value));
        }
        Ok(Tree::Object(all))
    }
}

fn same(ours: &Value<'_>, theirs: &Tree) -> bool {
    match (ours, theirs) {
        (Value::Null, Tree::Null) => true,
        (Value::Bool(a), Tree::Bool(b)) => a == b,
        // `serde_json` may be off by a unit in the last place.
        (Value::Number(_), Tree::Number(b)) => {
            let a: f64 = ours.to_display().parse().expect("a number's text");
            a == *b || (a - b).abs() <= b.abs() * 1e-12
        }
        (Value::String(a), Tree::String(b)) => a == b,
        (Value::Array(a), Tree::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Tree::Object(b)) => {
            a.iter().count() == b.len() && a.iter().zip(b).all(|((m, a), (n, b))| m == n && same(a, b))
        }
        _ => false,
    }
}

/// Any bytes: the same verdict and the same value as `serde_json`'s, and writing loses nothing.
pub fn text(bytes: &[u8]) {
    let shown = String::from_utf8_lossy(bytes);
    let theirs = serde_json::from_slice::<Tree>(bytes);
    let ours = json::parse(bytes);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(ours, theirs), "{shown}: {ours:?} is not {theirs:?}"),
        // A number that no double holds is JSON all the same; here it stays text.
        (Ok(_), Err(error)) => assert!(error.to_string().starts_with("number out of range"), "{shown}: {error}"),
        (Err(_), Ok(theirs)) => panic!("refused {shown}, which is {theirs:?}"),
        (Err(_), Err(_)) => {}
    }
    if let Ok(value) = ours {
        let mut once = String::new();
        value.write(&mut once);
        let again = json::parse(once.as_bytes()).expect("what was written can be read");
        let mut twice = String::new();
        again.write(&mut twice);
        assert_eq!((&again, &twice), (&value, &once));
        assert_eq!(json::parse_object(bytes).is_ok(), value.as_object().is_some());
    }
}

/// A document by choices, and whether it is good, which is known from how it was made.
pub fn document(bytes: &[u8]) -> (String, bool) {
    let mut maker = Maker { choices: Choices::new(bytes), text: String::new(), good: true, size: 0 };
    maker.value(0);
    (maker.text, maker.good)
}

pub fn grammar(bytes: &[u8]) {
    let (document, good) = document(bytes);
    assert_eq!(json::parse(document.as_bytes()).is_ok(), good, "{document}");
    text(document.as_bytes());
}

struct Maker<'a> {
    choices: Choices<'a>,
    text: String,
    good: bool,
    size: usize,
}

impl Maker<'_> {
    fn value(&mut self, depth: usize) {
        self.size += 1;
        self.space();
        let kinds = if depth < 6 && self.size < 200 { 8 } else { 5 };
        match self.choices.below(kinds) {
            0 => self.text.push_str("null"),
            1 => self.text.push_str("true"),
            2 => self.text.push_str("false"),
            3 => {
                let numbers = ["0", "-0", "1", "-1.5", "1e5", "12E-3", "0.000", "9007199254740993", "-1e+2"];
                self.text.push_str(self.choices.pick(&numbers));
            }
            4 => drop(self.string()),
            5 | 6 => self.object(depth),
            _ => self.array(depth),
        }
        self.space();
        // Now and then something that does not belong there.
        if self.choices.one_in(200) {
            self.good = false;
            let wrong = [",", "x", "\u{feff}", "}", "]", ":", "\"", "\\", "/**/", "\u{0}", "\u{a0}"];
            self.text.push_str(self.choices.pick(&wrong));
        }
    }

    fn array(&mut self, depth: usize) {
        self.text.push('[');
        for index in 0..self.choices.below(4) {
            if index > 0 {
                self.text.push(',');
            }
            self.value(depth + 1);
        }
        self.text.push(']');
    }

    fn object(&mut self, depth: usize) {
        let mut names = Vec::new();
        self.text.push('{');
        for index in 0..self.choices.below(5) {
            if index > 0 {
                self.text.push(',');
            }
            self.space();
            let name = self.string();
            self.good &= !names.contains(&name);
            names.push(name);
            self.space();
            self.text.push(':');
            self.value(depth + 1);
        }
        self.text.push('}');
    }

    /// Writes a string in one of its spellings; the string itself comes back.
    fn string(&mut self) -> String {
        let spellings = [
            ("a", "a"),
            ("a", "\\u0061"),
            ("sub", "sub"),
            ("sub", "s\\u0075b"),
            ("sub", "\\u0073ub"),
            ("", ""),
            ("\u{1f600}", "\u{1f600}"),
            ("\u{1f600}", "\\ud83d\\uDE00"),
            ("\"\\/\n", "\\\"\\\\\\/\\n"),
            ("\"\\/\n", "\\u0022\\\\/\\u000a"),
            ("\u{7f}", "\u{7f}"),
            ("é", "e\u{301}"),
        ];
        let (mut value, written) = self.choices.pick(&spellings);
        if written == "e\u{301}" {
            value = written;
        }
        self.text.push('"');
        self.text.push_str(written);
        self.text.push('"');
        value.to_owned()
    }

    fn space(&mut self) {
        let spaces = ["", "", "", " ", "\n", "\r\n\t "];
        self.text.push_str(self.choices.pick(&spaces));
    }
}
