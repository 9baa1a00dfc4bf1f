//! `check-config --live`: checks each secret and id of a configuration against WeChat.
//!
//! A line says `proved` only if WeChat's answer has no other explanation. Otherwise it says `not
//! proved`, and what would prove it. Nothing here changes the database, and no order is made unless
//! the caller asks for one. No secret is repeated in a line.

mod answer;
mod applications;
mod check;
mod gateway;
mod notify_address;
mod order;
mod recorder;
mod report;
mod wechat_keys;

use check::Check;
pub use report::{LiveCheckError, LiveReport, OrderCheck, Proof, Verdict};

use crate::config::Config;
use crate::surroundings::Surroundings;

/// Checks everything in the configuration that WeChat, or the notify address, can confirm.
pub async fn check_live(
    config: &Config,
    surroundings: &Surroundings,
    orders: OrderCheck,
) -> Result<LiveReport, LiveCheckError> {
    let check = Check::new(config, surroundings);
    let gateway = gateway::prove(&check).await?;
    let mut proofs = gateway.proofs;
    proofs.extend(applications::prove(&check).await?);
    proofs.extend(order::prove(&check, &gateway.working, orders).await?);
    proofs.extend(notify_address::prove(&check).await);
    proofs.extend(unasked(config));
    Ok(LiveReport {
        proofs,
        has_signed_answer: gateway.has_signed_answer,
    })
}

/// Secrets that no call can check.
fn unasked(config: &Config) -> Vec<Proof> {
    let mut proofs = Vec::new();
    if config.merchant.api_v2_key.is_some() {
        proofs.push(Proof::new(
            "merchant.api_v2_key",
            Verdict::NotProved,
            "only the notification of a refund that was made in WeChat's portal shows it",
        ));
    }
    for target in &config.webhooks {
        proofs.push(Proof::new(
            format!("webhooks.secret of {}", target.url),
            Verdict::NotProved,
            "only your backend can show it: compare it there, or look at the first message",
        ));
    }
    proofs
}
