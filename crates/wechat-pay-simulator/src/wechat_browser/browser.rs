//! The WeChat browser's data: its User-Agent, its two origins, and its sender.
//!
//! It serves nothing; the routes are in the modules beside it.

use std::sync::Arc;

use super::origin::LoopbackOrigin;
use crate::outgoing::Outgoing;
use crate::simulator::Simulator;

/// The User-Agent of a current WeChat on Android.
pub const USER_AGENT: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) \
    AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.180 Mobile Safari/537.36 \
    XWEB/1380215 MMWEBSDK/20250503 MMWEBID/4010 MicroMessenger/8.0.61.2880(0x28003D5B) \
    WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";

/// The path of the script; the shop cannot use this prefix.
pub(crate) const BRIDGE_PATH: &str = "/_wechat/bridge.js";

/// One WeChat browser around one shop. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) simulator: Simulator,
    pub(crate) own: Arc<LoopbackOrigin>,
    pub(crate) shop: Arc<LoopbackOrigin>,
    pub(crate) outgoing: Outgoing,
}

#[cfg(test)]
mod tests {
    use super::USER_AGENT;

    #[test]
    fn the_user_agent_is_one_line_of_a_wechat_on_android() {
        assert!(USER_AGENT.is_ascii() && !USER_AGENT.contains("  "));
        assert!(USER_AGENT.contains("MicroMessenger/8.") && USER_AGENT.contains("Android"));
    }
}
