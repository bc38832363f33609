//! RT-08, LO-07: one session in several tabs, which the browser copied.

mod support;

use polar_signin_core::{
    error::Code,
    secret::ChannelText,
    session::{Input, TokenRequest},
    snapshot::{RenewalStatus, SignedOut},
    time::UnixTime,
};
use support::{
    fixture::{NOW, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, good_tokens, json, keys},
    page::{Page, Trip},
    token::Members,
};

fn second() -> Members {
    good_tokens().without("id_token").text("access_token", "AT-2").text("refresh_token", "RT-2")
}

/// Tabs that hear each other at once.
struct Tabs(Vec<Page>);

impl Tabs {
    /// u1 signed in, in one tab.
    fn one() -> Self {
        let mut page = Trip::new(config()).complete(json(200, good_tokens().json()), &keys());
        page.answer(USERINFO_ENDPOINT, json(200, r#"{"sub":"u1"}"#));
        Self(vec![page])
    }

    /// The browser copies this tab's storage to a new one.
    fn duplicate(&mut self, of: usize) -> usize {
        // Chance of its own.
        let copy = self.silent_copy(of, 200 + self.0.len() as u8);
        self.talk();
        copy
    }

    /// The same, and nobody has heard of it yet. The page with the smallest number wins a tie.
    fn silent_copy(&mut self, of: usize, number: u8) -> usize {
        let mut page = Page::new(config(), self.0[of].storage.clone());
        page.now = self.0[of].now;
        page.entropy.0 = number;
        page.open("https://rp.example/app");
        self.0.push(page);
        self.0.len() - 1
    }

    fn hear(&mut self, at: usize, text: String) {
        self.0[at].step(Input::Heard(ChannelText::new(text)));
    }

    fn wants(&mut self, at: usize, refused: Option<u64>) {
        self.0[at].step(Input::WantToken { request: TokenRequest(1), refused });
    }

    /// Everything that was said is heard, by all but the one who said it.
    fn talk(&mut self) {
        for _ in 0..50 {
            let said: Vec<(usize, String)> = self
                .0
                .iter_mut()
                .enumerate()
                .flat_map(|(at, page)| page.told.drain(..).map(move |text| (at, text)))
                .collect();
            if said.is_empty() {
                return;
            }
            for (from, text) in said {
                for (_, page) in
                    self.0.iter_mut().enumerate().filter(|(at, page)| *at != from && page.channel.is_some())
                {
                    page.step(Input::Heard(ChannelText::new(text.as_str())));
                }
            }
        }
        panic!("they talk without end");
    }

    fn at(&mut self, seconds: i64) {
        for page in &mut self.0 {
            page.now = UnixTime::from_seconds(NOW + seconds);
            page.step(Input::Woke);
        }
        self.talk();
    }

    fn holders(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|at| self.0[*at].storage.values().any(|text| text.contains("refresh_token"))).collect()
    }

    fn asked(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|at| self.0[*at].open_requests().contains(&TOKEN_ENDPOINT)).collect()
    }
}

#[test]
fn rt_08_of_the_copies_one_keeps_the_refresh_token() {
    let mut tabs = Tabs::one();
    tabs.duplicate(0);
    tabs.duplicate(0);
    tabs.duplicate(1);
    assert_eq!(tabs.holders().len(), 1, "{:?}", tabs.holders());
    let holder = tabs.holders()[0];
    for (at, page) in tabs.0.iter().enumerate() {
        let expected = if at == holder { RenewalStatus::Possible } else { RenewalStatus::Elsewhere };
        assert_eq!(page.account().map(|account| account.renewal), Some(expected), "{at}");
    }
    // All of them are due; one asks, all go on.
    tabs.at(3540);
    assert_eq!(tabs.asked(), [holder]);
    tabs.0[holder].answer(TOKEN_ENDPOINT, json(200, second().json()));
    tabs.talk();
    for (at, page) in tabs.0.iter_mut().enumerate() {
        page.step(Input::WantToken { request: TokenRequest(1), refused: None });
        assert_eq!(page.granted.last(), Some(&(TokenRequest(1), Ok("AT-2".to_owned()))), "{at}");
        assert!(!page.holds("RT-1") && !page.holds("AT-1"), "{at}");
    }
    assert_eq!(tabs.holders(), [holder]);
}

#[test]
fn rt_08_a_copy_that_opens_in_mid_renewal_leaves_the_token_alone() {
    let mut tabs = Tabs::one();
    tabs.at(3540);
    assert_eq!(tabs.asked(), [0]);
    tabs.duplicate(0);
    assert_eq!(tabs.holders(), [0]);
    tabs.at(3541);
    assert_eq!(tabs.asked(), [0]);
    tabs.0[0].answer(TOKEN_ENDPOINT, json(200, second().json()));
    tabs.talk();
    tabs.0[1].step(Input::WantToken { request: TokenRequest(1), refused: None });
    assert_eq!(tabs.0[1].granted, [(TokenRequest(1), Ok("AT-2".to_owned()))]);
}

