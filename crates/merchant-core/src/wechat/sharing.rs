//! Profit sharing at WeChat: send, query, and the receivers. Version 3 alone: WeChat takes these calls for
//! payments of either version. Nothing here decides what an answer means for a share.

use merchant_api::ShareKind;
use serde::de::DeserializeOwned;
use wechat_pay::{
    Operation, OutOrderNo, OutReturnNo, Receiver, RequestParts, SealedRequestError, ShareOrder,
    ShareReturn, TransactionId, UnsplitAmount, VerifiedReply, query_share, query_share_return,
    query_unsplit, replay_share, replay_share_return, replay_unfreeze,
};

use super::call_error::{CallError, Reason, read_noting};
use super::client::WechatClient;
use crate::config::Api;

/// What WeChat says about a share, a release or a return.
#[derive(Clone, Debug)]
pub(crate) enum ShareReport {
    /// About a share or a release.
    Share(ShareOrder),
    /// About a return.
    Return(ShareReturn),
}

/// The result of querying one.
#[derive(Clone, Debug)]
pub(crate) enum ShareStatus {
    /// WeChat knows it.
    Known(Box<ShareReport>),
    /// WeChat has none with this number.
    Unknown {
        /// Whether the answer was signed; an unsigned answer proves nothing.
        is_signed: bool,
    },
}

/// Why a receiver was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiverError {
    /// No key of WeChat is configured for encryption.
    #[error("no key of WeChat's is known that a name can be sealed to")]
    NoSealingKey,
    /// A field that WeChat would refuse.
    #[error(transparent)]
    Field(#[from] SealedRequestError),
    /// The call has no result.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl WechatClient {
    /// Whether the configuration has the key that profit sharing needs.
    pub(crate) fn can_share(&self) -> bool {
        self.has_key_of(Api::V3)
    }

    /// Sends the recorded body of a share, a release or a return.
    pub(crate) async fn send_share(
        &self,
        kind: ShareKind,
        body: Vec<u8>,
    ) -> Result<ShareReport, CallError> {
        if !self.can_share() {
            return Err(CallError::NoKey);
        }
        match kind {
            ShareKind::Share | ShareKind::ShareAndUnfreeze => {
                let reply = self.send(Operation::Share, replay_share(body)).await?;
                Ok(ShareReport::Share(read_noting(&reply)?))
            }
            ShareKind::Unfreeze => {
                let reply = self.send(Operation::Share, replay_unfreeze(body)).await?;
                Ok(ShareReport::Share(read_noting(&reply)?))
            }
            ShareKind::Return => {
                let parts = replay_share_return(body);
                let reply = self.send(Operation::ShareReturn, parts).await?;
                Ok(ShareReport::Return(read_noting(&reply)?))
            }
        }
    }

    /// Queries a share or a release.
    pub(crate) async fn query_share(
        &self,
        number: &OutOrderNo,
        transaction_id: &TransactionId,
        sub_mchid: Option<&str>,
    ) -> Result<ShareStatus, CallError> {
        let parts = query_share(number, transaction_id, sub_mchid);
        self.share_status(parts, ShareReport::Share).await
    }

    /// Queries a return.
    pub(crate) async fn query_share_return(
        &self,
        number: &OutReturnNo,
        share_number: &OutOrderNo,
        sub_mchid: Option<&str>,
    ) -> Result<ShareStatus, CallError> {
        let parts = query_share_return(number, share_number, sub_mchid);
        self.share_status(parts, ShareReport::Return).await
    }

    /// Queries what WeChat still holds of a payment.
    pub(crate) async fn query_unsplit(
        &self,
        transaction_id: &TransactionId,
    ) -> Result<UnsplitAmount, CallError> {
        let parts = query_unsplit(transaction_id);
        let reply = self.send(Operation::ShareQuery, parts).await?;
        Ok(read_noting(&reply)?)
    }

    /// Adds a receiver. Its name is encrypted to WeChat's key here and goes nowhere else.
    pub(crate) async fn add_receiver(&self, receiver: &Receiver) -> Result<(), ReceiverError> {
        let keys = self.trust.keys();
        let (serial, key) = keys
            .sealing_key(self.now_s())
            .ok_or(ReceiverError::NoSealingKey)?;
        let sealed = receiver.seal(serial, key)?;
        self.send_sealed(Operation::Receiver, &sealed).await?;
        Ok(())
    }

    /// Deletes a receiver.
    pub(crate) async fn delete_receiver(&self, parts: RequestParts) -> Result<(), CallError> {
        self.send(Operation::Receiver, parts).await.map(drop)
    }

    async fn share_status<T: DeserializeOwned>(
        &self,
        parts: RequestParts,
        report: fn(T) -> ShareReport,
    ) -> Result<ShareStatus, CallError> {
        let answered: Result<VerifiedReply, CallError> =
            self.send(Operation::ShareQuery, parts).await;
        match answered {
            Ok(reply) => Ok(ShareStatus::Known(Box::new(report(read_noting(&reply)?)))),
            Err(error) if error.reason() == Some(Reason::ResourceUnknown) => {
                Ok(ShareStatus::Unknown {
                    is_signed: error.is_signed(),
                })
            }
            Err(error) => Err(error),
        }
    }
}
