//! Section 8 of the matrix: a sign-in in a window of its own, as far as no browser is needed for it.
// long: one section, whose cases share what a page that waits is

mod support;

use polar_signin_core::{
    authorization::{PopupNumber, SignIn, Way},
    config::POPUP_KEY,
    error::Code,
    identities::{Event, Slot},
    secret::ChannelText,
    session::{Input, StorageFailure, TokenRequest, Wanted},
    snapshot::Step,
    time::UnixTime,
};
use support::{
    case::SIGNED_IN,
    fixture::{JWKS_URI, METADATA_URL, REDIRECT_URI, Steps, TOKEN_ENDPOINT, config, json, keys, metadata, tokens},
    keys::encode,
    page::{Page, Storage, Trip},
    token::{claims, with_claims},
};

const APP: &str = "https://rp.example/app";
const MINUTE: i64 = 60_000;

fn state(seed: u8) -> String {
    encode(&[seed; 32])
}

fn code(seed: u8) -> String {
    format!("code=C-1&state={}", state(seed))
}

fn of(number: u64) -> SignIn {
    SignIn { way: Way::Popup(PopupNumber(number)), return_to: Some("/app".to_owned()), ..SignIn::default() }
}

/// The windows that are waited for.
fn popups(page: &Page) -> Vec<u64> {
    wanted(page, Wanted::Window)
}

/// The windows that seem to be closed, and whose channels are listened to.
fn channels(page: &Page) -> Vec<u64> {
    wanted(page, Wanted::Channel)
}

fn wanted(page: &Page, what: Wanted) -> Vec<u64> {
    page.identities.popups().filter(|(_, wanted)| *wanted == what).map(|(number, _)| number.0).collect()
}

fn later(page: &mut Page, millis: i64) {
    page.now = UnixTime::from_millis(page.now.as_millis() + millis);
}

/// Clicks, and sends a window of this number to the provider.
#[track_caller]
fn click(page: &mut Page, seed: u8, number: u64, add: bool) {
    page.entropy = Steps(seed);
    let records = page.records();
    page.happen(Event::SignIn { request: Box::new(of(number)), records, add });
    if page.open_requests().contains(&METADATA_URL) {
        page.answer(METADATA_URL, json(200, metadata().json()));
    }
    let (sent, url, _) = page.popup.as_ref().unwrap_or_else(|| panic!("a window was sent: {:?}", page.error()));
    assert!(sent.0 == number && url.contains(&state(seed)), "{url}");
}

fn waiting_with(storage: &Storage) -> Page {
    let mut page = Page::opened(config(), storage.clone(), APP);
    click(&mut page, 1, 7, false);
    page
}

fn waiting() -> Page {
    waiting_with(&Storage::new())
}

fn relay_to(page: &mut Page, slot: Slot, query: &str) {
    let records = page.records();
    page.happen(Event::Of(slot, Input::Relayed { query: ChannelText::new(query), records }));
}

fn relay(page: &mut Page, query: &str) {
    relay_to(page, Slot::default(), query);
}

fn closed(page: &mut Page, certain: bool) {
    page.happen(Event::Of(Slot::default(), Input::PopupClosed { certain }));
}

/// The provider answers, and whoever it names is signed in.
#[track_caller]
fn completes(page: &mut Page, seed: u8, subject: &str) {
    page.answer(JWKS_URI, json(200, keys()));
    let nonce = encode(&[seed + 1; 32]);
    let id_token = with_claims(&claims().text("sub", subject).text("nonce", &nonce).without("at_hash"));
    page.answer(TOKEN_ENDPOINT, json(200, tokens(&id_token).text("access_token", &format!("AT-{subject}")).json()));
    assert_eq!((page.subject().as_deref(), page.error()), (Some(subject), None));
}

fn still_waits(page: &Page) -> bool {
    let transactions = page.storage.keys().filter(|key| key.contains(":transaction:")).count();
    page.snapshot().working == Some(Step::InPopup) && popups(page) == [7] && transactions == 1
}

/// Nothing is waited for, and nothing of it is kept.
fn is_over(page: &Page) -> bool {
    page.snapshot().working.is_none() && popups(page).is_empty() && page.storage.is_empty()
}

/// The page in the window: its tab began with a copy of what the opener kept, and the mark.
fn in_popup(copied: &Storage, url: &str) -> Page {
    let mut storage = copied.clone();
    storage.insert(POPUP_KEY.to_owned(), "1".to_owned());
    Page::opened(config(), storage, url)
}

