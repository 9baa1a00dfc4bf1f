//! A bill's file: requested, downloaded, decrypted if it is encrypted, unpacked, and checked
//! against the hash that WeChat signed. No line is parsed here.

use std::io;
use std::path::Path;

use jiff::civil::Date;
use wechat_pay::bill::{
    BillError, BillText, BillTicket, BillType, FundFlowBillRequest, Packing, SealedBillTicket,
    SealedBillTickets, SubMerchantFundFlowBillRequest, TradeBillRequest,
};
use wechat_pay::{InvalidField, Operation, RequestParts, VerifiedReply};

use super::failure::BillFailure;
use super::kind::{BillKind, account_word};
use crate::config::{Merchant, folder_of};
use crate::surroundings::whole_body;
use crate::wechat::{BillFile, CallError, WechatClient};

/// The compression of downloaded files. It reduces a day's text to a tenth.
pub(super) const PACKING: Packing = Packing::Gzip;

/// The largest part of an encrypted bill, in bytes. It is decrypted in memory, because no byte may
/// be used before the last one authenticates all.
const SEALED_PART_MAX_BYTES: u64 = 128 * 1024 * 1024;

/// A bill to request from WeChat.
pub(super) struct BillRequest {
    kind: BillKind,
    day: Date,
    /// Partner mode: only the bill of this sub-merchant.
    pub(super) sub_mchid: Option<String>,
}

impl BillRequest {
    pub(super) fn new(
        wechat: &WechatClient,
        kind: BillKind,
        day: Date,
        sub_mchid: Option<&str>,
    ) -> Result<Self, BillFailure> {
        if let Some(sub_mchid) = sub_mchid {
            let known = wechat.merchant.known_sub_merchant(sub_mchid);
            known.map_err(BillFailure::SubMchid)?;
        }
        Ok(Self {
            kind,
            day,
            sub_mchid: sub_mchid.map(str::to_owned),
        })
    }

    /// A file name that differs from those of other bills.
    pub(super) fn file_name(&self) -> String {
        let kind = match self.kind {
            BillKind::Trade => "tradebill".to_owned(),
            BillKind::FundFlow(account) => format!("fundflowbill-{}", account_word(account)),
        };
        let whose = self
            .sub_mchid
            .iter()
            .map(|sub_mchid| format!("-{sub_mchid}"));
        format!("{kind}-{}{}.csv", self.day, whose.collect::<String>())
    }

    fn request(&self) -> Result<RequestParts, InvalidField> {
        let (bill_date, packing) = (self.day, PACKING);
        let sub_mchid = self.sub_mchid.clone();
        match (self.kind, sub_mchid) {
            (BillKind::Trade, sub_mchid) => TradeBillRequest {
                bill_date,
                bill_type: BillType::All,
                packing,
                sub_mchid,
            }
            .request(),
            (BillKind::FundFlow(account), None) => Ok(FundFlowBillRequest {
                bill_date,
                account,
                packing,
            }
            .request()),
            (BillKind::FundFlow(account), Some(sub_mchid)) => SubMerchantFundFlowBillRequest {
                sub_mchid,
                bill_date,
                account,
                packing,
            }
            .request(),
        }
    }

    /// Whether WeChat encrypts it: a sub-merchant's flow of funds that its provider requests.
    fn is_sealed(&self) -> bool {
        matches!(self.kind, BillKind::FundFlow(_)) && self.sub_mchid.is_some()
    }
}

/// Saves a bill, unpacked, to a new private file, because it names buyers. Returns its length in
/// bytes; `None` where nothing happened on that day.
pub(crate) async fn save(
    wechat: &WechatClient,
    kind: BillKind,
    day: Date,
    sub_mchid: Option<&str>,
    to: &Path,
) -> Result<Option<u64>, BillFailure> {
    let request = BillRequest::new(wechat, kind, day, sub_mchid)?;
    let folder = folder_of(to);
    // The file gets its name after its hash was checked, and never replaces another file.
    let mut saved = tempfile::NamedTempFile::new_in(folder)?;
    let text = saved.as_file_mut();
    let Some(length) = write_text(wechat, &request, folder, text).await? else {
        return Ok(None);
    };
    saved.as_file().sync_all()?;
    saved.persist_noclobber(to).map_err(|error| error.error)?;
    Ok(Some(length))
}

