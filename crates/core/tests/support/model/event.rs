//! What may happen, and how often at most.

/// Which tab, by its place.
pub type Tab = u8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A tab's alarm goes off; the time moves on to it if it is ahead.
    Wake(Tab),
    /// Nothing happens for as long as nothing has to.
    Linger,
    /// A tab hears one of the messages on their way to it.
    Hear(Tab, u8),
    /// A tab is told that it holds the lock.
    Hold(Tab),
    /// One of a tab's open requests is over.
    Answer(Tab, u8, Reply),
    /// Somebody in a tab needs an access token; an API may have refused the last one.
    Want(Tab, bool),
    SignOut(Tab),
    SignIn(Tab),
    /// The new page's number is above (or below) those of all others.
    Reload(Tab, Fate, Number),
    Close(Tab, Fate),
    /// Closed without a word.
    Crash(Tab, Fate),
    /// The browser duplicates a tab, with its session storage.
    Copy(Tab, Number),
    /// From now on, nothing can be kept in this tab.
    FailStorage(Tab),
    /// The wall clock jumps by so many seconds. Timers and requests do not notice.
    Jump(i32),
    /// A tab is looked at again, or online again.
    Seen(Tab),
    /// A tab stands still; its answers and messages wait for it.
    Freeze(Tab),
    Thaw(Tab),
    /// A page is left for another one and kept in the browser's memory, deaf and cut off.
    Hide(Tab, Fate),
    Show(Tab),
}

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Good,
    /// Served, and the answer lost.
    Lost,
    /// It never arrived.
    NotServed,
    Busy,
    /// What the provider says to a client that may not do this.
    Never,
}

/// Whether a request that is cut off was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    Served,
    NotServed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    Low,
    High,
}

/// How often each may happen in one run.
#[derive(Clone, Debug, Hash)]
pub struct Budget {
    pub tabs: usize,
    pub wants: u8,
    pub refusals: u8,
    /// Answers that are none.
    pub faults: u8,
    pub lingers: u8,
    pub sign_outs: u8,
    pub sign_ins: u8,
    pub reloads: u8,
    /// Closed, and crashed.
    pub ends: u8,
    pub copies: u8,
    pub storage_failures: u8,
    pub jumps: u8,
    pub seen: u8,
    pub freezes: u8,
    pub hides: u8,
    pub alarms: u8,
    /// Messages may overtake each other.
    pub any_order: bool,
}

impl Budget {
    /// Nothing but what has to happen, in so many tabs.
    pub const fn calm(tabs: usize) -> Self {
        Self {
            tabs,
            wants: 0,
            refusals: 0,
            faults: 0,
            lingers: 0,
            sign_outs: 0,
            sign_ins: 0,
            reloads: 0,
            ends: 0,
            copies: 0,
            storage_failures: 0,
            jumps: 0,
            seen: 0,
            freezes: 0,
            hides: 0,
            alarms: 4,
            any_order: false,
        }
    }
}
