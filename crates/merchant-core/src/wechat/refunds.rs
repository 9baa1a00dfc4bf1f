//! The operations on refunds at WeChat: send and query, by the version that made the refund, and
//! send an abnormal refund another way. Nothing here decides what an answer means for a refund.

use wechat_pay::{AbnormalRefund, Operation, OutRefundNo, SealedRequestError};

use super::questions::Questions as _;
use super::reports::{RefundReport, RefundStatus};
use super::v3::refund_report;
use super::version::Version;
use super::{CallError, WechatClient};
use crate::config::Api;
use crate::ledger::Parties;

/// Why an abnormal refund was not sent another way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The configuration has no key of version 3, and version 2 has no such call.
    #[error("only version 3 of WeChat's API sends an abnormal refund another way")]
    OnlyV3,
    /// No key of WeChat is configured for encryption.
    #[error("no key of WeChat's is known that sensitive fields can be sealed to")]
    NoSealingKey,
    /// A field that WeChat would refuse.
    #[error(transparent)]
    Field(#[from] SealedRequestError),
    /// The call has no result.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl WechatClient {
    /// Sends a refund's recorded body, which this version made.
    pub(crate) async fn send_refund(
        &self,
        api: Api,
        body: Vec<u8>,
    ) -> Result<RefundReport, CallError> {
        match self.recorded_by(api)? {
            Version::V3(v3) => v3.send_refund(body).await,
            Version::V2(v2) => v2.send_refund(body).await,
        }
    }

    /// Queries a refund of a payment of these parties, which this version made.
    pub(crate) async fn query_refund(
        &self,
        api: Api,
        number: &OutRefundNo,
        parties: &Parties,
    ) -> Result<RefundStatus, CallError> {
        match self.version(api) {
            Version::V3(v3) => v3.query_refund(number, parties).await,
            Version::V2(v2) => v2.query_refund(number, parties).await,
        }
    }

    /// Sends an abnormal refund another way. Card number and name are encrypted to WeChat's key
    /// here and go nowhere else.
    pub(crate) async fn apply_abnormal_refund(
        &self,
        application: &AbnormalRefund,
    ) -> Result<RefundReport, ApplyError> {
        if !self.has_key_of(Api::V3) {
            return Err(ApplyError::OnlyV3);
        }
        let keys = self.trust.keys();
        let (serial, key) = keys
            .sealing_key(self.now_s())
            .ok_or(ApplyError::NoSealingKey)?;
        let sealed = application.seal(serial, key)?;
        let reply = self.send_sealed(Operation::AbnormalRefund, &sealed).await?;
        Ok(refund_report(&reply).map_err(CallError::from)?)
    }
}
