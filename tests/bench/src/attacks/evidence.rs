//! What a visit leaves to see, and how it is read.

use std::{collections::BTreeMap, fmt};

use polar_signin_e2e::provider::{METADATA, Seen, TOKEN};
use serde_json::Value;

use super::case::{Case, Place, Reach, Sign, Thing};

/// What became of an attack. Of a statement: whether it is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It came through.
    Accepted,
    /// It did not; with the words of the page, if it had any.
    Refused(String),
    /// This client does nothing of the kind.
    DoesNotApply,
    /// Nothing can be said, and why.
    NotDecided(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(words) if words.is_empty() => f.write_str("refused"),
            Self::Refused(words) => write!(f, "refused ({words})"),
            Self::DoesNotApply => f.write_str("does not apply"),
            Self::NotDecided(why) => write!(f, "not decided: {why}"),
        }
    }
}

/// The page, as a person sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glimpse {
    /// Whether it is one of the site.
    pub(crate) at_site: bool,
    /// Whether somebody is signed in.
    pub(crate) signed_in: bool,
    /// What userinfo says, if it is shown.
    pub(crate) userinfo: String,
    /// What has failed, in the page's words.
    pub(crate) failure: String,
    /// Whether a script of the provider's has run.
    pub(crate) script_ran: bool,
}

/// The places where something may be left: what is in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Session storage.
    pub(crate) session: String,
    /// Local storage.
    pub(crate) local: String,
    /// Cookies.
    pub(crate) cookie: String,
    /// The address.
    pub(crate) address: String,
    /// All addresses of the tab.
    pub(crate) history: String,
}

/// Everything that was seen of a visit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// The page in the end.
    pub(crate) glimpse: Glimpse,
    /// The places in the end.
    pub(crate) places: Places,
    /// What the provider was asked.
    pub(crate) requests: Vec<Seen>,
    /// How many of the provider's requests are older than the attack.
    pub(crate) before: usize,
    /// What marks a renewal's answer.
    pub(crate) mark: &'static str,
}

impl Evidence {
    /// What became of it.
    #[must_use]
    pub(crate) fn outcome(&self, case: &Case) -> Outcome {
        if !self.reached(case.reach) {
            let asked_for_metadata = self.requests.iter().any(|seen| seen.path == METADATA);
            if case.reach == Reach::Faulty(METADATA) && !asked_for_metadata {
                return Outcome::DoesNotApply;
            }
            return Outcome::NotDecided(format!("the attack did not arrive: {}", self.glimpse.failure));
        }
        if self.shows(case.sign) {
            return Outcome::Accepted;
        }
        let at_provider = matches!(case.sign, Sign::Left(..));
        if !self.glimpse.at_site && !at_provider {
            return Outcome::NotDecided("the person did not come back".to_owned());
        }
        if matches!(case.sign, Sign::Left(..) | Sign::CodeSentAgain | Sign::RefreshSentAgain) {
            return Outcome::Refused("no".to_owned());
        }
        Outcome::Refused(self.glimpse.failure.clone())
    }

    /// Whether the attack was there.
    fn reached(&self, reach: Reach) -> bool {
        let any = |good: &dyn Fn(&Seen) -> bool| self.requests.iter().any(good);
        match reach {
            Reach::Always => true,
            Reach::Authorized => any(&|seen| seen.path == "/oauth2/authorize"),
            Reach::Exchanged => any(&|seen| is_grant(seen, "authorization_code") && seen.status == Some(200)),
            Reach::Faulty(path) => any(&|seen| seen.path == path && !seen.fault.is_null()),
            Reach::Renewed => any(&|seen| is_grant(seen, "refresh_token")),
        }
    }