#[test]
fn pm_01_the_window_relays_and_the_page_that_waits_redeems() {
    let mut page = waiting();
    assert!(page.left.is_none() && still_waits(&page), "this page stays");
    let channel = page.popup.as_ref().expect("a window").2.clone();
    assert!(!channel.contains(&state(1)), "whoever hears of the channel does not know the state");

    let popup = in_popup(&Storage::new(), &format!("{REDIRECT_URI}?{}", code(1)));
    assert_eq!(popup.scrubbed.as_deref(), Some(REDIRECT_URI));
    assert!(popup.trace[0].starts_with("Scrub(") && popup.closed && popup.sent.is_empty(), "{:?}", popup.trace);
    let (query, said_on) = popup.relayed.clone().expect("relayed");
    assert_eq!((query.as_str(), said_on), (code(1).as_str(), channel));
    assert!(!popup.trace.iter().any(|line| line.contains("C-1") || line.contains(&state(1))), "no log holds it");

    relay(&mut page, &query);
    assert_eq!((popups(&page), page.snapshot().working), (vec![], Some(Step::Completing)), "the window can go");
    completes(&mut page, 1, "u1");
    assert_eq!((page.returned.as_ref(), page.left.as_ref(), page.count(TOKEN_ENDPOINT)), (None, None, 1));
    assert!(page.storage.keys().all(|key| key.ends_with(":session")) && !page.holds(&state(1)));
}

#[test]
fn pm_01_what_is_relayed_is_held_to_the_rules_of_a_redirect() {
    let mut refused = 0;
    for query in [
        "code=C-1&state={S}&iss=https://evil.example",
        "error=access_denied&state={S}",
        "error=login_required&error_description=x&state={S}",
        "code=C-1&error=access_denied&state={S}",
        "code=C-1&code=C-2&state={S}",
        "code=&state={S}",
        "code=C%0a1&state={S}",
        "state={S}",
    ] {
        let query = query.replace("{S}", &state(1));
        let trip = Trip::new(config());
        let redirected = Page::opened(config(), trip.leave().storage, &format!("{REDIRECT_URI}?{query}"));
        let mut page = waiting();
        relay(&mut page, &query);
        assert_eq!((page.code(), page.sent.len()), (redirected.code(), 1), "{query}");
        assert!(page.code().is_some() && is_over(&page), "{query}: {:?}", page.storage);
        refused += 1;
    }
    assert_eq!(refused, 8);
    // A record that somebody has edited.
    for (from, to) in [("\"popup\":true", "\"popup\":1"), ("https://op.example/token", "https://evil.example/token")] {
        let mut page = waiting();
        page.storage.values_mut().for_each(|text| *text = text.replace(from, to));
        relay(&mut page, &code(1));
        // The first is damaged, the second needs the metadata's word, which is known here and says no.
        assert_eq!((page.code(), page.sent.len()), (Some(Code::TransactionCorrupt), 1), "{to}");
        assert!(is_over(&page), "{to}");
    }
}

#[test]
fn pm_02_pm_03_what_strangers_say_changes_nothing() {
    let long = "x".repeat(40_000);
    let strangers = [
        String::new(),
        "hello=1".to_owned(),
        "code=C-1".to_owned(),
        code(2),
        code(7).replace("code=", "error="),
        format!("code=C-1&state={}", &state(1)[1..]),
        format!("code=C-1&state={}&state={}", state(2), state(1)),
        format!("x=1#code=C-1&state={}", state(1)),
        format!("{}&id_token=x", code(1)),
        format!("{}&x={long}", code(1)),
        format!("{}&iss={long}", code(1)),
    ];
    let mut page = waiting();
    let before = page.storage.clone();
    for query in &strangers {
        relay(&mut page, query);
        assert_eq!((page.sent.len(), page.code(), &page.storage), (1, None, &before), "{query:.80}");
        assert!(still_waits(&page), "{query:.80}");
    }
    relay(&mut page, &code(1));
    completes(&mut page, 1, "u1");
    // Nobody waits: nothing is an answer.
    for query in strangers.iter().chain([&code(1)]) {
        relay(&mut page, query);
    }
    assert_eq!((page.sent.len(), page.subject().as_deref(), page.error()), (4, Some("u1"), None));
}

