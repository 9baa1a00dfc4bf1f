//! Tabs of this browser at the same order tell each other what they ask and what they were
//! answered, so that one of them asks for all. Who that is, is the machine's to say.
//!
//! A `BroadcastChannel` reaches this origin alone. Where there is none, each tab asks for itself.

use super::merchant_api::JsObject;
use ::merchant_api::CheckoutAnswer;
use checkout::{Event, PeerWord};
use gloo_events::EventListener;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// What stands for "I ask no more" where the length of a question would stand.
const STOPPED: f64 = -1.0;

/// This tab's place among them; leaves when dropped.
pub(crate) struct Peers {
    channel: BroadcastChannel,
    rank: f64,
    _listener: EventListener,
}

impl Peers {
    /// Joins; `happened` hears what the others say.
    pub(crate) fn join(token: &str, rank: u64, happened: impl Fn(Event) + 'static) -> Option<Self> {
        let mut name = String::from("wechat-pay:");
        name.push_str(token);
        let channel = BroadcastChannel::new(&name).ok()?;
        let listener = EventListener::new(&channel, "message", move |event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            if let Some(event) = read(data) {
                happened(event);
            }
        });
        Some(Self {
            channel,
            rank: number(rank),
            _listener: listener,
        })
    }

    /// This tab asks, and may be held for so long.
    pub(crate) fn asks(&self, for_ms: u64) {
        self.say(number(for_ms), &JsValue::UNDEFINED);
    }

    /// This tab asks no more.
    pub(crate) fn stopped(&self) {
        self.say(STOPPED, &JsValue::UNDEFINED);
    }

    /// The backend answered this tab.
    pub(crate) fn answered(&self, body: &JsValue) {
        self.say(0.0, body);
    }

    fn say(&self, ms: f64, body: &JsValue) {
        let message = Array::of3(&self.rank.into(), &ms.into(), body);
        // A body that came as JSON can be cloned; and a tab that hears nothing asks for itself.
        let _ = self.channel.post_message(&message);
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// Anything of this origin can speak here, so nothing is taken as given.
fn read(data: JsValue) -> Option<Event> {
    let message: Array = data.dyn_into().ok()?;
    let rank = whole(message.get(0).as_f64()?);
    let ms = message.get(1).as_f64()?;
    let body = message.get(2);
    let word = if body.is_object() {
        PeerWord::Answered(Box::new(CheckoutAnswer::read(&JsObject(body)).ok()?))
    } else if ms < 0.0 {
        PeerWord::Stopped
    } else {
        PeerWord::Asks(whole(ms))
    };
    Some(Event::PeerSpoke { rank, word })
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