    fn shows(&self, sign: Sign) -> bool {
        let glimpse = &self.glimpse;
        match sign {
            Sign::SignedIn => glimpse.signed_in,
            Sign::CodeSent => glimpse.signed_in || !self.sent("authorization_code", "code", self.before).is_empty(),
            Sign::ThisCodeSent(code) => self.sent("authorization_code", "code", self.before).contains_key(code),
            Sign::CodeSentAgain => self.sent("authorization_code", "code", 0).values().any(|times| *times > 1),
            Sign::RefreshSentAgain => self.sent("refresh_token", "refresh_token", 0).values().any(|times| *times > 1),
            Sign::Named => !glimpse.userinfo.is_empty(),
            Sign::ScriptRan => glimpse.script_ran,
            Sign::Renewed => {
                glimpse.failure.is_empty()
                    && glimpse.signed_in
                    && self.holds(Place::Storage, |text| text.contains(self.mark))
            }
            Sign::Left(thing, place) => self.holds(place, |text| self.is_in(thing, text)),
        }
    }

    /// How often each value of this field was sent with this grant, from such a request on.
    fn sent(&self, grant: &str, field: &str, from: usize) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for seen in self.requests.iter().skip(from).filter(|seen| is_grant(seen, grant)) {
            *times.entry(seen.form().remove(field).unwrap_or_default()).or_default() += 1;
        }
        times
    }

    fn holds(&self, place: Place, good: impl Fn(&str) -> bool) -> bool {
        let places = &self.places;
        match place {
            Place::Session => good(&places.session),
            Place::Local => good(&places.local),
            Place::Storage => good(&places.session) || good(&places.local),
            Place::Cookie => good(&places.cookie),
            Place::Address => good(&places.address),
            Place::History => good(&places.history),
        }
    }

    fn is_in(&self, thing: Thing, text: &str) -> bool {
        match thing {
            Thing::Token => text.contains("polar_at_") || text.contains("polar_rt_"),
            Thing::RefreshToken => text.contains("polar_rt_"),
            Thing::Attempt => self.attempts().iter().any(|value| text.contains(value)),
            Thing::Code => text.contains("?code=") || text.contains("&code="),
            Thing::Anything => !text.trim().is_empty(),
        }
    }

    /// The values of `state`, and of the verifiers that were sent.
    fn attempts(&self) -> Vec<String> {
        let states = self.requests.iter().filter_map(|seen| seen.query.get("state").cloned());
        let verifiers = self.requests.iter().filter_map(|seen| seen.form().remove("code_verifier"));
        states.chain(verifiers).filter(|value| !value.is_empty()).collect()
    }
}

fn is_grant(seen: &Seen, grant: &str) -> bool {
    seen.method == "POST" && seen.path == TOKEN && seen.form().get("grant_type").is_some_and(|kind| kind == grant)
}

impl Glimpse {
    /// Out of what the script in the page says.
    #[must_use]
    pub(crate) fn read(value: &Value, site: &str) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self {
            at_site: text("url").starts_with(site),
            signed_in: value["signedIn"] == true,
            userinfo: text("userinfo"),
            failure: text("failure"),
            script_ran: value["scriptRan"] == true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::attacks::case::{Walk, case};

    fn asked(method: &str, path: &str, body: &str, status: u64, fault: Value) -> Seen {
        Seen {
            method: method.to_owned(),
            path: path.to_owned(),
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: body.to_owned(),
            status: Some(status),
            fault,
            millis: 0,
        }
    }

    fn code_post(code: &str) -> Seen {
        asked("POST", TOKEN, &format!("grant_type=authorization_code&code={code}&code_verifier=v"), 200, Value::Null)
    }

    fn signed_in() -> Glimpse {
        Glimpse { at_site: true, signed_in: true, ..Glimpse::default() }
    }

    fn of(sign: Sign, reach: Reach) -> Case {
        case("x", "CB-01", "x", Walk::SignIn, sign).reaching(reach)
    }

    fn is_undecided(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::NotDecided(_))
    }

    #[test]
    fn an_attack_that_did_not_arrive_is_never_refused() {
        let mut evidence = Evidence { glimpse: signed_in(), ..Evidence::default() };
        assert!(is_undecided(&evidence.outcome(&of(Sign::SignedIn, Reach::Exchanged))));
        evidence.requests.push(code_post("c"));
        assert_eq!(evidence.outcome(&of(Sign::SignedIn, Reach::Exchanged)), Outcome::Accepted);
        // The answer was a good one: the fault was elsewhere.
        assert!(is_undecided(&evidence.outcome(&of(Sign::SignedIn, Reach::Faulty(TOKEN)))));
        evidence.requests.push(asked("POST", TOKEN, "", 200, json!({ "endpoint": "token" })));
        assert_eq!(evidence.outcome(&of(Sign::SignedIn, Reach::Faulty(TOKEN))), Outcome::Accepted);
    }