#[test]
fn rt_08_whoever_is_closed_leaves_a_will() {
    let mut tabs = Tabs::one();
    let copy = tabs.duplicate(0);
    let holder = tabs.holders()[0];
    let other = if holder == 0 { copy } else { 0 };
    tabs.at(1);
    let will = tabs.0[holder].will.clone().expect("a will");
    tabs.0.swap_remove(holder);
    let other = if other == tabs.0.len() { holder } else { other };
    tabs.0[other].step(Input::Heard(ChannelText::new(will)));
    assert_eq!(tabs.holders(), [other]);
    // Nobody objects.
    tabs.at(2);
    tabs.at(3540);
    assert_eq!(tabs.asked(), [other]);
}

#[test]
fn rt_08_without_a_will_the_copy_ends_calmly() {
    let mut tabs = Tabs::one();
    tabs.duplicate(0);
    let holder = tabs.holders()[0];
    tabs.0.swap_remove(holder);
    tabs.at(3540);
    assert!(tabs.0[0].subject().is_some(), "usable until it ends");
    tabs.at(3600);
    tabs.at(3621);
    assert_eq!((tabs.0[0].subject(), tabs.0[0].code()), (None, Some(Code::SessionExpired)));
    assert!(tabs.0[0].storage.is_empty() && tabs.asked().is_empty());
}

