//! The injected dependencies on the outside world: time, randomness, and the transports to WeChat
//! and to the merchant's backend. Nothing else reads a clock, draws randomness or opens an outgoing
//! connection.

mod clock;
mod new_api_key;
mod randomness;
mod transport;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, Sleep, SystemClock};
pub use new_api_key::new_api_key;
pub use randomness::{NoRandomness, Randomness, SeededRandomness, SystemRandomness};
pub(crate) use randomness::{is_unguessable, unguessable};
pub use transport::{
    BodyError, Call, Download, HttpTransport, REPLY_MAX_BYTES, ReplyBody, TransportError,
    TryTimeout, WechatTransport, whole_body,
};

use crate::config::Config;

/// The injected dependencies.
#[derive(Clone)]
pub struct Surroundings {
    /// The time, and waiting.
    pub clock: Arc<dyn Clock>,
    /// Random bytes for keys, tokens and numbers.
    pub randomness: Arc<dyn Randomness>,
    /// The transport to WeChat.
    pub wechat: Arc<dyn WechatTransport>,
    /// The transport to the merchant's backend.
    pub webhooks: Arc<dyn WechatTransport>,
}

/// The machine's own clock and randomness, and the network.
pub fn surroundings(config: &Config) -> Result<Surroundings, reqwest::Error> {
    Ok(Surroundings {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        wechat: Arc::new(HttpTransport::new(!config.gateway.is_live())?),
        webhooks: Arc::new(HttpTransport::new(!config.gateway.is_live())?),
    })
}
