//! Section 11 of the matrix, FZ-01 to FZ-03, FZ-10 and FZ-12, by the properties that cargo-fuzz runs too:
//! addresses, requests and records, each held against the URL standard's own decoder.

mod support;

use support::property::{
    authorization, callback, return_to,
    run::{bytes, holds},
    sign_ins, storage,
};

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
