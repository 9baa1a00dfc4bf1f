//! The trade bill of version 2: the answer is the file itself. It has no hash and no signature, so
//! only the connection to WeChat authenticates it.

use jiff::civil::Date;
use wechat_pay::bill::Packing;
use wechat_pay::v2::{BillType, DownloadBill};
use wechat_pay::{Operation, RetryWith};

use super::BillFile;
use super::call_error::CallError;
use super::client::WechatClient;
use super::v2::V2;
use super::version::Version;
use crate::config::Api;

/// WeChat's code of a bill that does not exist, and of one that is not made yet.
const NONE_YET: &str = "20002";

impl WechatClient {
    /// Downloads the trade bill of a day into the file, for the whole account or one sub-merchant;
    /// returns whether there is one.
    pub(crate) async fn fetch_bill_v2(
        &self,
        day: Date,
        packing: Packing,
        sub_mchid: Option<&str>,
        file: &BillFile,
    ) -> Result<bool, CallError> {
        let Version::V2(V2 { key, kind, .. }) = self.version(Api::V2(self.merchant.v2_sign_type))
        else {
            return Err(CallError::NoKey);
        };
        let bill = DownloadBill {
            bill_date: day,
            bill_type: BillType::All,
            packing,
            device_info: None,
        };
        let orderer = self.parties(sub_mchid).orderer(self.merchant.key.mchid());
        match self
            .fetch_v2(bill.request(&orderer)?, key, kind, file)
            .await
        {
            Ok(()) => Ok(true),
            Err(error) if is_none(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether nothing happened on that day. A bill that is not made yet has the same code.
fn is_none(error: &CallError) -> bool {
    error.wechat_code() == Some(NONE_YET)
        && error.retry_with(Operation::Bill) == Some(RetryWith::AfterFix)
}
