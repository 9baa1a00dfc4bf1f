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
mod version_2;
mod wechat_keys;

use check::Check;
pub use report::{LiveCheckError, LiveReport, OrderCheck, Proof, Verdict};

use crate::config::{Api, Config};
use crate::payments::Payments;
use crate::surroundings::Surroundings;

/// Checks everything in the configuration that WeChat, or the notify address, can confirm.
pub async fn check_live(
    config: &Config,
    surroundings: &Surroundings,
    orders: OrderCheck,
) -> Result<LiveReport, LiveCheckError> {
    let check = Check::new(config, surroundings);
    let (mut proofs, mut has_signed_answer) = match config.merchant.api {
        Api::V3 => (Vec::new(), false),
        Api::V2(_) => version_2::prove(&check).await?,
    };
    if config.merchant.api_v3_key.is_none() {
        proofs.extend(applications::prove(&check).await?);
        proofs.extend(order::prove(&check, config, orders).await?);
    } else {
        let gateway = gateway::prove(&check).await?;
        has_signed_answer |= gateway.has_signed_answer;
        proofs.extend(gateway.proofs);
        proofs.extend(applications::prove(&check).await?);
        proofs.extend(order::prove(&check, &gateway.working, orders).await?);
    }
    proofs.extend(notify_address::prove(&check).await);
    proofs.extend(unasked(config));
    Ok(LiveReport {
        proofs,
        has_signed_answer,
    })
}

/// The same for a running server, which makes no order.
pub async fn check_running(payments: &Payments) -> Result<LiveReport, LiveCheckError> {
    let surroundings = Surroundings {
        clock: payments.clock.clone(),
        randomness: payments.randomness.clone(),
        wechat: payments.wechat.transport.clone(),
        webhooks: payments.webhooks.clone(),
    };
    check_live(&payments.config, &surroundings, OrderCheck::Skip).await
}

/// Secrets that no call can check.
fn unasked(config: &Config) -> Vec<Proof> {
    let mut proofs = Vec::new();
    if config.merchant.api_v2_key.is_some() && config.merchant.api == Api::V3 {
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
