//! Bills at the gateway: a request returns a link with a SHA-1, and the link returns the file.
//!
//! The digest is over the bytes before compression. The file itself is not signed.

use std::io::Write;

use aws_lc_rs::digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;
use wechat_pay::bill::{BillTicket, seal_bill};
use wechat_pay::{AEAD_ALGORITHM, lower_hex};

use super::answer::{Answer, BAD_PARAMETER, Refusal, system_error};
use super::caller::Caller;
use super::orders::{self, value_of_query};
use super::schema;
use crate::ledger::bill::{Account, TradeBill, beijing_day};
use crate::ledger::bill_link::{BillLink, BillLinkRefusal, Sealing};
use crate::simulator::Simulator;

/// From this hour in Beijing the bills of the day before are available.
const READY_AT_HOUR: i8 = 10;

/// The trades of a day.
pub(super) fn trade(
    simulator: &Simulator,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let kind = match value_of_query(query, "bill_type").as_deref() {
        None | Some("ALL") => TradeBill::All,
        Some("SUCCESS") => TradeBill::Success,
        Some("REFUND") => TradeBill::Refund,
        Some(other) => return Err(not_a_word("bill_type", "账单类型", other)),
    };
    let (day, gzip) = day_and_form(simulator, query)?;
    simulator.settle_transfers();
    let sub_mchid = value_of_query(query, "sub_mchid")
        .map(|sub_mchid| orders::check_sub_mchid(simulator, &sub_mchid, caller))
        .transpose()?;
    let ledger = simulator.ledger();
    let csv = ledger.trade_bill(&caller.mchid, sub_mchid.as_deref(), day, kind);
    drop(ledger);
    link(simulator, csv, gzip, caller)
}

/// The flow of funds of a day.
pub(super) fn fund_flow(
    simulator: &Simulator,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let account = account(query)?.unwrap_or(Account::Basic);
    let (day, gzip) = day_and_form(simulator, query)?;
    simulator.settle_transfers();
    let csv = simulator
        .ledger()
        .fund_flow(&caller.mchid, None, day, account);
    link(simulator, csv, gzip, caller)
}

/// A sub-merchant's flow of funds, encrypted for its partner.
pub(super) fn sub_merchant_fund_flow(
    simulator: &Simulator,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let wanted = |name, label| {
        value_of_query(query, name).ok_or_else(|| schema::missing_in_query(name, label))
    };
    let sub_mchid = wanted("sub_mchid", "子商户号")?;
    let sub_mchid = orders::check_sub_mchid(simulator, &sub_mchid, caller)?;
    let account =
        account(query)?.ok_or_else(|| schema::missing_in_query("account_type", "资金账户类型"))?;
    let algorithm = wanted("algorithm", "加密算法")?;
    if algorithm != AEAD_ALGORITHM {
        return Err(not_a_word("algorithm", "加密算法", &algorithm));
    }
    let (day, gzip) = day_and_form(simulator, query)?;
    simulator.settle_transfers();
    let csv = simulator
        .ledger()
        .fund_flow(&caller.mchid, Some(&sub_mchid), day, account);
    let sealing = Sealing {
        key: simulator.random().alphanumeric(32),
        nonce: simulator.random().lower_hex(16),
    };
    let encrypt_key = caller
        .keyring
        .merchant_public_key
        .seal_field_with(simulator.oaep(), &sealing.key)
        .map_err(|_| system_error())?;
    let nonce = sealing.nonce.clone();
    let BillTicket {
        hash_type,
        hash_value,
        download_url,
    } = issue(simulator, csv, gzip, Some(sealing), caller)?;
    Ok(Answer::Json(json!({
        "download_bill_count": 1,
        "download_bill_list": [{
            "bill_sequence": 1,
            "download_url": download_url,
            "encrypt_key": encrypt_key,
            "hash_type": hash_type,
            "hash_value": hash_value,
            "nonce": nonce,
        }],
    })))
}

/// The file behind a link.
pub(super) fn file(simulator: &Simulator, query: &str, caller: &Caller) -> Result<Answer, Refusal> {
    let token = value_of_query(query, "token")
        .ok_or_else(|| schema::missing_in_query("token", "下载凭证"))?;
    let settings = simulator.settings();
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    let links = ledger.bill_links();
    let link = links
        .find(&token, &caller.mchid, settings.bill_link_s, now)
        .map_err(refuse)?;
    let mut bytes = link.csv.clone().into_bytes();
    if link.gzip {
        bytes = pack(&bytes).map_err(|_| system_error())?;
    }
    let Some(sealing) = &link.sealing else {
        let gzip = link.gzip;
        return Ok(Answer::File { bytes, gzip });
    };
    let bytes = seal_bill(&bytes, &sealing.key, &sealing.nonce).map_err(|_| system_error())?;
    Ok(Answer::File { bytes, gzip: true })
}

