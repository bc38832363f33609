//! Several identities in one tab: side by side, each with its own tokens, renewal and end.

mod support;

use polar_signin_core::{
    authorization::SignIn,
    error::Code,
    http::{Failure, HttpOutcome},
    identities::{Event, Overview, Slot},
    session::{Input, TokenRequest},
    snapshot::{Loadable, Reach, SignedOut},
    time::UnixTime,
};
use support::{
    fixture::{
        JWKS_URI, METADATA_URL, REDIRECT_URI, TOKEN_ENDPOINT, config, html, json, keys, metadata, polar,
        polar_metadata, tokens,
    },
    keys::encode,
    page::{Page, Storage, Trip},
    token::{claims, with_claims},
};

const APP: &str = "https://rp.example/app";

fn slot(number: u8) -> Slot {
    Slot::new(number).expect("a place")
}

/// Leaves for the provider, for one more or in place of the active one.
fn leave(page: &mut Page, seed: u8, request: SignIn, add: bool) {
    page.entropy.0 = seed;
    let records = page.records();
    page.happen(Event::SignIn { request: Box::new(request), records, add });
    if page.open_requests().contains(&METADATA_URL) {
        page.answer(METADATA_URL, json(200, metadata().json()));
    }
    assert!(page.left.take().is_some(), "left for the provider: {:?}", page.error());
}

/// What the provider hands over for this subject.
fn answer_of(subject: &str, nonce: &str) -> String {
    let id_token = with_claims(&claims().text("sub", subject).text("nonce", nonce).without("at_hash"));
    let set = tokens(&id_token).text("access_token", &format!("AT-{subject}"));
    set.text("refresh_token", &format!("RT-{subject}")).json()
}

fn response(seed: u8, parameters: &str) -> String {
    format!("{REDIRECT_URI}?{parameters}&state={}", encode(&[seed; 32]))
}

/// Comes back as this subject, on a page of its own.
fn back(page: &Page, seed: u8, subject: &str) -> Page {
    let mut next = Page::new(config(), page.storage.clone());
    next.now = page.now;
    next.entropy.0 = 200 + seed;
    next.open(&response(seed, "code=C-1"));
    next.answer(JWKS_URI, json(200, keys()));
    next.answer(TOKEN_ENDPOINT, json(200, answer_of(subject, &encode(&[seed + 1; 32]))));
    next
}

fn signed_in() -> Page {
    let mut page = Page::opened(config(), Storage::new(), APP);
    leave(&mut page, 1, SignIn::default(), false);
    back(&page, 1, "u1")
}

/// A person and three organizations.
fn four() -> Page {
    let mut page = signed_in();
    for (seed, subject) in [(11, "o1"), (21, "o2"), (31, "o3")] {
        leave(&mut page, seed, SignIn { organization: true, ..SignIn::default() }, true);
        page = back(&page, seed, subject);
    }
    page
}

fn reload(page: &Page) -> Page {
    let mut next = Page::new(config(), page.storage.clone());
    next.now = page.now;
    next.entropy.0 = 240;
    next.open(APP);
    next
}

fn subjects(overview: &Overview) -> Vec<(u8, &str)> {
    overview.identities.iter().map(|(slot, account)| (slot.number(), account.subject.as_str())).collect()
}

const ALL: [(u8, &str); 4] = [(0, "u1"), (1, "o1"), (2, "o2"), (3, "o3")];

#[track_caller]
fn token_of(page: &mut Page, number: u8) -> Result<String, Code> {
    let request = TokenRequest(u64::from(number) + 100);
    page.granted.clear();
    page.happen(Event::WantToken { slot: slot(number), request, refused: None });
    let granted = page.granted.iter().find(|(of, _)| *of == request);
    granted.expect("an answer at once").1.clone()
}

#[test]
fn a_person_and_organizations_live_side_by_side_and_a_reload_keeps_all() {
    let page = four();
    assert_eq!((subjects(&page.overview()).as_slice(), page.overview().active), (ALL.as_slice(), slot(3)));
    let mut page = reload(&page);
    let overview = page.overview();
    assert_eq!((subjects(&overview).as_slice(), overview.active), (ALL.as_slice(), slot(3)));
    assert_eq!((page.subject().as_deref(), overview.snapshot.error), (Some("o3"), None));
    // Each has a channel and tokens of its own.
    for (number, subject) in ALL {
        assert_eq!(token_of(&mut page, number), Ok(format!("AT-{subject}")));
    }
    assert_eq!(page.storage.keys().filter(|key| key.ends_with(":session")).count(), 4);
    for (key, text) in &page.storage {
        let named = ALL.iter().filter(|(_, subject)| text.contains(&format!("RT-{subject}"))).count();
        assert_eq!(named, usize::from(key.ends_with(":session")), "{key}");
    }
}