#[test]
fn lo_07_the_other_tabs_follow() {
    let mut tabs = Tabs::one();
    tabs.duplicate(0);
    // Somebody else's session hears nothing of it: another family, another channel.
    let other = Trip { seed: 50, ..Trip::new(config()) }.complete(json(200, good_tokens().json()), &keys());
    assert!(other.channel.is_none_or(|(name, _)| Some(&name) != tabs.0[0].channel.as_ref().map(|(name, _)| name)));
    tabs.0[0].sign_out();
    for text in &tabs.0[0].told {
        for secret in ["AT-1", "RT-1"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    tabs.talk();
    assert_eq!(tabs.0[1].snapshot().signed_out, Some(SignedOut::Elsewhere));
    assert!(tabs.0[1].storage.is_empty() && tabs.0[1].subject().is_none());
    // Whatever else is said there means nothing.
    let mut tabs = Tabs::one();
    for forged in [
        "",
        "{}",
        "[]",
        "signed_out",
        r#"{"type":"signed_out"}"#,
        r#"{"type":1,"page":"a","uses":0,"generation":9}"#,
        r#"{"type":"renewed","page":"a","uses":0,"generation":9,"access_token":""}"#,
        r#"{"type":"renewed","page":"a","uses":0,"generation":9e99}"#,
    ] {
        tabs.0[0].step(Input::Heard(ChannelText::new(forged)));
        assert!(tabs.0[0].subject().is_some() && tabs.0[0].snapshot().signed_out.is_none(), "{forged}");
        tabs.0[0].step(Input::WantToken { request: TokenRequest(1), refused: None });
        assert_eq!(tabs.0[0].granted.last(), Some(&(TokenRequest(1), Ok("AT-1".to_owned()))), "{forged}");
    }
}

#[test]
fn rt_10_a_copy_lives_as_long_as_somebody_tries() {
    let mut tabs = Tabs::one();
    tabs.duplicate(0);
    let holder = tabs.holders()[0];
    let copy = 1 - holder;
    tabs.at(3540);
    tabs.0[holder].answer(TOKEN_ENDPOINT, json(429, "{}"));
    tabs.talk();
    // Its access token ends, and still the provider is busy.
    for seconds in (3545..4200).step_by(5) {
        tabs.at(seconds);
        if tabs.asked() == [holder] {
            tabs.0[holder].answer(TOKEN_ENDPOINT, json(429, "{}"));
            tabs.talk();
        }
        assert!(tabs.0[copy].subject().is_some() && tabs.0[copy].code().is_none(), "{seconds}");
        assert_ne!(tabs.asked(), [copy], "{seconds}");
    }
    while tabs.asked().is_empty() {
        let now = tabs.0[0].now.as_seconds() - NOW;
        tabs.at(now + 5);
    }
    tabs.0[holder].answer(TOKEN_ENDPOINT, json(200, second().json()));
    tabs.talk();
    tabs.0[copy].step(Input::WantToken { request: TokenRequest(1), refused: None });
    assert_eq!(tabs.0[copy].granted.last(), Some(&(TokenRequest(1), Ok("AT-2".to_owned()))));
}

#[test]
fn rt_08_a_copy_that_is_closed_at_once_takes_nothing_with_it() {
    let mut tabs = Tabs::one();
    let copy = tabs.silent_copy(0, 0);
    let claim = tabs.0[copy].told.remove(0);
    // The first tab drops its own for the copy, and the copy is gone.
    let will = tabs.0[copy].will.clone().expect("a will from the first moment on");
    tabs.0.truncate(1);
    tabs.hear(0, claim);
    assert!(tabs.holders().is_empty());
    tabs.hear(0, will);
    assert_eq!(tabs.holders(), [0]);
    tabs.at(1);
    tabs.at(3540);
    assert_eq!(tabs.asked(), [0]);
}

#[test]
fn rt_08_two_tabs_never_both_drop_it() {
    let mut tabs = Tabs::one();
    tabs.at(3540);
    // The copy claims while the first tab is at it; before that is heard, the attempt has failed.
    tabs.silent_copy(0, 0);
    tabs.0[0].answer(TOKEN_ENDPOINT, json(503, "{}"));
    tabs.talk();
    assert_eq!(tabs.holders().len(), 1, "{:?}", tabs.holders());
}

#[test]
fn rt_08_whoever_had_to_wait_for_the_lock_hears_the_others_first() {
    let mut tabs = Tabs::one();
    tabs.0[0].lock_is_held = true;
    tabs.at(3540);
    let late = tabs.silent_copy(0, 0);
    tabs.0[late].told.clear();
    tabs.0[late].now = UnixTime::from_seconds(NOW + 3541);
    tabs.0[late].step(Input::Woke);
    assert_eq!(tabs.asked(), [late], "nobody objected in time");
    tabs.0[late].answer(TOKEN_ENDPOINT, json(200, second().json()));
    // The lock comes before the word that it is no longer needed.
    let ticket = tabs.0[0].lock.expect("waits");
    tabs.0[0].now = UnixTime::from_seconds(NOW + 3543);
    let records = tabs.0[0].records();
    tabs.0[0].step(Input::Locked { ticket, records });
    assert!(tabs.asked().is_empty());
    tabs.talk();
    tabs.at(3544);
    assert!(tabs.asked().is_empty(), "a used one is not sent again");
    assert_eq!(tabs.holders(), [late]);
    tabs.wants(0, None);
    assert_eq!(tabs.0[0].granted, [(TokenRequest(1), Ok("AT-2".to_owned()))]);
}

#[test]
fn rt_18_whoever_is_at_it_and_lives_is_waited_for() {
    let mut tabs = Tabs::one();
    tabs.at(3540);
    let copy = tabs.silent_copy(0, 0);
    // Nobody has heard anything yet, and the copy goes on to the lock.
    (tabs.0[0].told, tabs.0[copy].told) = (Vec::new(), Vec::new());
    tabs.0[copy].lock_is_held = true;
    tabs.0[copy].wake();
    assert!(tabs.0[copy].lock.is_some() && tabs.asked() == [0]);
    // Before it goes on without the lock it asks, and the other lives.
    tabs.0[copy].wake();
    tabs.talk();
    tabs.at(3562);
    assert_eq!((tabs.asked(), tabs.holders()), (vec![0], vec![0]));
}

#[test]
fn rt_18_a_page_that_stands_still_in_mid_renewal_is_not_waited_for() {
    let mut tabs = Tabs::one();
    let copy = tabs.duplicate(0);
    tabs.at(3540);
    tabs.wants(copy, Some(0));
    tabs.talk();
    // It has said that it is at it, but its request is out for longer than any may be.
    tabs.at(3558);
    assert!(tabs.0[copy].granted.is_empty() && tabs.0[copy].subject().is_some());
    tabs.at(3560);
    assert_eq!(tabs.0[copy].granted, [(TokenRequest(1), Err(Code::SessionExpired))]);
}

#[test]
fn rt_14_a_copy_that_slept_in_mid_question_is_not_signed_out() {
    let mut tabs = Tabs::one();
    let copy = tabs.duplicate(0);
    assert_eq!(tabs.holders(), [0]);
    tabs.wants(copy, Some(0));
    tabs.0[copy].now = UnixTime::from_seconds(NOW + 4000);
    tabs.0[copy].step(Input::Woke);
    assert!(tabs.0[copy].subject().is_some() && tabs.0[copy].granted.is_empty());
    tabs.0[0].now = UnixTime::from_seconds(NOW + 4000);
    tabs.talk();
    tabs.at(4001);
    tabs.0[0].answer(TOKEN_ENDPOINT, json(200, second().json()));
    tabs.talk();
    assert_eq!(tabs.0[copy].granted, [(TokenRequest(1), Ok("AT-2".to_owned()))]);
}

#[test]
fn rt_14_a_will_revives_no_token() {
    let mut tabs = Tabs::one();
    let copy = tabs.duplicate(0);
    tabs.at(1);
    let will = tabs.0[0].will.clone().expect("a will");
    tabs.0[copy].now = UnixTime::from_seconds(NOW + 3601);
    tabs.hear(copy, will);
    tabs.0[copy].now = UnixTime::from_seconds(NOW + 2);
    tabs.wants(copy, None);
    assert!(!tabs.0[copy].granted.iter().any(|(_, granted)| granted.is_ok()), "it was seen to end");
}

#[test]
fn rt_12_a_good_token_is_handed_out_while_others_may_object() {
    let mut tabs = Tabs::one();
    let copy = tabs.silent_copy(0, 0);
    tabs.wants(copy, None);
    assert_eq!(tabs.0[copy].granted, [(TokenRequest(1), Ok("AT-1".to_owned()))]);
    tabs.at(1);
    assert!(tabs.asked().is_empty(), "nothing is due");
}