#[test]
fn pm_03_a_response_in_an_address_is_no_answer_for_who_waits() {
    let mut page = waiting();
    // A page of its own, in the same tab, and this page itself.
    let stranger = Page::opened(config(), page.storage.clone(), &format!("{REDIRECT_URI}?{}", code(1)));
    assert_eq!((stranger.code(), stranger.sent.len()), (Some(Code::CallbackUnknown), 0));
    assert_eq!(stranger.storage, page.storage);
    page.open(&format!("{REDIRECT_URI}?{}", code(1)));
    assert!(still_waits(&page) && page.sent.len() == 1);
    relay(&mut page, &code(1));
    completes(&mut page, 1, "u1");
}

#[test]
fn pm_06_the_same_answer_twice() {
    let mut page = waiting();
    relay(&mut page, &code(1));
    relay(&mut page, &code(1));
    assert_eq!((page.count(TOKEN_ENDPOINT), page.code()), (1, None));
    completes(&mut page, 1, "u1");
    relay(&mut page, &code(1));
    assert_eq!((page.count(TOKEN_ENDPOINT), page.subject().as_deref(), page.code()), (1, Some("u1"), None));
}

#[test]
fn pm_06_two_windows_each_answer_their_own() {
    let mut page = waiting_with(&SIGNED_IN);
    let second = Slot::new(1).expect("a place");
    click(&mut page, 11, 8, true);
    assert_eq!(popups(&page), [7, 8]);
    relay(&mut page, &code(11));
    relay_to(&mut page, second, &code(1));
    assert_eq!((popups(&page), page.count(TOKEN_ENDPOINT)), (vec![7, 8], 0), "swapped");
    relay_to(&mut page, second, &code(11));
    assert_eq!(popups(&page), [7]);
    completes(&mut page, 11, "u2");
    relay(&mut page, &code(1));
    completes(&mut page, 1, "u1");
    let here = page.overview().identities.into_iter().map(|(slot, account)| (slot.number(), account.subject));
    assert_eq!(here.collect::<Vec<_>>(), [(0, "u1".to_owned()), (1, "u2".to_owned())]);
}

#[test]
fn pm_06_pm_10_after_ten_minutes_nothing_is_waited_for() {
    let mut page = waiting();
    assert_eq!(page.wake.map(|at| at.millis_since(page.now)), Some(10 * MINUTE));
    page.wake();
    assert_eq!(page.code(), Some(Code::TransactionExpired));
    assert!(is_over(&page));
    relay(&mut page, &code(1));
    assert_eq!((page.count(TOKEN_ENDPOINT), page.code()), (0, Some(Code::TransactionExpired)));
    // The answer comes before the alarm, which is late.
    let mut page = waiting();
    later(&mut page, 10 * MINUTE + 1);
    relay(&mut page, &code(1));
    assert_eq!((page.count(TOKEN_ENDPOINT), page.code()), (0, Some(Code::TransactionExpired)));
    assert!(is_over(&page));
    // In time, the clock having been set back meanwhile.
    let mut page = waiting();
    later(&mut page, -MINUTE);
    page.step(Input::Woke);
    assert_eq!(page.wake.map(|at| at.millis_since(page.now)), Some(10 * MINUTE));
    later(&mut page, 8 * MINUTE);
    relay(&mut page, &code(1));
    completes(&mut page, 1, "u1");
    // What a page that is gone has left is cleared away by the next one.
    for (age, left) in [(9, 1), (11, 0)] {
        let storage = waiting().storage;
        let mut next = Page::new(config(), storage);
        later(&mut next, age * MINUTE);
        next.open(APP);
        assert_eq!((next.storage.len(), next.code()), (left, None), "{age} minutes");
    }
}

#[test]
fn pm_07_a_window_that_looks_closed_may_still_answer() {
    let mut page = waiting();
    closed(&mut page, false);
    for _ in 0..9 {
        later(&mut page, MINUTE);
        page.step(Input::Woke);
        assert!(still_waits(&page) && page.code().is_none());
    }
    relay(&mut page, &code(1));
    completes(&mut page, 1, "u1");
}

#[test]
fn pm_08_a_closed_window_ends_the_wait() {
    let mut page = waiting();
    closed(&mut page, true);
    let wait = page.wake.map(|at| at.millis_since(page.now)).expect("an alarm");
    assert!((200..=1500).contains(&wait), "{wait} ms, and what a browser takes to notice");
    assert!(still_waits(&page), "what it said before may still be on its way");
    page.wake();
    assert_eq!(page.code(), Some(Code::PopupClosed));
    assert!(is_over(&page), "whatever the window itself still says is not heard");
    // It said something, and closed itself.
    let mut page = waiting();
    closed(&mut page, true);
    later(&mut page, 200);
    relay(&mut page, &code(1));
    completes(&mut page, 1, "u1");
    // Whoever is signed in stays so.
    let mut page = waiting_with(&SIGNED_IN);
    closed(&mut page, true);
    later(&mut page, 1000);
    page.step(Input::Woke);
    assert_eq!((page.code(), page.subject().as_deref()), (Some(Code::PopupClosed), Some("u0")));
}

