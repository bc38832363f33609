//! Section 11 of the matrix, FZ-01 to FZ-03, FZ-10 and FZ-12, by the properties that cargo-fuzz runs too:
//! addresses, requests and records, each held against the URL standard's own decoder.

#[path = "support/run.rs"]
mod run;
mod support;

use run::{bytes, holds};
use support::property::{authorization, callback, decode, return_to, sign_ins, storage};

#[test]
fn fz_01_a_response_is_what_the_url_standard_reads() {
    holds(6_000, bytes(64), callback::any);
}

#[test]
fn fz_02_the_way_back_stays_on_this_site() {
    holds(10_000, bytes(40), return_to::any);
}

#[test]
fn fz_03_the_request_says_what_went_in() {
    holds(1_000, bytes(80), authorization::request);
    holds(500, bytes(200), authorization::form);
}

#[test]
fn fz_03_every_character_comes_out_as_it_went_in() {
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    assert_eq!(all.len(), 0x11_0000 - 0x800);
    for some in all.chunks(16_384) {
        authorization::carries(&some.iter().collect::<String>(), decode);
    }
}

#[test]
fn fz_10_sign_ins_in_any_order() {
    holds(1_000, bytes(40), sign_ins::any);
}

#[test]
fn fz_12_an_edited_storage_leads_nowhere() {
    holds(1_000, bytes(64), storage::edited);
}

#[test]
fn fz_12_what_is_kept_is_read_back_as_the_same() {
    holds(300, bytes(80), storage::kept);
}

#[test]
fn fz_12_no_part_of_a_secret_is_shown() {
    holds(300, bytes(80), storage::redacted);
}
