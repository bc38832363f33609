//! The place that an identity has in a tab: a number, which is part of the keys of its records.

/// The place of an identity in its tab. Whoever is alone has the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    /// How many identities a tab may have.
    pub const COUNT: u8 = 32;

    /// Every place.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The place of this number.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// What stands between the name of provider and client and the kind of a record. The first place
    /// has no number: it is where the one identity of a tab always was.
    pub(crate) fn separator(self) -> String {
        if self.0 == 0 { ":".to_owned() } else { [".", &self.0.to_string(), ":"].concat() }
    }

    /// The place of which the rest of a key says that it begins so.
    pub(crate) fn at_start_of(rest: &str) -> Option<Self> {
        let end = rest.find(':')?;
        Self::all().find(|slot| slot.separator() == rest[..=end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_in_no_other_way() {
        for slot in Slot::all() {
            let rest = [&slot.separator(), "session"].concat();
            assert_eq!(Slot::at_start_of(&rest), Some(slot));
        }
        for rest in ["", "session", ".0:session", ".01:session", ".32:session", ".-1:x", "..1:x", "1:x", ".1", "x:"] {
            assert_eq!(Slot::at_start_of(rest), None, "{rest}");
        }
    }
}
