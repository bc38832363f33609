//! Words for people: everything that the interface says, one file a language.

pub mod en;
