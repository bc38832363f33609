//! Signing in in a window of its own. The caller has opened it, in the click itself; what becomes of it
//! from then on is decided in the core.

use polar_signin_core::{
    authorization::{PopupNumber, SignIn, Way},
    identities::{Event, Slot},
    secret::{AuthorizationUrl, ChannelText},
    session::{Input, Wanted},
};
use std::rc::Rc;
use web_sys::Window;

use super::Client;
use crate::browser::popup::{Popup, Watch};

/// A window that a sign-in goes on in.
pub(super) struct Opened {
    number: PopupNumber,
    // Before the window: whoever is closing it need not be told.
    watch: Option<Watch>,
    /// Until it seems to be closed.
    popup: Option<Popup>,
}

impl Client {
    /// Goes to the provider in this window, which [`crate::browser::popup::open`] gave: for the active
    /// identity, or for the one that failed. `None` if the browser opened none, which is an error in
    /// words. The window is closed when it is no longer needed.
    pub fn sign_in_popup(&self, request: SignIn, window: Option<Window>) {
        self.begin_in(request, window, false);
    }

    /// The same, for one identity more.
    pub fn add_popup(&self, request: SignIn, window: Option<Window>) {
        self.begin_in(request, window, true);
    }

    fn begin_in(&self, request: SignIn, window: Option<Window>, add: bool) {
        // Some blockers let a window open and close it at once.
        let way = match window.map(Popup::new).filter(|popup| !popup.is_closed()) {
            None => Way::Blocked,
            Some(popup) => {
                let number = PopupNumber(self.0.requests.get());
                self.0.requests.set(number.0 + 1);
                self.0.popups.borrow_mut().push(Opened { number, watch: None, popup: Some(popup) });
                Way::Popup(number)
            }
        };
        self.begin(request, way, add);
    }

    pub(super) fn leave_in_popup(&self, slot: Slot, number: PopupNumber, url: &AuthorizationUrl, channel: &str) {
        let mut popups = self.0.popups.borrow_mut();
        let Some(opened) = popups.iter_mut().find(|opened| opened.number == number) else { return };
        let closed = self.of_popup(move |certain| Event::Of(slot, Input::PopupClosed { certain }));
        let Some(popup) = opened.popup.as_ref().filter(|popup| !popup.is_closed()) else {
            // Nothing but us has been in it so far.
            self.0.events.borrow_mut().push_back(Event::Of(slot, Input::PopupClosed { certain: true }));
            return;
        };
        let records = Rc::downgrade(&self.0);
        let heard = self.of_popup(move |query: String| {
            let records = records.upgrade().map(|inner| Self(inner).records()).unwrap_or_default();
            Event::Of(slot, Input::Relayed { query: ChannelText::new(query), records })
        });
        // First the ears, then the voice.
        opened.watch = Some(popup.watch(channel, heard, closed));
        popup.send_to(url.expose());
    }

    fn of_popup<T: 'static>(&self, event: impl Fn(T) -> Event + 'static) -> impl Fn(T) + 'static {
        let client = Rc::downgrade(&self.0);
        move |what| {
            if let Some(inner) = client.upgrade() {
                Self(inner).drive(event(what));
            }
        }
    }

    /// Closes the windows that nobody waits for any more, and hears nothing more of them.
    pub(super) fn close_popups(&self) {
        let mut popups = self.0.popups.borrow_mut();
        if popups.is_empty() {
            return;
        }
        let identities = self.0.identities.borrow();
        let wanted = |of: &Opened| identities.popups().find(|(number, _)| *number == of.number);
        let (mut kept, gone): (Vec<_>, Vec<_>) = popups.drain(..).partition(|opened| wanted(opened).is_some());
        for opened in kept.iter_mut().filter(|of| wanted(of).is_some_and(|(_, what)| what == Wanted::Channel)) {
            opened.watch.iter_mut().for_each(Watch::leave_window);
            opened.popup = None;
        }
        *popups = kept;
        drop(popups);
        drop(gone);
    }
}
