//! Tabs of this browser with the same order report to each other when they poll, so that one tab polls
//! for all. The machine decides which tab polls.
//!
//! A `BroadcastChannel` reaches only this origin. A message is two numbers: the sender's rank, and
//! either for how many milliseconds the sender polls, or a sign. Without such a channel, each tab
//! polls for itself.

use checkout::{Event, PeerMessage};
use gloo_events::EventListener;
use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{BroadcastChannel, MessageEvent};

/// The sign for: this tab stopped polling.
const STOPPED: f64 = -1.0;
/// The sign for: the order has changed.
const CHANGED: f64 = -2.0;

/// This tab's place in the channel; the tab leaves when the value is dropped.
pub(crate) struct Peers {
    channel: BroadcastChannel,
    rank: u64,
    _listener: EventListener,
}

impl Peers {
    /// Joins; `happened` is called with the messages of the other tabs.
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

    /// Sends a message to the other tabs.
    pub(crate) fn send(&self, message: PeerMessage) {
        let sign = match message {
            PeerMessage::Polling(for_ms) => number(for_ms),
            PeerMessage::Stopped => STOPPED,
            PeerMessage::Changed => CHANGED,
        };
        let message = Array::of2(&number(self.rank).into(), &sign.into());
        // Two numbers can be cloned. And a tab that gets no message polls for itself.
        let _ = self.channel.post_message(&message);
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// Any script of this origin can send messages here, so every value is checked.
fn read(event: &web_sys::Event) -> Option<Event> {
    let data = event.unchecked_ref::<MessageEvent>().data();
    let message: Array = data.dyn_into().ok()?;
    let rank = whole(message.get(0).as_f64()?);
    let sign = message.get(1).as_f64()?;
    let message = if sign >= 0.0 {
        PeerMessage::Polling(whole(sign))
    } else if sign > CHANGED {
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
