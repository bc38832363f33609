//! The properties of section 11, each a function over bytes that panics where it does not hold:
//! proptest and cargo-fuzz both feed them.

pub mod authorization;
pub mod callback;
pub mod id_token;
pub mod json;
pub mod jws;
pub mod keys;
pub mod numbers;
pub mod parsers;
pub mod return_to;
pub mod sign_ins;
pub mod storage;

/// Takes a query apart: as the `url` crate does, or a browser.
pub type Decode = fn(&str) -> Vec<(String, String)>;

/// As the `url` crate does it.
pub fn decode(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Decisions, read off the bytes one by one; when they run out, the first choice each time.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = usize::from(self.byte());
        if end > 256 { (wide << 8 | usize::from(self.byte())) % end } else { wide % end.max(1) }
    }

    pub fn pick<T: Copy>(&mut self, table: &[T]) -> T {
        table[self.below(table.len())]
    }

    /// Once in so many.
    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == many - 1
    }

    /// The same in another order.
    pub fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
        items
    }

    /// Whether there is nothing left to choose by.
    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    /// Some text: what is left up to the next zero, as far as it is UTF-8.
    pub fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }
}
