//! Numbers: text until somebody asks for a fixed-point integer.

/// A number's text, checked against the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a>(pub(super) &'a str);

impl Number<'_> {
    /// The value times 10^`decimals`, rounded down, saturating at plus and minus `i64::MAX`.
    /// `None` where a double would be infinite (1e400).
    #[must_use]
    pub fn to_fixed(self, decimals: i64) -> Option<i64> {
        let (negative, digits) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, saturating_parse(exponent)),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = whole.bytes().chain(fraction.bytes()).map(|b| i64::from(b - b'0'));
        let leading = all.clone().take_while(|digit| *digit == 0).count();
        let significant = whole.len() + fraction.len() - leading;
        if significant == 0 {
            return Some(0);
        }
        // Digits before the decimal point of the value itself.
        let magnitude = exponent.saturating_add(whole.len() as i64).saturating_sub(leading as i64);
        if magnitude > 309 {
            return None;
        }
        let wanted = magnitude.saturating_add(decimals);
        let mut value: i64 = 0;
        let mut inexact = wanted < significant as i64;
        for index in 0..wanted.clamp(0, 20) {
            let digit = all.clone().nth(leading + index as usize).unwrap_or(0);
            value = value.saturating_mul(10).saturating_add(digit);
        }
        if wanted > 20 {
            value = i64::MAX;
        }
        // Trailing zeros that were cut off change nothing.
        if inexact {
            let cut = leading + wanted.max(0) as usize;
            inexact = all.skip(cut).any(|digit| digit != 0);
        }
        Some(match (negative, inexact) {
            (false, _) => value,
            (true, false) => value.saturating_neg(),
            (true, true) => value.saturating_neg().saturating_sub(1).max(-i64::MAX),
        })
    }
}

fn saturating_parse(exponent: &str) -> i64 {
    let (negative, digits) = match exponent.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let value = digits.bytes().fold(0_i64, |sum, b| sum.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::super::{Value, parse};

    #[test]
    fn numbers_become_fixed_point_without_rounding() {
        let fixed = |text: &str, decimals| match parse(text.as_bytes()) {
            Ok(Value::Number(number)) => number.to_fixed(decimals),
            _ => panic!("{text} is no number"),
        };
        for (text, decimals, expected) in [
            ("3600", 0, Some(3600)),
            ("3600.9", 0, Some(3600)),
            ("3600.0", 3, Some(3_600_000)),
            ("1.7953956e9", 0, Some(1_795_395_600)),
            ("1795395600.5", 3, Some(1_795_395_600_500)),
            ("0", 3, Some(0)),
            ("-0", 3, Some(0)),
            ("-0.5", 0, Some(-1)),
            ("-1", 0, Some(-1)),
            ("0.0004", 3, Some(0)),
            ("12e-1", 0, Some(1)),
            ("0.000e999999999999999999999", 0, Some(0)),
            ("1e300", 0, Some(i64::MAX)),
            ("-1e300", 0, Some(-i64::MAX)),
            ("1e400", 0, None),
            ("18446744073709551615", 0, Some(i64::MAX)),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("9223372036854775806", 0, Some(i64::MAX - 1)),
            ("1e-400", 3, Some(0)),
        ] {
            assert_eq!(fixed(text, decimals), expected, "{text}");
        }
    }
}
