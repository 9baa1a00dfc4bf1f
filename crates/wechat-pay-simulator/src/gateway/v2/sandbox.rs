//! The sandbox's key. SDKs ask for it before they use WeChat's sandbox of version 2.
//!
//! The simulator is itself a sandbox: it has no second set of routes, and the sandbox's key is the
//! merchant's own.

use axum::extract::{Request, State};
use axum::response::Response;
use wechat_pay::v2::Fields;

use super::{answer, caller};
use crate::simulator::Simulator;

pub(super) const KEY_PATH: &str = "/xdc/apiv2getsignkey/sign/getsignkey";

/// Answers with the key; WeChat does not sign this answer.
pub(super) async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let caller = match caller::read(&simulator, request).await {
        Ok(caller) => caller,
        Err(refusal) => return answer::unsigned(KEY_PATH, &refusal),
    };
    let fields: Fields = [
        ("return_code", "SUCCESS"),
        ("return_msg", "ok"),
        ("mch_id", &caller.mchid),
        ("sandbox_signkey", &caller.keyring.merchant().api_v2_key),
    ]
    .into_iter()
    .collect();
    answer::text(fields.to_xml())
}
