//! The operations on refunds at WeChat: send, query, and send an abnormal refund another way.
//! Nothing here decides what an answer means for a refund.

use wechat_pay::{
    AbnormalRefund, AbnormalRefundError, Operation, OutRefundNo, Refund, ReplyError, VerifiedReply,
    replay_refund,
};

use super::{CallError, WechatClient, read_noting};

/// WeChat's report about a refund.
#[derive(Clone, Debug)]
pub(crate) struct RefundReport {
    pub(crate) refund: Refund,
    /// WeChat's whole answer, for the records.
    pub(crate) json: String,
}

/// The result of querying a refund.
#[derive(Clone, Debug)]
pub(crate) enum RefundStatus {
    /// The refund.
    Known(Box<RefundReport>),
    /// WeChat has no such refund.
    Unknown {
        /// Whether the answer was signed; an unsigned answer proves nothing.
        is_signed: bool,
    },
}

/// Why an abnormal refund was not sent another way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// No key of WeChat is configured for encryption.
    #[error("no key of WeChat's is known that sensitive fields can be sealed to")]
    NoSealingKey,
    /// A field that WeChat would refuse.
    #[error(transparent)]
    Field(#[from] AbnormalRefundError),
    /// The call has no result.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl WechatClient {
    /// Sends a refund's recorded body.
    pub(crate) async fn send_refund(&self, body: Vec<u8>) -> Result<RefundReport, CallError> {
        let reply = self.send(Operation::Refund, replay_refund(body)).await?;
        Ok(refund_report(&reply)?)
    }

    /// Queries a refund.
    pub(crate) async fn query_refund(
        &self,
        number: &OutRefundNo,
        sub_mchid: Option<&str>,
    ) -> Result<RefundStatus, CallError> {
        let parts = wechat_pay::query_refund(number, sub_mchid);
        match self.send(Operation::RefundQuery, parts).await {
            Ok(reply) => Ok(RefundStatus::Known(Box::new(refund_report(&reply)?))),
            Err(error) if error.wechat_code() == Some("RESOURCE_NOT_EXISTS") => {
                Ok(RefundStatus::Unknown {
                    is_signed: error.is_signed(),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Sends an abnormal refund another way. Card number and name are encrypted to WeChat's key
    /// here and go nowhere else.
    pub(crate) async fn apply_abnormal_refund(
        &self,
        application: &AbnormalRefund,
    ) -> Result<RefundReport, ApplyError> {
        let keys = self.trust.keys();
        let (serial, key) = keys
            .sealing_key(self.now_s())
            .ok_or(ApplyError::NoSealingKey)?;
        let sealed = application.seal(serial, key)?;
        let reply = self.send_sealed(Operation::AbnormalRefund, &sealed).await?;
        Ok(refund_report(&reply).map_err(CallError::from)?)
    }
}

fn refund_report(reply: &VerifiedReply) -> Result<RefundReport, ReplyError> {
    Ok(RefundReport {
        refund: read_noting(reply)?,
        json: String::from_utf8_lossy(reply.body()).into_owned(),
    })
}
