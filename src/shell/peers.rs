//! Tabs of this browser at the same order tell each other what they ask, so that one of them asks
//! for all. Who that is, is the machine's to say.
//!
//! A `BroadcastChannel` reaches this origin alone, and a message is two numbers: the speaker's
//! rank, and for how many milliseconds it asks, or a sign. Where there is no such channel, each tab
//! asks for itself.

use checkout::{Event, PeerMessage};
use gloo_events::EventListener;
use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{BroadcastChannel, MessageEvent};

/// "I ask no more."
const STOPPED: f64 = -1.0;
/// "There is something new."
const NEWS: f64 = -2.0;

/// This tab's place among them; leaves when dropped.
pub(crate) struct Peers {
    channel: BroadcastChannel,
    rank: u64,
    _listener: EventListener,
}

impl Peers {
    /// Joins; `happened` hears what the others say.
    pub(crate) fn join(token: &str, rank: u64, happened: impl Fn(Event) + 'static) -> Option<Self> {
        let mut name = String::from("wechat-pay:");
        name.push_str(token);
        let channel = BroadcastChannel::new(&name).ok()?;
        let listener = EventListener::new(&channel, "message", move |event| {
            if let Some(event) = read(event) {
                happened(event);
            }
        });
        Some(Self {
            channel,
            rank,
            _listener: listener,
        })
    }

    /// Says something to the others.
    pub(crate) fn say(&self, message: PeerMessage) {
        let sign = match message {
            PeerMessage::Polling(for_ms) => number(for_ms),
            PeerMessage::Stopped => STOPPED,
            PeerMessage::Changed => NEWS,
        };
        let message = Array::of2(&number(self.rank).into(), &sign.into());
        // Two numbers can be cloned; and a tab that hears nothing asks for itself.
        let _ = self.channel.post_message(&message);
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// Anything of this origin can speak here, so nothing is taken as given.
fn read(event: &web_sys::Event) -> Option<Event> {
    let data = event.unchecked_ref::<MessageEvent>().data();
    let message: Array = data.dyn_into().ok()?;
    let rank = whole(message.get(0).as_f64()?);
    let sign = message.get(1).as_f64()?;
    let message = if sign >= 0.0 {
        PeerMessage::Polling(whole(sign))
    } else if sign > NEWS {
        PeerMessage::Stopped
    } else {
        PeerMessage::Changed
    };
    Some(Event::FromPeer { rank, message })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ranks and durations are below 2^53"
)]
const fn number(whole: u64) -> f64 {
    whole as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and any rank will do"
)]
const fn whole(number: f64) -> u64 {
    number as u64
}
