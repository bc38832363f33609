//! FZ-08: numbers, lifetimes and times.

use polar_signin_core::{
    http::{HttpOutcome, HttpResponse},
    json::{self, Number, Value},
    time::UnixTime,
    token::TokenResponse,
};

use super::{
    super::{
        fixture::{NOW, config, good_tokens, json as answer, keys, now, response},
        page::Trip,
    },
    Choices,
};

const YEAR_9999: i64 = 253_402_300_799_999;

/// A number's text by choices, of whatever size.
pub fn number_text(choices: &mut Choices<'_>) -> String {
    let digits = |choices: &mut Choices<'_>, most: usize| -> String {
        let digit = |choices: &mut Choices<'_>| char::from(choices.pick(b"0123456789099"));
        (0..=choices.below(most)).map(|_| digit(choices)).collect()
    };
    let mut text = String::from(choices.pick(&["", "", "-"]));
    let whole = match choices.below(4) {
        0 => NOW.to_string(),
        1 => "0".to_owned(),
        _ => digits(choices, 24),
    };
    let whole = whole.trim_start_matches('0');
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if choices.one_in(2) {
        text.push('.');
        text.push_str(&digits(choices, 12));
    }
    if choices.one_in(2) {
        text.push_str(choices.pick(&["e", "E", "e+", "e-", "E-"]));
        text.push_str(&digits(choices, 4));
    }
    text
}

fn parse(text: &str) -> Number<'_> {
    match json::parse(text.as_bytes()) {
        Ok(Value::Number(number)) => number,
        other => panic!("{text}: {other:?}"),
    }
}

/// floor(text * 10^decimals), exactly, within ±i64::MAX. `None` from 10^309 on.
fn exact(text: &str, decimals: i64) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let exponent: i64 = exponent.trim_start_matches('+').parse().expect("at most five digits");
    let scale = exponent - fraction.len() as i64;
    if significant.len() as i64 + scale > 309 {
        return None;
    }
    let scale = scale + decimals;
    let (integer, rest) = if scale >= 0 {
        (format!("{significant}{}", "0".repeat(scale.min(400) as usize)), false)
    } else {
        let cut = significant.len().saturating_sub(scale.unsigned_abs() as usize);
        (significant[..cut].to_owned(), significant[cut..].bytes().any(|digit| digit != b'0'))
    };
    let limit = i128::from(i64::MAX);
    let magnitude = match integer.len() {
        0 => 0,
        1..=30 => integer.parse::<i128>().expect("digits"),
        _ => limit,
    };
    let value = if negative { -magnitude - i128::from(rest) } else { magnitude };
    Some(value.clamp(-limit, limit) as i64)
}

/// Every number: exact, saturating, never more than it says.
pub fn number(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let text = number_text(&mut choices);
    let number = parse(&text);
    for decimals in [0, 3] {
        assert_eq!(number.to_fixed(decimals), exact(&text, decimals), "{text} with {decimals} decimals");
    }

    // As a date: within the years 1970 to 9999, or no date.
    let double: f64 = text.parse().expect("a number");
    match UnixTime::from_numeric_date(number) {
        Some(time) => {
            assert!((0..=YEAR_9999).contains(&time.as_millis()), "{text}");
            assert!((time.as_millis() as f64 / 1000.0 - double).abs() <= 0.002, "{text}: {time:?}");
        }
        None => {
            assert!(!(0.0..=253_402_300_799.999).contains(&double) || double <= 0.0 && text.starts_with('-'), "{text}")
        }
    }

    // As a lifetime: a number that is not negative, or malformed; its end is never before now.
    let tokens = TokenResponse::process(answer(200, good_tokens().set("expires_in", text.clone()).json()), false);
    match tokens.map(|tokens| (tokens.expires_in, tokens.expires_at(now()))) {
        Ok((Some(seconds), Some(end))) => {
            assert!(seconds >= 0 && seconds == exact(&text, 0).expect("finite"), "{text}");
            assert!(end >= now() && end.as_millis() <= YEAR_9999, "{text}: {end:?}");
        }
        Ok(other) => panic!("{text}: {other:?}"),
        Err(_) => assert!(exact(&text, 0).is_none_or(|seconds| seconds < 0), "{text}"),
    }

    // Two numbers keep their order.
    let other = number_text(&mut choices);
    if let (Some(a), Some(b)) = (number.to_fixed(3), parse(&other).to_fixed(3)) {
        let (x, y): (f64, f64) = (double, other.parse().expect("a number"));
        assert!((x >= y || a <= b) && (x <= y || a >= b), "{text} and {other}");
    }
}