/// A page in it may have cut it off: that of this site, at the end of the way.
#[test]
fn pm_07_an_answer_on_the_channel_says_that_the_window_was_not_closed() {
    let seems_closed = || {
        let mut page = waiting();
        closed(&mut page, true);
        page.wake();
        assert_eq!((page.code(), channels(&page)), (Some(Code::PopupClosed), vec![7]));
        assert!(is_over(&page), "nothing is kept meanwhile");
        page
    };
    let mut page = seems_closed();
    page.step(Input::DismissError);
    for stranger in [code(2), format!("{}&iss=https://evil.example", code(2)), String::new()] {
        relay(&mut page, &stranger);
    }
    later(&mut page, 5 * MINUTE);
    page.step(Input::Woke);
    relay(&mut page, &code(1));
    assert!(page.snapshot().working == Some(Step::Completing) && channels(&page).is_empty());
    relay(&mut page, &code(1));
    assert_eq!(page.count(TOKEN_ENDPOINT), 1);
    completes(&mut page, 1, "u1");
    // It is held to the rules like any other.
    let mut page = seems_closed();
    relay(&mut page, &format!("{}&iss=https://evil.example", code(1)));
    assert_eq!((page.code(), page.count(TOKEN_ENDPOINT)), (Some(Code::IssuerParameterMismatch), 0));
    // Whoever has done something else meanwhile has given it up; and it ends by itself.
    let other_things: [fn(&mut Page); 5] = [
        |page| page.step(Input::Cancel),
        |page| page.sign_out(),
        |page| click(page, 11, 8, false),
        |page| page.sign_in(SignIn { way: Way::Blocked, ..SignIn::default() }),
        |page| {
            later(page, 10 * MINUTE);
            page.step(Input::Woke);
        },
    ];
    for (index, other_thing) in other_things.into_iter().enumerate() {
        let mut page = seems_closed();
        other_thing(&mut page);
        assert!(channels(&page).is_empty(), "{index}");
        let (before, kept) = (page.code(), page.storage.clone());
        relay(&mut page, &code(1));
        assert_eq!((page.code(), &page.storage, page.count(TOKEN_ENDPOINT)), (before, &kept, 0), "{index}");
    }
}

#[test]
fn pm_08_no_window_was_opened() {
    let mut page = Page::opened(config(), Storage::new(), APP);
    page.sign_in(SignIn { way: Way::Blocked, organization: true, ..SignIn::default() });
    assert_eq!((page.code(), page.sent.len()), (Some(Code::PopupBlocked), 0));
    assert!(page.snapshot().for_organization && is_over(&page));
    // By redirect then.
    page.sign_in(SignIn::default());
    page.answer(METADATA_URL, json(200, metadata().json()));
    assert!(page.left.is_some() && page.code().is_none());
}

#[test]
fn pm_08_a_window_that_is_not_needed_is_given_up() {
    // The metadata cannot be had, or nothing can be kept.
    let mut page = Page::opened(config(), Storage::new(), APP);
    page.sign_in(of(7));
    assert_eq!(popups(&page), [7], "it waits for the metadata");
    page.answer(METADATA_URL, json(200, metadata().text("issuer", "https://evil.example").json()));
    assert_eq!(page.code(), Some(Code::MetadataIssuer));
    assert!(is_over(&page) && page.popup.is_none());
    page.refuse_to_keep = Some(StorageFailure::Full);
    page.sign_in(of(8));
    page.answer(METADATA_URL, json(200, metadata().json()));
    assert_eq!(page.code(), Some(Code::StorageFull));
    assert!(is_over(&page) && page.popup.is_none());
    // Without a storage there is no mark, and the window would not know what it is.
    let mut page = Page::new(config(), Storage::new());
    let records = page.records();
    page.step(Input::Opened { url: APP.to_owned(), records, framed: false, memory_only: true });
    page.sign_in(of(7));
    assert_eq!((page.code(), page.sent.len()), (Some(Code::StorageUnavailable), 0));
    assert!(is_over(&page) && page.popup.is_none());
    // A second click while the first window waits for the metadata: that one stays.
    let mut page = Page::opened(config(), Storage::new(), APP);
    page.sign_in(of(7));
    page.sign_in(of(8));
    assert_eq!(popups(&page), [7]);
    // Nobody takes a window while a code is being exchanged.
    let mut page = waiting();
    relay(&mut page, &code(1));
    page.sign_in(of(8));
    assert_eq!((popups(&page), page.code()), (vec![], None));
    completes(&mut page, 1, "u1");
}

