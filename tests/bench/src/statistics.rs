//! Medians and how far apart the values lie.

/// A row of measurements, in order of size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// One more.
    pub(crate) fn add(&mut self, value: f64) {
        let at = self.0.partition_point(|known| *known <= value);
        self.0.insert(at, value);
    }

    /// The value that so many quarters of them lie below, between two of them by proportion.
    #[must_use]
    pub(crate) fn quartile(&self, quarters: usize) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        let (below, rest) = (last * quarters / 4, last * quarters % 4);
        let (low, high) = (self.0.get(below)?, self.0.get((below + 1).min(last))?);
        let share = [0.0, 0.25, 0.5, 0.75][rest];
        Some(low + (high - low) * share)
    }

    /// The one in the middle.
    #[must_use]
    pub(crate) fn median(&self) -> Option<f64> {
        self.quartile(2)
    }

    /// Median and quartiles, without a decimal.
    #[must_use]
    pub(crate) fn show(&self) -> String {
        match (self.quartile(1), self.median(), self.quartile(3)) {
            (Some(low), Some(middle), Some(high)) if self.0.len() > 1 => format!("{middle:.0} ({low:.0}–{high:.0})"),
            (_, Some(middle), _) => format!("{middle:.0}"),
            _ => "–".to_owned(),
        }
    }

    /// Its median by another's.
    #[must_use]
    pub(crate) fn ratio(&self, other: &Self) -> Option<f64> {
        Some(self.median()? / other.median()?)
    }
}

/// A ratio as it is shown.
#[must_use]
pub(crate) fn show_ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_values() {
        let mut sample = Sample::default();
        for value in [4.0, 1.0, 3.0, 2.0, 10.0] {
            sample.add(value);
        }
        assert_eq!([1, 2, 3].map(|quarter| sample.quartile(quarter)), [Some(2.0), Some(3.0), Some(4.0)]);
        sample.add(11.0);
        assert_eq!(sample.median(), Some(3.5));
        assert_eq!(Sample::default().median(), None);
        assert_eq!(sample.show(), "4 (2–8)");
    }
}