fn link(
    simulator: &Simulator,
    csv: Option<String>,
    gzip: bool,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let ticket = issue(simulator, csv, gzip, None, caller)?;
    Ok(Answer::Json(json!(ticket)))
}

/// Stores a bill and makes a link to it. The hash is over the text before compression and
/// encryption.
fn issue(
    simulator: &Simulator,
    csv: Option<String>,
    gzip: bool,
    sealing: Option<Sealing>,
    caller: &Caller,
) -> Result<BillTicket, Refusal> {
    let csv = csv.ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "NO_STATEMENT_EXIST",
            "账单文件不存在",
            268_512_771,
        )
    })?;
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, csv.as_bytes());
    let token = simulator.random().alphanumeric(64);
    let ticket = BillTicket {
        hash_type: "SHA1".to_owned(),
        hash_value: lower_hex(hash.as_ref()),
        download_url: format!(
            "{}{}?token={token}",
            simulator.keyring().merchant().base_url,
            simulator.settings().bill_path.as_str(),
        ),
    };
    let link = BillLink {
        mchid: caller.mchid.clone(),
        issued_at: simulator.clock().now(),
        csv,
        gzip,
        sealing,
    };
    simulator.ledger().bill_links().issue(token, link);
    Ok(ticket)
}

fn account(query: &str) -> Result<Option<Account>, Refusal> {
    match value_of_query(query, "account_type").as_deref() {
        None => Ok(None),
        Some("BASIC") => Ok(Some(Account::Basic)),
        Some("OPERATION") => Ok(Some(Account::Operation)),
        Some("FEES") => Ok(Some(Account::Fees)),
        Some(other) => Err(not_a_word("account_type", "资金账户类型", other)),
    }
}

fn day_and_form(simulator: &Simulator, query: &str) -> Result<(Date, bool), Refusal> {
    let text = value_of_query(query, "bill_date")
        .ok_or_else(|| schema::missing_in_query("bill_date", "账单日期"))?;
    let day: Date = text
        .parse()
        .ok()
        .filter(|_| text.len() == "2019-06-11".len())
        .ok_or_else(|| not_a_word("bill_date", "账单日期", &text))?;
    let gzip = match value_of_query(query, "tar_type").as_deref() {
        None => false,
        Some("GZIP") => true,
        Some(other) => return Err(not_a_word("tar_type", "压缩类型", other)),
    };
    check_ready(simulator, day)?;
    Ok((day, gzip))
}

/// Whether the bills of a day are available.
pub(super) enum BillDay {
    Ready,
    /// The day is over, and its bill is not made yet.
    InWork,
    /// The day is not over.
    TooNew,
    TooOld,
}

pub(super) fn day_of_bill(simulator: &Simulator, day: Date) -> BillDay {
    let now = simulator.clock().now();
    let today = beijing_day(now);
    let oldest = today.checked_sub(3.months()).unwrap_or(Date::MIN);
    if day < oldest {
        return BillDay::TooOld;
    }
    if simulator.settings().bills_at_once && day <= today {
        return BillDay::Ready;
    }
    if day >= today {
        return BillDay::TooNew;
    }
    let yesterday = today.checked_sub(1.day()).unwrap_or(Date::MIN);
    let hour = jiff::tz::Offset::constant(8).to_datetime(now).hour();
    if day == yesterday && hour < READY_AT_HOUR {
        return BillDay::InWork;
    }
    BillDay::Ready
}

fn check_ready(simulator: &Simulator, day: Date) -> Result<(), Refusal> {
    let refused = |code, message| {
        Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            code,
            message,
            BAD_PARAMETER,
        ))
    };
    match day_of_bill(simulator, day) {
        BillDay::Ready => Ok(()),
        BillDay::TooOld => refused("INVALID_REQUEST", "仅支持三个月内的账单下载申请"),
        BillDay::TooNew => refused("INVALID_REQUEST", "账单日期不能晚于昨日"),
        BillDay::InWork => refused("STATEMENT_CREATING", "账单生成中，请稍后再试"),
    }
}

pub(super) fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::default());
    packing.write_all(bytes)?;
    packing.finish()
}

fn not_a_word(name: &str, label: &str, value: &str) -> Refusal {
    Refusal::parameter(
        format!("输入源“/query/{name}”映射到值字段“{label}”规则校验失败"),
        Some("query"),
        value.into(),
    )
}

fn refuse(refusal: BillLinkRefusal) -> Refusal {
    match refusal {
        BillLinkRefusal::Unknown => Refusal::new(
            StatusCode::BAD_REQUEST,
            "PARAM_ERROR",
            "token无效",
            BAD_PARAMETER,
        ),
        BillLinkRefusal::Expired => Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "下载链接已失效，请重新申请",
            BAD_PARAMETER,
        ),
        BillLinkRefusal::OtherMerchant => Refusal::new(
            StatusCode::FORBIDDEN,
            "NO_AUTH",
            "下载账单的商户与申请账单的商户不一致",
            268_447_843,
        ),
    }
}
