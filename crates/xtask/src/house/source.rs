//! As much of Rust's grammar as the rules need: what is code, which paths it names, which
//! attributes stand where.

/// A file's code: comments and the contents of literals are blanks.
#[derive(Default)]
pub(super) struct Code(String);

impl Code {
    pub(super) fn of(text: &str) -> Self {
        let mut code = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let length = blank(rest, code.chars().next_back());
            if length == 0 {
                code.push(c);
                rest = &rest[c.len_utf8()..];
            } else {
                code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
                rest = &rest[length..];
            }
        }
        Self(code)
    }

    /// Whether the code has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        positions(&self.0, name).next().is_some()
    }

    /// The names directly below a path's root: `a` and `b` for `crate` in `crate::{a::c, b}`.
    pub(super) fn below<'a>(&'a self, root: &'a str) -> impl Iterator<Item = &'a str> {
        positions(&self.0, root).flat_map(|at| {
            let rest = self.0[at + root.len()..].trim_start();
            rest.strip_prefix("::").map_or_else(Vec::new, |path| first_names(path.trim_start()))
        })
    }

    /// What stands between `#[` and `]`.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes_and_next().map(|(attribute, _)| attribute)
    }

    /// The same, with the code that follows it and further attributes.
    pub(super) fn attributes_and_next(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.match_indices("#[").map(|(at, _)| {
            let (attribute, mut next) = attribute(&self.0[at + 2..]);
            while let Some(further) = next.strip_prefix("#[") {
                next = attribute_end(further);
            }
            (attribute, next)
        })
    }
}

/// Splits behind the bracket that closes an attribute.
fn attribute(text: &str) -> (&str, &str) {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (text[..at].trim(), text[at + 1..].trim_start());
        }
    }
    (text, "")
}

fn attribute_end(text: &str) -> &str {
    attribute(text).1
}

/// Where a name stands, not as a part of another.
pub(super) fn positions<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> {
    text.match_indices(name).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(in_name) && !after.is_some_and(in_name)
    })
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first names of a path, or of each path of a `{…}`.
fn first_names(path: &str) -> Vec<&str> {
    let name = |text: &str| text.find(|c| !in_name(c)).unwrap_or(text.len());
    let Some(group) = path.strip_prefix('{') else { return vec![&path[..name(path)]] };
    let (mut names, mut depth, mut at_start) = (Vec::new(), 1, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => at_start = true,
            _ if at_start && in_name(c) => {
                names.push(&group[at..at + name(&group[at..])]);
                at_start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// How many bytes at the start of a text are no code: a comment or a literal with its quotes.
fn blank(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if let Some(rest) = text.strip_prefix('"') {
        return 1 + quoted(rest, '"');
    }
    if text.starts_with('r') && !before.is_some_and(|c| in_name(c) && c != 'b' && c != 'c') {
        return raw(text);
    }
    // A lifetime has no quote at its end: `'a'` and `'\n'` are literals, `'a` is none.
    let is_character = |text: &str| text.starts_with('\\') || text.chars().nth(1) == Some('\'');
    if let Some(rest) = text.strip_prefix('\'').filter(|rest| is_character(rest)) {
        return 1 + quoted(rest, '\'');
    }
    0
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of what is quoted, with the quote at its end.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#`: 0 if it is none.
fn raw(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|b| *b == b'#').count();
    let Some(content) = text[1 + hashes..].strip_prefix('"') else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    content.find(&end).map_or(text.len(), |at| 1 + hashes + 1 + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        for hidden in [
            "// web_sys",
            "/* web_sys /* nested */ web_sys */",
            "\"web_sys\"",
            "\"\\\" web_sys\"",
            "r#\"web_sys \" web_sys\"#",
            "br\"web_sys\"",
            "'\\'' // web_sys",
            "'\"' /* web_sys */",
        ] {
            let code = Code::of(&format!("before {hidden}\nafter"));
            assert!(!code.has("web_sys") && code.has("before") && code.has("after"), "{hidden}: {}", code.0);
        }
        for shown in ["fn f<'a>(web_sys: &'a str) -> &'a str {}", "let x = 'a'; web_sys::f()", "r#web_sys web_sys"] {
            assert!(Code::of(shown).has("web_sys"), "{shown}");
        }
        assert!(!Code::of("my_web_sys web_system").has("web_sys"));
    }

    #[test]
    fn paths_are_read_through_groups() {
        let code = Code::of("use crate::{\n    a::{b, c},\n    d as e, // f,\n    g,\n};\nlet x = crate::h::i();");
        assert_eq!(code.below("crate").collect::<Vec<_>>(), ["a", "d", "g", "h"]);
        assert_eq!(code.below("super").count(), 0);
    }

    #[test]
    fn attributes_come_with_what_they_stand_on() {
        let code = Code::of("#[a]\n#[b(c = [1])]\n// words\nfn f() {}");
        let found: Vec<_> = code.attributes_and_next().collect();
        assert_eq!(found, [("a", "fn f() {}"), ("b(c = [1])", "fn f() {}")]);
    }
}
