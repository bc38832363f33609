//! The local provider.
fn main() {}
