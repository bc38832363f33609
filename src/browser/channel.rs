//! What the pages of one origin say to each other, sealed: whoever has not got the key can neither
//! read it nor say anything.

use std::{cell::RefCell, rc::Rc};

use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, MessageEvent};

use super::{crypto, events::Listener};

/// The longest message that is looked at, in bytes.
const LONGEST: u32 = 256 * 1024;

/// A channel, for as long as the handle lives; what was said before that is still sent.
pub struct Channel {
    line: Rc<Line>,
    _listener: Listener,
}

struct Line {
    channel: BroadcastChannel,
    key: String,
    will: RefCell<Option<Vec<u8>>>,
}

impl Channel {
    /// Opens the channel of this name, with a key of 32 bytes in base64url. `None` if the browser
    /// has no channels.
    pub fn open(name: &str, key: &str, heard: impl Fn(String) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let line = Rc::new(Line { channel, key: key.to_owned(), will: RefCell::default() });
        let (weak, heard) = (Rc::downgrade(&line), Rc::new(heard));
        let listener = Listener::new(&line.channel, "message", move |event| {
            let data = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().dyn_into::<Uint8Array>().ok());
            let Some(sealed) = data.filter(|data| data.length() <= LONGEST).map(|data| data.to_vec()) else { return };
            let (weak, heard) = (weak.clone(), heard.clone());
            spawn_local(async move {
                let Some(key) = weak.upgrade().map(|line| line.key.clone()) else { return };
                let text = crypto::unseal(&key, &sealed).await;
                // Whoever has left the channel meanwhile hears nothing of it.
                if let (Some(text), Some(_)) = (text, weak.upgrade()) {
                    heard(text);
                }
            });
        });
        Some(Self { line, _listener: listener })
    }

    /// Says this to all the others.
    pub fn tell(&self, text: String) {
        let line = self.line.clone();
        spawn_local(async move {
            if let Some(sealed) = crypto::seal(&line.key, &text).await {
                line.post(&sealed);
            }
        });
    }

    /// Seals this for [`Channel::leave_will`]; an empty text takes it back.
    pub fn bequeath(&self, text: String) {
        self.line.will.take();
        if text.is_empty() {
            return;
        }
        let line = self.line.clone();
        spawn_local(async move {
            let sealed = crypto::seal(&line.key, &text).await;
            *line.will.borrow_mut() = sealed;
        });
    }

    /// Says what was sealed for this moment. There is no time for more when a page is left.
    pub fn leave_will(&self) {
        if let Some(sealed) = self.line.will.take() {
            self.line.post(&sealed);
        }
    }
}

impl Line {
    fn post(&self, sealed: &[u8]) {
        let _ = self.channel.post_message(&Uint8Array::from(sealed));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.channel.close();
    }
}
