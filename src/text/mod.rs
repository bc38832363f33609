//! Words for people: everything that the interface says, one file a language.

#[expect(missing_docs, reason = "a constant's words say what it is")]
pub mod en;
