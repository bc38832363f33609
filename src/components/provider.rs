//! The identities as a signal.

use leptos::prelude::*;
use polar_signin_core::{
    config::Config,
    error::Error,
    identities::{Overview, Slot},
    snapshot::{Account, Snapshot, Step},
};

use crate::client::Client;

/// The identities of this page, for components: a handle that can be copied everywhere.
#[derive(Clone, Copy)]
pub struct Auth {
    client: StoredValue<Client, LocalStorage>,
    overview: RwSignal<Overview, LocalStorage>,
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
    /// A window that was opened for a sign-in, and can be closed.
    InPopup,
}

impl Auth {
    /// Opens the sessions of this page, and provides them as a context.
    #[must_use]
    pub fn provide(config: Config) -> Self {
        let overview = RwSignal::new_local(Overview::default());
        // The one signal write of the interface: the signal mirrors the machine.
        let client = Client::start(config, move |changed| overview.set(changed));
        let auth = Self { client: StoredValue::new_local(client), overview };
        provide_context(auth);
        auth
    }

    /// The client, to send intents to.
    #[must_use]
    pub fn client(self) -> Client {
        self.client.get_value()
    }

    /// Reads the snapshot of the active identity, and follows it.
    pub fn with<T>(self, read: impl FnOnce(&Snapshot) -> T) -> T {
        self.overview.with(|overview| read(&overview.snapshot))
    }

    /// Reads the active account, and follows it. `None` if nobody is signed in.
    pub fn account<T>(self, read: impl FnOnce(&Account) -> T) -> Option<T> {
        self.with(|snapshot| snapshot.account.as_ref().map(read))
    }

    /// Reads which identity is active and everybody who is signed in, and follows both.
    pub fn identities<T>(self, read: impl FnOnce(Slot, &[(Slot, Account)]) -> T) -> T {
        self.overview.with(|overview| read(overview.active, &overview.identities))
    }

    /// The last error, and follows it.
    #[must_use]
    pub fn error(self) -> Option<Error> {
        self.with(|snapshot| snapshot.error.clone())
    }

    /// Which face to show, and follows it.
    #[must_use]
    pub fn face(self) -> Face {
        self.with(|snapshot| match snapshot {
            Snapshot { inert: true, .. } => Face::Nothing,
            Snapshot { in_popup: true, .. } => Face::InPopup,
            Snapshot { working: Some(step), .. } => Face::Working(*step),
            Snapshot { error: Some(_), .. } => Face::Failed,
            Snapshot { account: Some(_), .. } => Face::SignedIn,
            _ => Face::SignedOut,
        })
    }
}
