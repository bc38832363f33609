//! Section 11 of the matrix, FZ-04 to FZ-09: properties of the parsers and of ID tokens, each fed by
//! proptest with bytes that it takes as text or as choices. The same run under cargo-fuzz.

#[path = "support/run.rs"]
mod run;
mod support;

use proptest::prelude::*;
use run::{bytes, holds};
use support::{
    keys::Key,
    property::{id_token, json, jws, keys, numbers, parsers},
};

/// Texts that look like JSON, or nearly.
fn jsonish() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"b\":",
        "\\",
        "\\u0061",
        "\\ud83d\\ude00",
        "\\ud800",
        "1",
        "-",
        "0",
        ".5",
        "e9",
        "true",
        "false",
        "null",
        " ",
        "\n",
        "\u{1}",
        "é",
        "\u{feff}",
        "NaN",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

#[test]
fn fz_04_any_text_is_read_as_serde_json_reads_it() {
    holds(4_000, jsonish(), json::text);
    holds(1_000, bytes(64), json::text);
}

#[test]
fn fz_04_duplicates_are_refused_at_every_level_and_nothing_else_is() {
    holds(3_000, bytes(120), json::grammar);
}

#[test]
fn fz_04_depth_is_bounded_as_serde_json_bounds_it() {
    for depth in [1, 2, 126, 127, 128, 129, 1_000, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            json::text(text.as_bytes());
        }
    }
}

#[test]
fn fz_05_what_is_taken_apart_is_in_its_one_form() {
    holds(3_000, bytes(80), jws::segment);
    holds(1_000, bytes(80), jws::any);
    holds(1_000, "[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_=+.-]{0,9}", jws::any);
}

#[test]
fn fz_06_only_what_the_honest_signer_signed() {
    holds(1_500, bytes(96), id_token::mutations);
}

#[test]
fn fz_06_every_single_bit_of_an_rs256_token() {
    assert!(id_token::every_bit(Key::K1) > 4_000);
}

#[test]
fn fz_06_every_single_bit_of_an_es256_token() {
    assert!(id_token::every_bit(Key::E1) > 2_500);
}

#[test]
fn fz_06_a_token_is_good_from_one_moment_to_another() {
    holds(400, bytes(24), id_token::interval);
}

#[test]
fn fz_07_the_keys_that_are_tried() {
    holds(3_000, bytes(200), keys::select);
}

#[test]
fn fz_08_numbers_are_exact_and_saturate() {
    holds(6_000, bytes(64), numbers::number);
}

#[test]
fn fz_08_sums_of_times_saturate_and_keep_their_order() {
    holds(3_000, bytes(32), numbers::sum);
}

#[test]
fn fz_08_no_lifetime_wakes_anybody_in_the_past() {
    holds(200, bytes(64), numbers::alarm);
}

#[test]
fn fz_08_lifetimes_and_waits_as_text() {
    holds(1_000, bytes(32), numbers::text);
    holds(1_000, "[ +-]?[0-9]{0,12}[a-z.]?", numbers::text);
    holds(1_000, "[A-Z][a-z]{2}, [0-9]{2} (Jan|Feb|Nov) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT", |text| {
        numbers::text(text)
    });
    holds(2_000, bytes(9), numbers::http_date);
}

#[test]
fn fz_09_every_parser_is_total() {
    holds(6_000, bytes(160), parsers::any);
}
