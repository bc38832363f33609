//! A list, page by page: `{"items":[…],"pagination":{"total_count":n,"max_page":m}}`.

use crate::{
    error::{Code, Error, Phase},
    json::Value,
};

use super::Answer;

/// More pages than this are not fetched, whatever the list says of itself.
const MOST_PAGES: u64 = 1_000;
/// The most items that a page may have.
const LIMIT: u64 = 100;

/// How far a list has been fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    address: String,
    page: u64,
    pages: u64,
    fetched: u64,
    total: u64,
}

impl Listing {
    /// A list that is to be fetched from its beginning. The address may have a query of its own.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), page: 1, pages: 1, fetched: 0, total: 0 }
    }

    /// The address of the next page; `None` after the last.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        let more = self.page <= self.pages.min(MOST_PAGES);
        let separator = if self.address.contains('?') { "&page=" } else { "?page=" };
        let limit = LIMIT.to_string();
        more.then(|| [&self.address, separator, &self.page.to_string(), "&limit=", &limit].concat())
    }

    /// Takes a page, and gives its items.
    ///
    /// # Errors
    /// `ApiMalformed`: the answer is no page of a list.
    pub fn take<'a>(&mut self, answer: &'a Answer) -> Result<Vec<Value<'a>>, Error> {
        let (items, total, pages) = read(answer.json()).ok_or_else(|| Error::new(Code::ApiMalformed, Phase::Api))?;
        self.fetched += items.len() as u64;
        self.total = total.max(self.fetched);
        // A list that ends early has become shorter meanwhile.
        self.pages = if items.is_empty() { self.page } else { pages };
        self.page += 1;
        Ok(items)
    }

    /// How many items there are so far, and how many there will be.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.fetched, self.total)
    }
}

fn read(answer: Value<'_>) -> Option<(Vec<Value<'_>>, u64, u64)> {
    let Value::Object(page) = answer else { return None };
    let number = |name| {
        let number = page.get("pagination")?.as_object()?.get(name)?.as_number()?.to_fixed(0)?;
        u64::try_from(number).ok()
    };
    let (total, pages) = (number("total_count")?, number("max_page")?);
    let items = page.get("items")?.as_array()?.to_vec();
    Some((items, total, pages))
}
