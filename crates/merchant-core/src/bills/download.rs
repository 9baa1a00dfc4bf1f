//! A bill's file: requested, downloaded, decrypted if it is encrypted, unpacked, and checked
//! against the hash that WeChat signed. No line is parsed here.

use std::io;
use std::path::Path;

use jiff::civil::Date;
use wechat_pay::bill::{
    BillDownload, BillError, BillReader, BillText, BillTicket, BillType, FundFlowBillRequest,
    Packing, SealedBillTicket, SealedBillTickets, SubMerchantFundFlowBillRequest, TradeBillRequest,
};
use wechat_pay::v2::packing_of_bill;
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

/// What verifies a bill's file.
pub(super) enum Seal {
    /// The hash that WeChat signed.
    Ticket(BillTicket),
    /// Version 2 has none: only the connection to WeChat. The file is packed in this way.
    Connection(Packing),
}

impl Seal {
    /// A reader for the file, row by row.
    pub(super) fn reader(&self) -> Result<BillReader, BillError> {
        match self {
            Self::Ticket(ticket) => BillReader::new(PACKING, ticket),
            Self::Connection(packing) => Ok(BillReader::without_hash(*packing)),
        }
    }

    fn text(&self) -> Result<BillText, BillError> {
        match self {
            Self::Ticket(ticket) => BillText::new(PACKING, ticket),
            Self::Connection(packing) => Ok(BillText::without_hash(*packing)),
        }
    }
}

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
        if matches!(kind, BillKind::FundFlow(_)) && wechat.merchant.has_only_version_2() {
            return Err(BillFailure::OnlyV3);
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
        let Some((file, seal)) = fetch(wechat, request, folder).await? else {
            return Ok(None);
        };
        return unpack(&file, &seal, to).await.map(Some);
    }
    let Some(reply) = send(wechat, request).await? else {
        return Ok(None);
    };
    let tickets: SealedBillTickets = reply.parse().map_err(CallError::from)?;
    let mut length = 0;
    for part in tickets.in_order()? {
        let file = BillFile::limited_in(folder, SEALED_PART_MAX_BYTES)?;
        fetch_file(wechat, &part.download()?, &file).await?;
        let opened = open(&wechat.merchant, part, &file.whole().await?)?;
        file.take(whole_body(opened))
            .await
            .map_err(CallError::from)?;
        length += unpack(&file, &Seal::Ticket(part.ticket.clone()), &mut to).await?;
    }
    Ok(Some(length))
}

/// Downloads a bill's file that is not encrypted. The file is not verified until [`unpack`]
/// succeeds. `None` where nothing happened on that day. Version 3's bill has what both versions
/// made, and a hash; version 2's is for a merchant that has only version 2.
pub(super) async fn fetch(
    wechat: &WechatClient,
    request: &BillRequest,
    folder: &Path,
) -> Result<Option<(BillFile, Seal)>, BillFailure> {
    if wechat.merchant.has_only_version_2() {
        return fetch_v2(wechat, request, folder).await;
    }
    let Some(reply) = send(wechat, request).await? else {
        return Ok(None);
    };
    let ticket: BillTicket = reply.parse().map_err(CallError::from)?;
    let file = BillFile::new_in(folder)?;
    fetch_file(wechat, &ticket.download()?, &file).await?;
    Ok(Some((file, Seal::Ticket(ticket))))
}

/// Downloads a file from the address that WeChat signed. Where real money is, that is one of
/// WeChat Pay's own hosts.
async fn fetch_file(
    wechat: &WechatClient,
    download: &BillDownload,
    file: &BillFile,
) -> Result<(), BillFailure> {
    if wechat.gateway.is_live() {
        download.check_host()?;
    }
    Ok(wechat.fetch(download, file).await?)
}

async fn fetch_v2(
    wechat: &WechatClient,
    request: &BillRequest,
    folder: &Path,
) -> Result<Option<(BillFile, Seal)>, BillFailure> {
    let (day, sub_mchid) = (request.day, request.sub_mchid.as_deref());
    let file = BillFile::new_in(folder)?;
    let is_there = wechat.fetch_bill_v2(day, PACKING, sub_mchid, &file).await?;
    if !is_there {
        return Ok(None);
    }
    // No hash says how the file is packed, and WeChat may have left the packing out.
    file.rewind().await?;
    let mut piece = Vec::new();
    file.read_piece(&mut piece).await?;
    let packing = packing_of_bill(&piece);
    Ok(Some((file, Seal::Connection(packing))))
}

/// Unpacks a file from its beginning. The file must be complete and have the hash of its ticket, if
/// it has one. Returns the length
/// of its text in bytes.
pub(super) async fn unpack(
    file: &BillFile,
    seal: &Seal,
    mut to: impl io::Write,
) -> Result<u64, BillFailure> {
    let mut unpacking = seal.text()?;
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