#[test]
fn one_is_active_as_long_as_nobody_else_is_chosen() {
    let mut page = four();
    page.happen(Event::Switch(slot(1)));
    assert_eq!(page.subject().as_deref(), Some("o1"));
    assert_eq!(reload(&page).subject().as_deref(), Some("o1"));
    // Nobody is at this place.
    page.happen(Event::Switch(slot(9)));
    assert_eq!(page.subject().as_deref(), Some("o1"));
    page.happen(Event::Switch(slot(0)));
    assert_eq!(reload(&page).subject().as_deref(), Some("u1"));
    // What says who is active may have been edited.
    for text in ["", "{}", r#"{"slot":9}"#, r#"{"slot":-1}"#, r#"{"slot":"1"}"#, r#"{"slot":400}"#, "null"] {
        let mut edited = Page::new(config(), page.storage.clone());
        for (_, record) in edited.storage.iter_mut().filter(|(key, _)| key.ends_with(":active")) {
            text.clone_into(record);
        }
        edited.open(APP);
        assert_eq!((edited.subject().as_deref(), subjects(&edited.overview()).len()), (Some("u1"), 4), "{text}");
    }
}

#[test]
fn ending_one_leaves_the_others() {
    let mut page = four();
    let records = page.records();
    page.happen(Event::SignOut { slot: slot(2), records });
    let overview = page.overview();
    assert_eq!(subjects(&overview), [(0, "u1"), (1, "o1"), (3, "o3")]);
    assert_eq!((overview.active, overview.snapshot.signed_out), (slot(3), Some(SignedOut::Here)));
    assert!(!page.holds("o2"), "{:?}", page.storage);
    assert_eq!(token_of(&mut page, 2), Err(Code::SessionExpired));
    assert_eq!(token_of(&mut page, 1), Ok("AT-o1".to_owned()));
    // The active one ends: somebody who is still here is active then.
    let records = page.records();
    page.happen(Event::SignOut { slot: slot(3), records });
    assert_eq!((page.subject().as_deref(), page.overview().active), (Some("u1"), slot(0)));
    // Who comes next takes the free place.
    leave(&mut page, 41, SignIn { organization: true, ..SignIn::default() }, true);
    let mut page = back(&page, 41, "o4");
    assert_eq!(subjects(&page.overview()), [(0, "u1"), (1, "o1"), (2, "o4")]);
    // Everybody goes: nothing is left, not even who was active.
    for number in [0, 1, 2] {
        assert!(page.subject().is_some());
        let records = page.records();
        page.happen(Event::SignOut { slot: slot(number), records });
    }
    assert!(page.storage.is_empty(), "{:?}", page.storage.keys());
    assert_eq!((page.subject(), page.snapshot().signed_out), (None, Some(SignedOut::Here)));
}

