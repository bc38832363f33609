//! The session as a signal.

use leptos::prelude::*;
use polar_signin_core::{
    config::Config,
    error::Error,
    snapshot::{Account, Snapshot, Step},
};

use crate::client::Client;

/// The session of this page, for components: a handle that can be copied everywhere.
#[derive(Clone, Copy)]
pub struct Auth {
    client: StoredValue<Client, LocalStorage>,
    snapshot: RwSignal<Snapshot, LocalStorage>,
}

/// Which of its faces a session shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Nobody is signed in.
    SignedOut,
    /// The person waits.
    Working(Step),
    /// Somebody is signed in.
    SignedIn,
    /// Something went wrong, and was not dismissed yet.
    Failed,
    /// None: a response in somebody's frame.
    Nothing,
}

impl Auth {
    /// Opens the session of this page, and provides it as a context.
    #[must_use]
    pub fn provide(config: Config) -> Self {
        let snapshot = RwSignal::new_local(Snapshot::default());
        // The one signal write of the interface: the signal mirrors the machine.
        let client = Client::start(config, move |changed| snapshot.set(changed.clone()));
        let auth = Self { client: StoredValue::new_local(client), snapshot };
        provide_context(auth);
        auth
    }

    /// The client, to send intents to.
    #[must_use]
    pub fn client(self) -> Client {
        self.client.get_value()
    }

    /// Reads the snapshot, and follows it.
    pub fn with<T>(self, read: impl FnOnce(&Snapshot) -> T) -> T {
        self.snapshot.with(read)
    }

    /// Reads the account, and follows it. `None` if nobody is signed in.
    pub fn account<T>(self, read: impl FnOnce(&Account) -> T) -> Option<T> {
        self.snapshot.with(|snapshot| snapshot.account.as_ref().map(read))
    }

    /// The last error, and follows it.
    #[must_use]
    pub fn error(self) -> Option<Error> {
        self.snapshot.with(|snapshot| snapshot.error.clone())
    }

    /// Which face to show, and follows it.
    #[must_use]
    pub fn face(self) -> Face {
        self.snapshot.with(|snapshot| match snapshot {
            Snapshot { inert: true, .. } => Face::Nothing,
            Snapshot { working: Some(step), .. } => Face::Working(*step),
            Snapshot { error: Some(_), .. } => Face::Failed,
            Snapshot { account: Some(_), .. } => Face::SignedIn,
            _ => Face::SignedOut,
        })
    }
}
