//! Points in time, as values: nothing here reads a clock.

use crate::json::Number;

/// Milliseconds since 1970-01-01T00:00:00Z, never past the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

/// The last millisecond of the year 9999.
const LAST: i64 = 253_402_300_799_999;

impl UnixTime {
    /// From milliseconds since the epoch; clamped to the years 1970 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, LAST))
    }

    /// From whole seconds since the epoch; clamped likewise.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// A `NumericDate` (RFC 7519 2): seconds, perhaps fractional. `None` if negative or past the
    /// year 9999.
    #[must_use]
    pub fn from_numeric_date(seconds: Number<'_>) -> Option<Self> {
        seconds.to_fixed(3).filter(|millis| (0..=LAST).contains(millis)).map(Self)
    }

    /// An HTTP date in the form that senders must use (RFC 9110 5.6.7), `Sun, 06 Nov 1994 08:49:37 GMT`;
    /// the day of the week is not checked. `None` for anything else, the obsolete forms included.
    #[must_use]
    pub fn from_http_date(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (_, rest) = text.split_once(", ").filter(|(day, _)| day.len() == 3)?;
        let number = |at: usize, len: usize| {
            let digits = rest.get(at..at + len)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
        };
        // "06 Nov 1994 08:49:37 GMT": what stands between the numbers, and nothing after them.
        let between = |at: usize, expected: &str| rest.get(at..at + expected.len()) == Some(expected);
        let month = MONTHS.iter().position(|month| between(2, &[" ", month, " "].concat()))? as i64;
        if rest.len() != 24 || !between(11, " ") || !between(14, ":") || !between(17, ":") || !between(20, " GMT") {
            return None;
        }
        let (day, year) = (number(0, 2)?, number(7, 4)?);
        let (hour, minute, second) = (number(12, 2)?, number(15, 2)?, number(18, 2)?);
        if !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 || year < 1970 {
            return None;
        }
        // Years that begin in March end with their leap day.
        let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
        let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
        Some(Self::from_seconds(((days * 24 + hour) * 60 + minute) * 60 + second))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0 / 1000
    }

    /// This time so many seconds later (earlier if negative), within the years 1970 to 9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to this; negative if this is the earlier one.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_28_numeric_dates_are_bounded_and_may_be_fractional() {
        let millis = |text: &str| match crate::json::parse(text.as_bytes()) {
            Ok(crate::json::Value::Number(number)) => UnixTime::from_numeric_date(number).map(UnixTime::as_millis),
            _ => panic!("{text} is no number"),
        };
        assert_eq!(millis("1795395600.5"), Some(1_795_395_600_500));
        assert_eq!(millis("0"), Some(0));
        assert_eq!(millis("253402300799"), Some(253_402_300_799_000));
        for wrong in ["-1", "-0.001", "1e300", "-1e300", "1e400", "253402300800", "18446744073709551615"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sums_saturate() {
        assert_eq!(UnixTime::from_seconds(i64::MAX).as_millis(), LAST);
        assert_eq!(UnixTime::from_seconds(5).plus_seconds(i64::MAX).as_millis(), LAST);
        assert_eq!(UnixTime::from_seconds(5).plus_seconds(i64::MIN).as_millis(), 0);
    }
}