/// Writes a bill's text, decrypted and unpacked; returns its length in bytes, `None` where nothing
/// happened on that day. The content of `to` is verified only after this succeeded.
pub(super) async fn write_text(
    wechat: &WechatClient,
    request: &BillRequest,
    folder: &Path,
    mut to: impl io::Write,
) -> Result<Option<u64>, BillFailure> {
    if !request.is_sealed() {
        let Some((file, ticket)) = fetch(wechat, request, folder).await? else {
            return Ok(None);
        };
        return unpack(&file, &ticket, to).await.map(Some);
    }
    let Some(reply) = send(wechat, request).await? else {
        return Ok(None);
    };
    let tickets: SealedBillTickets = reply.parse().map_err(CallError::from)?;
    let mut length = 0;
    for part in tickets.in_order()? {
        let file = BillFile::limited_in(folder, SEALED_PART_MAX_BYTES)?;
        wechat.fetch(&part.download()?, &file).await?;
        let opened = open(&wechat.merchant, part, &file.whole().await?)?;
        file.take(whole_body(opened))
            .await
            .map_err(CallError::from)?;
        length += unpack(&file, &part.ticket, &mut to).await?;
    }
    Ok(Some(length))
}

/// Downloads a bill's file that is not encrypted. The file is not verified until [`unpack`]
/// succeeds. `None` where nothing happened on that day.
pub(super) async fn fetch(
    wechat: &WechatClient,
    request: &BillRequest,
    folder: &Path,
) -> Result<Option<(BillFile, BillTicket)>, BillFailure> {
    let Some(reply) = send(wechat, request).await? else {
        return Ok(None);
    };
    let ticket: BillTicket = reply.parse().map_err(CallError::from)?;
    let file = BillFile::new_in(folder)?;
    wechat.fetch(&ticket.download()?, &file).await?;
    Ok(Some((file, ticket)))
}

/// Unpacks a file from its beginning. The file must have the hash of its ticket. Returns the length
/// of its text in bytes.
pub(super) async fn unpack(
    file: &BillFile,
    ticket: &BillTicket,
    mut to: impl io::Write,
) -> Result<u64, BillFailure> {
    let mut unpacking = BillText::new(PACKING, ticket)?;
    let (mut piece, mut text) = (Vec::new(), Vec::new());
    let mut length = 0;
    file.rewind().await?;
    while file.read_piece(&mut piece).await? {
        text.clear();
        unpacking.push(&piece, &mut text)?;
        length += text.len() as u64;
        to.write_all(&text)?;
    }
    text.clear();
    unpacking.finish(&mut text)?;
    to.write_all(&text)?;
    Ok(length + text.len() as u64)
}

async fn send(
    wechat: &WechatClient,
    request: &BillRequest,
) -> Result<Option<VerifiedReply>, BillFailure> {
    match wechat.send(Operation::Bill, request.request()?).await {
        Ok(reply) => Ok(Some(reply)),
        // There was no payment on that day.
        Err(error) if error.wechat_code() == Some("NO_STATEMENT_EXIST") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Decrypts a part with the merchant key that WeChat chose. WeChat does not say which one.
fn open(merchant: &Merchant, part: &SealedBillTicket, sealed: &[u8]) -> Result<Vec<u8>, BillError> {
    let mut refusal = BillError::SealedKey("there is no key");
    for certificate in merchant.certificates() {
        match part.open(sealed, &certificate.key) {
            Err(error @ BillError::SealedKey(_)) => refusal = error,
            opened => return opened,
        }
    }
    Err(refusal)
}