#[test]
fn pm_09_a_window_keeps_nothing_of_what_was_copied() {
    let mut copied = SIGNED_IN.clone();
    copied.extend(waiting_with(&SIGNED_IN).storage);
    copied.insert("polar-signin:v1:other-client:session".to_owned(), "{}".to_owned());
    copied.insert("app:cart".to_owned(), "3".to_owned());
    for query in ["?code=C-1&state=x", "?code=C-1", "", "?error=access_denied&state=x", "?code=C-1&code=C-2&state=x"] {
        let mut copied = copied.clone();
        // As in a browser, only what is ours is read at all.
        let foreign = copied.remove("app:cart");
        let mut popup = in_popup(&copied, &format!("{REDIRECT_URI}{query}"));
        assert_eq!(popup.storage.keys().collect::<Vec<_>>(), [POPUP_KEY], "{query}");
        assert!(foreign.is_some() && popup.sent.is_empty() && popup.subject().is_none(), "{query}");
        let first = popup.trace.iter().position(|line| line.starts_with("Relay")).unwrap_or(popup.trace.len());
        assert!(popup.trace[..first].iter().filter(|line| line.starts_with("Forget")).count() == copied.len());
        assert_eq!(popup.closed, query.contains("state"), "{query}");
        // Nothing that happens there begins anything.
        let records = popup.records();
        popup.happen(Event::SignIn { request: Box::default(), records: records.clone(), add: true });
        popup.step(Input::Prepare);
        popup.step(Input::Resumed { records, from_memory: true });
        popup.step(Input::WantToken { request: TokenRequest(1), refused: None });
        assert_eq!(popup.granted, [(TokenRequest(1), Err(Code::SessionExpired))]);
        let overview = popup.overview();
        assert!(overview.snapshot.in_popup && overview.identities.is_empty() && popup.sent.is_empty());
        assert_eq!(popup.storage.len(), 1);
        // Loaded again, it is still such a window.
        let again = Page::opened(config(), popup.storage.clone(), REDIRECT_URI);
        assert!(again.snapshot().in_popup && again.relayed.is_none() && !again.closed);
    }
    // In a frame of such a window nothing is handed over.
    let mut framed = Page::new(config(), copied.clone());
    framed.storage.insert(POPUP_KEY.to_owned(), "1".to_owned());
    let (url, records) = (format!("{REDIRECT_URI}?{}", code(1)), framed.records());
    framed.step(Input::Opened { url, records, framed: true, memory_only: false });
    assert!(framed.relayed.is_none() && framed.snapshot().in_popup && !framed.storage.keys().any(|k| k.ends_with("n")));
}

#[test]
fn pm_10_whoever_waits_can_give_up() {
    let mut page = waiting();
    page.step(Input::Cancel);
    assert!(is_over(&page) && page.code().is_none());
    relay(&mut page, &code(1));
    closed(&mut page, true);
    page.step(Input::Woke);
    assert!(is_over(&page) && page.code().is_none() && page.count(TOKEN_ENDPOINT) == 0);
    // The page was put aside and comes back: it still waits.
    let mut page = waiting();
    let records = page.records();
    page.step(Input::Resumed { records, from_memory: true });
    assert!(still_waits(&page));
    // Signing out is giving up too, for everybody if nobody is left.
    let mut page = waiting_with(&SIGNED_IN);
    click(&mut page, 11, 8, true);
    page.sign_out();
    assert!(is_over(&page), "{:?} {:?}", popups(&page), page.storage);
}

#[test]
fn pm_11_another_click_takes_another_window() {
    let mut page = waiting();
    click(&mut page, 11, 8, false);
    assert_eq!(popups(&page), [8], "the first window is given up");
    assert_eq!(page.storage.len(), 1);
    relay(&mut page, &code(1));
    assert_eq!((popups(&page), page.count(TOKEN_ENDPOINT), page.code()), (vec![8], 0, None));
    relay(&mut page, &code(11));
    completes(&mut page, 11, "u1");
    // By redirect after all.
    let mut page = waiting();
    page.entropy = Steps(21);
    page.sign_in(SignIn::default());
    assert!(page.left.is_some() && popups(&page).is_empty() && page.storage.len() == 1);
}