    #[test]
    fn who_reads_no_metadata_is_not_attacked_by_it() {
        let mut evidence = Evidence { glimpse: signed_in(), ..Evidence::default() };
        let case = of(Sign::SignedIn, Reach::Faulty(METADATA));
        assert_eq!(evidence.outcome(&case), Outcome::DoesNotApply);
        evidence.requests.push(asked("GET", METADATA, "", 200, Value::Null));
        assert!(is_undecided(&evidence.outcome(&case)));
    }

    #[test]
    fn nobody_on_the_page_is_a_refusal_and_nobody_elsewhere_is_nothing() {
        let mut evidence = Evidence { requests: vec![code_post("c")], ..Evidence::default() };
        let case = of(Sign::SignedIn, Reach::Exchanged);
        assert!(is_undecided(&evidence.outcome(&case)));
        evidence.glimpse.at_site = true;
        evidence.glimpse.failure = "no".to_owned();
        assert_eq!(evidence.outcome(&case), Outcome::Refused("no".to_owned()));
    }

    #[test]
    fn a_code_counts_from_the_attack_on_and_twice_only_if_it_is_the_same() {
        let glimpse = Glimpse { at_site: true, ..Glimpse::default() };
        let requests = vec![code_post("a"), code_post("b")];
        let mut evidence = Evidence { glimpse, requests, before: 2, ..Evidence::default() };
        assert_eq!(evidence.outcome(&of(Sign::CodeSent, Reach::Always)), Outcome::Refused(String::new()));
        assert_eq!(evidence.outcome(&of(Sign::CodeSentAgain, Reach::Always)), Outcome::Refused("no".to_owned()));
        evidence.requests.push(code_post("a"));
        for sign in [Sign::CodeSent, Sign::CodeSentAgain, Sign::ThisCodeSent("a")] {
            assert_eq!(evidence.outcome(&of(sign, Reach::Always)), Outcome::Accepted, "{sign:?}");
        }
        assert_ne!(evidence.outcome(&of(Sign::ThisCodeSent("b"), Reach::Always)), Outcome::Accepted);
    }

    #[test]
    fn a_renewal_is_accepted_if_what_it_brought_is_kept_and_nothing_failed() {
        let case = of(Sign::Renewed, Reach::Renewed);
        let renewal = asked("POST", TOKEN, "grant_type=refresh_token&refresh_token=r", 200, Value::Null);
        let mut evidence = Evidence { glimpse: signed_in(), mark: "marked", ..Evidence::default() };
        evidence.places.local = "[[\"k\",\"marked\"]]".to_owned();
        assert!(is_undecided(&evidence.outcome(&case)));
        evidence.requests.push(renewal);
        assert_eq!(evidence.outcome(&case), Outcome::Accepted);
        evidence.glimpse.failure = "another person".to_owned();
        assert_eq!(evidence.outcome(&case), Outcome::Refused("another person".to_owned()));
    }

    #[test]
    fn what_is_left_is_found_in_its_place_alone() {
        let mut evidence = Evidence { requests: vec![code_post("c")], ..Evidence::default() };
        evidence.places.session = "polar_rt_u_1".to_owned();
        evidence.places.address = "http://localhost/app/?state=1&code=c".to_owned();
        evidence.places.local = "[[\"x\",\"v\"]]".to_owned();
        let left = |thing, place| evidence.outcome(&of(Sign::Left(thing, place), Reach::Always)) == Outcome::Accepted;
        assert!(left(Thing::Token, Place::Session) && left(Thing::RefreshToken, Place::Storage));
        assert!(!left(Thing::Token, Place::Local) && !left(Thing::Anything, Place::Cookie));
        assert!(left(Thing::Code, Place::Address) && !left(Thing::Code, Place::History));
        assert!(left(Thing::Attempt, Place::Local) && !left(Thing::Attempt, Place::Session));
    }
}
