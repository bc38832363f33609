//! What an attack is: which way a person goes, what the provider does to it, and by what the outcome is read.

use serde_json::{Value, json};

/// A subject: a table of its own in the document.
#[derive(Debug)]
pub(crate) struct Group {
    /// What it is called.
    pub(crate) title: &'static str,
    /// How its cells are to be read.
    pub(crate) words: &'static str,
    /// What the two outcomes are called in it.
    pub(crate) answers: Answers,
    /// Its cases.
    pub(crate) cases: Vec<Case>,
}

/// What the two outcomes of a case are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// The attack.
    RefusedOrAccepted,
    /// A statement.
    NoOrYes,
}

/// One attack, or one statement.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What `--only` takes.
    pub(crate) id: &'static str,
    /// What a reader is told.
    pub(crate) words: &'static str,
    /// Rows of the security matrix that it is of.
    pub(crate) rows: &'static str,
    /// What is done.
    pub(crate) walk: Walk,
    /// By what it is read.
    pub(crate) sign: Sign,
    /// How one knows that the attack was there at all.
    pub(crate) reach: Reach,
    /// Settings of the provider that are not the attack.
    pub(crate) settings: Value,
    /// The attack.
    pub(crate) faults: Vec<Value>,
    /// What a reader has to know besides.
    pub(crate) note: Option<&'static str>,
}

/// What is done in a fresh profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Walk {
    /// The button is pressed, and the page is watched until nothing changes.
    SignIn,
    /// The same, where the client itself asks for userinfo.
    Userinfo,
    /// A link with somebody else's code and state, with a sign-in of one's own under way or without.
    Link { under_way: bool },
    /// After a sign-in, the address of its callback once more.
    Again,
    /// The button is pressed, the provider keeps the person, and they come back by themselves.
    LeftLying,
    /// A sign-in, and then a renewal of the tokens.
    Renewal,
}

impl Walk {
    /// The walk without an attack that says whether one of this kind can be decided.
    #[must_use]
    pub(crate) fn control(self) -> Self {
        match self {
            Self::SignIn | Self::Link { .. } | Self::Again | Self::LeftLying => Self::SignIn,
            Self::Userinfo => Self::Userinfo,
            Self::Renewal => Self::Renewal,
        }
    }
}

/// What shows that the attack came through, or that the statement is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Somebody is signed in.
    SignedIn,
    /// A code was sent to the token endpoint, or somebody is signed in.
    CodeSent,
    /// This code was sent.
    ThisCodeSent(&'static str),
    /// A code was sent more than once.
    CodeSentAgain,
    /// A refresh token was sent more than once.
    RefreshSentAgain,
    /// The page shows the name that only userinfo says.
    Named,
    /// A script of the provider's has run in the page.
    ScriptRan,
    /// What the renewal brought is kept, and nothing is said to have failed.
    Renewed,
    /// Such a thing is in such a place.
    Left(Thing, Place),
}

/// What may be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// An access token or a refresh token.
    Token,
    /// A refresh token.
    RefreshToken,
    /// The `state` of the sign-in, or its PKCE verifier.
    Attempt,
    /// A parameter `code`.
    Code,
    /// Anything at all.
    Anything,
}

/// Where it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Session storage.
    Session,
    /// Local storage.
    Local,
    /// Either.
    Storage,
    /// Cookies that scripts can read.
    Cookie,
    /// The address bar.
    Address,
    /// An address of the tab's history.
    History,
}

/// How one knows that the attack reached the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The page itself opens what the attacker made.
    Always,
    /// The provider was asked for a code.
    Authorized,
    /// A code was exchanged for tokens.
    Exchanged,
    /// The provider answered with a fault at this path.
    Faulty(&'static str),
    /// The tokens were renewed.
    Renewed,
}

/// A case of this walk.
#[must_use]
pub(crate) fn case(id: &'static str, rows: &'static str, words: &'static str, walk: Walk, sign: Sign) -> Case {
    let (settings, faults) = (json!({}), Vec::new());
    Case { id, words, rows, walk, sign, reach: Reach::Always, settings, faults, note: None }
}

impl Case {
    /// With this fault of the provider's.
    #[must_use]
    pub(crate) fn with(mut self, fault: Value) -> Self {
        self.faults.push(fault);
        self
    }

    /// With this note.
    #[must_use]
    pub(crate) fn note(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    /// At a provider with these settings.
    #[must_use]
    pub(crate) fn at(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// Decided only if it came so far.
    #[must_use]
    pub(crate) fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }
}