/// Whatever the lifetime: the alarm of whoever is signed in is never set to the past, nor beyond the
/// calendar, and of two lifetimes the longer never wakes earlier. (Without any, the next is asked for
/// at once, and the alarm is that request's.)
pub fn alarm(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let texts = [number_text(&mut choices), number_text(&mut choices)];
    let wakes = texts.each_ref().map(|text| {
        let answer = answer(200, good_tokens().set("expires_in", text.clone()).json());
        let page = Trip::new(config()).complete(answer, &keys());
        let lasts = exact(text, 0).is_some_and(|seconds| seconds >= 0);
        assert_eq!(page.account().is_some(), lasts, "{text}: {:?}", page.error());
        if let Some(wake) = page.wake {
            assert!(wake >= page.now && wake.as_millis() <= YEAR_9999, "{text}: {wake:?}");
        }
        lasts.then_some(page.wake).flatten()
    });
    let lifetimes = texts.each_ref().map(|text| exact(text, 0).filter(|seconds| *seconds > 0));
    if let ([Some(a), Some(b)], [Some(first), Some(second)]) = (lifetimes, wakes) {
        assert!((a >= b || first <= second) && (a <= b || first >= second), "{texts:?}: {first:?} {second:?}");
    }
}

/// Sums of times saturate and keep their order.
pub fn sum(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut wide = || {
        let bytes: [u8; 8] = core::array::from_fn(|_| choices.byte());
        i64::from_le_bytes(bytes) >> choices.below(64)
    };
    let (start, a, b) = (UnixTime::from_millis(wide()), wide(), wide());
    let (first, second) = (start.plus_seconds(a.min(b)), start.plus_seconds(a.max(b)));
    assert!(first <= second);
    for time in [start, first, second, UnixTime::from_seconds(a)] {
        assert!((0..=YEAR_9999).contains(&time.as_millis()));
        assert_eq!(time.as_seconds(), time.as_millis() / 1000);
    }
    assert_eq!(first.millis_since(second), -second.millis_since(first));
}

/// `expires_in` and `Retry-After` as any text.
pub fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let plain = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let tokens = TokenResponse::process(answer(200, good_tokens().text("expires_in", &text).json()), false);
    assert_eq!(tokens.is_ok(), plain, "{text:?}");
    if let Ok(tokens) = tokens {
        assert_eq!(tokens.expires_in, text.parse().ok());
    }

    let retry_after = Some(text.clone());
    let outcome = HttpOutcome::Answered(HttpResponse { retry_after, ..response(503, None, "") });
    if let Some(wait) = outcome.wait(now()) {
        assert!((1_000..=300_000).contains(&wait), "{text:?}: {wait}");
    }
    if let Some(time) = UnixTime::from_http_date(&text) {
        assert!(text.len() == 29 && text.ends_with(" GMT"), "{text:?}");
        assert!(time.as_millis() <= YEAR_9999 && time.as_millis() % 1000 == 0);
    }
}

/// Every second of these years is written as an HTTP date and read as itself.
pub fn http_date(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let bytes: [u8; 8] = core::array::from_fn(|_| choices.byte());
    let seconds = (u64::from_le_bytes(bytes) % 253_402_300_800) as i64;
    let text = written(seconds);
    assert_eq!(UnixTime::from_http_date(&text), Some(UnixTime::from_seconds(seconds)), "{text}");
}

/// The HTTP date of a time, by walking through the calendar.
fn written(seconds: i64) -> String {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    let (day, month) = (days + 1, names[month]);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}