#[test]
fn whoever_is_refused_for_good_ends_alone_and_with_a_word() {
    let mut page = four();
    page.happen(Event::Switch(slot(1)));
    page.wake();
    page.now = UnixTime::from_millis(page.now.as_millis() + 3_560_000);
    page.step(Input::Woke);
    page.wake();
    let sent = page.sent.iter().filter(|sent| {
        sent.url == TOKEN_ENDPOINT && sent.form.as_deref().is_some_and(|form| form.contains("refresh_token"))
    });
    let of: Vec<u8> = sent.map(|sent| sent.slot.number()).collect();
    assert_eq!(of, [0, 1, 2, 3], "each renews its own");
    // Of the four the second is refused: no longer a member.
    for (number, subject) in ALL {
        if number == 1 {
            page.answer(TOKEN_ENDPOINT, json(400, r#"{"error":"invalid_grant"}"#));
        } else {
            let set = format!(
                r#"{{"access_token":"AT2-{subject}","token_type":"Bearer","expires_in":3600,"refresh_token":"RT2-{subject}"}}"#
            );
            page.answer(TOKEN_ENDPOINT, json(200, set));
        }
    }
    let overview = page.overview();
    assert_eq!(subjects(&overview), [(0, "u1"), (2, "o2"), (3, "o3")]);
    // Never silently somebody else: the error is on the screen until it is read.
    assert_eq!(page.code(), Some(Code::SessionExpired));
    assert!(overview.snapshot.for_organization);
    assert_eq!(page.subject().as_deref(), Some("u1"));
    for number in [0, 2, 3] {
        assert!(token_of(&mut page, number).is_ok_and(|token| token.starts_with("AT2-")));
    }
    // Signing in again is for the place of whoever has ended.
    leave(&mut page, 51, SignIn { organization: true, ..SignIn::default() }, false);
    let page = back(&page, 51, "o9");
    assert_eq!(subjects(&page.overview()), [(0, "u1"), (1, "o9"), (2, "o2"), (3, "o3")]);
    assert_eq!((page.subject().as_deref(), page.code()), (Some("o9"), None));
}

#[test]
fn a_response_goes_to_whoever_waits_for_it() {
    let mut page = signed_in();
    // Two are begun, and come back the other way round.
    leave(&mut page, 11, SignIn { organization: true, ..SignIn::default() }, true);
    let mut page = reload(&page);
    leave(&mut page, 21, SignIn { organization: true, ..SignIn::default() }, true);
    let page = back(&page, 21, "o2");
    assert_eq!(subjects(&page.overview()), [(0, "u1"), (2, "o2")]);
    let page = back(&page, 11, "o1");
    assert_eq!(subjects(&page.overview()), [(0, "u1"), (1, "o1"), (2, "o2")]);
    assert_eq!(page.scrubbed.as_deref(), Some(REDIRECT_URI));
    assert!(page.trace[0].starts_with("Scrub"), "{}", page.trace[0]);
    // The same again is nobody's, and nobody is disturbed by it.
    let mut again = Page::new(config(), page.storage.clone());
    again.open(&response(11, "code=C-1"));
    assert!(!again.open_requests().contains(&TOKEN_ENDPOINT));
    assert_eq!((again.code(), subjects(&again.overview()).len()), (None, 3));
}

#[test]
fn whoever_is_not_let_in_changes_nothing_for_the_others() {
    let mut page = signed_in();
    leave(&mut page, 11, SignIn { organization: true, ..SignIn::default() }, true);
    let mut denied = Page::new(config(), page.storage.clone());
    denied.open(&response(11, "error=access_denied"));
    let overview = denied.overview();
    assert_eq!((denied.code(), denied.subject().as_deref()), (Some(Code::AccessDenied), Some("u1")));
    assert!(overview.snapshot.for_organization, "that is what is tried again");
    denied.happen(Event::DismissError);
    assert_eq!((denied.code(), subjects(&denied.overview())), (None, vec![(0, "u1")]));
    // A reload in mid-exchange: that one is interrupted, the other lives.
    let mut cut = Page::new(config(), page.storage.clone());
    cut.open(&response(11, "code=C-1"));
    let cut = reload(&cut);
    assert_eq!((cut.code(), cut.subject().as_deref()), (Some(Code::CallbackInterrupted), Some("u1")));
    assert!(!cut.open_requests().contains(&TOKEN_ENDPOINT));
    // A wrong ID token opens no place.
    let mut wrong = Page::new(config(), page.storage.clone());
    wrong.open(&response(11, "code=C-1"));
    wrong.answer(JWKS_URI, json(200, keys()));
    wrong.answer(TOKEN_ENDPOINT, json(200, answer_of("o1", "another nonce")));
    assert_eq!((wrong.code(), subjects(&wrong.overview())), (Some(Code::IdTokenNonce), vec![(0, "u1")]));
}

#[test]
fn what_was_begun_to_be_added_is_not_after_everybody_has_signed_out() {
    let mut page = signed_in();
    leave(&mut page, 11, SignIn { organization: true, ..SignIn::default() }, true);
    let mut page = reload(&page);
    page.sign_out();
    assert!(page.storage.is_empty(), "{:?}", page.storage.keys());
    let mut late = Page::new(config(), page.storage);
    late.open(&response(11, "code=C-1"));
    assert!(late.open_requests().is_empty() && late.subject().is_none());
}

#[test]
fn there_are_so_many_places_and_no_more() {
    let mut page = signed_in();
    // As many sign-ins as may be under way, and sessions at the other places.
    let session = page.storage.iter().find(|(key, _)| key.ends_with(":session")).map(|(_, text)| text.clone());
    let session = session.expect("kept");
    let key = |number: u8| config().in_slot(slot(number)).namespace() + "session";
    for number in 1..Slot::COUNT {
        page.storage.insert(key(number), session.clone());
    }
    let mut page = reload(&page);
    assert_eq!(page.overview().identities.len(), usize::from(Slot::COUNT));
    let records = page.records();
    page.happen(Event::SignIn { request: Box::default(), records, add: true });
    assert_eq!((page.left.as_deref(), page.snapshot().working), (None, None));
    // A key of no place is nobody's.
    let mut page = signed_in();
    let strange = key(1).replace(".1:", ".32:");
    page.storage.insert(strange, session);
    assert_eq!(reload(&page).overview().identities.len(), 1);
}

#[test]
fn a_response_in_a_frame_is_for_nobody() {
    let mut page = four();
    leave(&mut page, 61, SignIn::default(), true);
    let mut framed = Page::new(config(), page.storage.clone());
    let records = framed.records();
    let url = response(61, "code=C-1");
    framed.happen(Event::Opened { url, records, framed: true, memory_only: false });
    let overview = framed.overview();
    assert!(overview.snapshot.inert && overview.identities.is_empty());
    assert!(framed.open_requests().is_empty());
}

const ORGANIZATIONS: &str = "https://api.polar.sh/v1/organizations/?page=1&limit=100";

fn list(names: &[&str]) -> HttpOutcome {
    let item = |name: &&str| format!(r#"{{"id":"id-{name}","name":"{name}","slug":"{name}"}}"#);
    let items: Vec<_> = names.iter().map(item).collect();
    let (items, total) = (items.join(","), names.len());
    json(200, format!(r#"{{"items":[{items}],"pagination":{{"total_count":{total},"max_page":1}}}}"#))
}

/// A person's token at Polar, narrowed to one organization.
fn narrowed() -> Page {
    let trip = Trip {
        metadata_url: polar().provider().metadata_url().as_str().to_owned(),
        metadata: polar_metadata().json(),
        sign_in: SignIn { organization: true, ..SignIn::default() },
        ..Trip::new(polar())
    };
    let mut page = trip.back();
    let token = with_claims(&claims().text("iss", "https://polar.sh").without("at_hash"));
    let answer = tokens(&token).text("access_token", "polar_at_u_1");
    let answer = answer.text("scope", "openid profile email organizations:read").json();
    page.answer("https://api.polar.sh/.well-known/jwks.json", json(200, keys()));
    page.answer("https://api.polar.sh/v1/oauth2/token", json(200, answer));
    page.answer(ORGANIZATIONS, list(&["acme"]));
    page
}

fn said_of_it(page: &Page) -> Result<Reach, Code> {
    match page.account().expect("signed in").organizations {
        Loadable::Ready(reach) => Ok(reach),
        Loadable::Failed(error) => Err(error.code()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rt_19_a_membership_that_is_lost_is_said_and_nobody_takes_its_place() {
    let chosen = |page: &Page| page.account().and_then(|account| account.chosen).map(|chosen| chosen.id);
    let changed = |answer| {
        let mut page = narrowed();
        let before = said_of_it(&page);
        page.happen(Event::Switch(slot(0)));
        assert_eq!(said_of_it(&page), before, "what is known stays on the screen");
        page.answer(ORGANIZATIONS, answer);
        assert_eq!((chosen(&page).as_deref(), page.subject().as_deref()), (Some("id-acme"), Some("u1")));
        said_of_it(&page)
    };
    assert!(matches!(changed(list(&["acme"])), Ok(Reach::Selected(one)) if one.id == "id-acme"));
    assert_eq!(changed(list(&[])), Err(Code::OrganizationLost));
    assert_eq!(changed(list(&["bolt"])), Err(Code::OrganizationChanged));
    assert_eq!(changed(list(&["acme", "bolt"])), Err(Code::OrganizationSeveral));
    // What says nothing of organizations changes nothing.
    for passing in [html(502), HttpOutcome::NotSent(Failure::Network), json(200, "{}")] {
        assert!(changed(passing).is_ok());
    }
}

#[test]
fn the_chosen_organization_is_known_after_a_reload() {
    let page = narrowed();
    for (answer, code) in [(list(&["bolt"]), Code::OrganizationChanged), (list(&[]), Code::OrganizationLost)] {
        let mut next = Page::opened(polar(), page.storage.clone(), "https://rp.example/callback");
        let account = next.account().expect("signed in");
        assert_eq!(account.chosen.map(|chosen| (chosen.id, chosen.name)), Some(("id-acme".into(), "acme".into())));
        assert_eq!(account.organizations, Loadable::Waiting, "it has to be looked up again");
        next.answer(ORGANIZATIONS, answer);
        assert_eq!(said_of_it(&next), Err(code));
    }
}
