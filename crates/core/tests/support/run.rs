//! Feeding a property by proptest.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// So many inputs of this kind.
#[track_caller]
pub(crate) fn holds<S: Strategy>(cases: u32, strategy: S, property: impl Fn(&[u8]))
where
    S::Value: AsRef<[u8]>,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&strategy, |input| {
        property(input.as_ref());
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Any bytes, fewer than this.
pub(crate) fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}
