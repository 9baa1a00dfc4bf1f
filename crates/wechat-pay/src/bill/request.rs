//! Requests for a bill and for its file.

use bytes::Bytes;
use http::{StatusCode, Uri};
use jiff::civil::Date;
use payment_values::{InvalidField, check_word};
use serde::{Deserialize, Serialize};

use crate::bill::BillError;
use crate::hosts;
use crate::keys::trusted::TrustedKeys;
use crate::order_fields::is_loopback_host;
use crate::reply::{Reply, ReplyError};
use crate::request::{RequestParts, encode};

/// The rows of a trade bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BillType {
    /// Payments and refunds.
    #[default]
    All,
    /// Only payments.
    Success,
    /// Only refunds.
    Refund,
}

/// The account of a fund-flow bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BillAccount {
    /// The basic account.
    #[default]
    Basic,
    /// The account for operations.
    Operation,
    /// The account for fees.
    Fees,
}

/// How the file is packed. In both cases the hash is over the unpacked text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Not compressed.
    #[default]
    Plain,
    /// With gzip.
    Gzip,
}

/// Requests a trade bill; answered with a [`BillTicket`]. A day's bill is ready at about ten
/// o'clock of the next day in Beijing, and is available for three months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeBillRequest {
    /// The day, in Beijing.
    pub bill_date: Date,
    /// The rows.
    pub bill_type: BillType,
    /// How the file is packed.
    pub packing: Packing,
    /// Partner mode: only the rows of one sub-merchant.
    pub sub_mchid: Option<String>,
}

/// Requests an account's flow of funds; answered with a [`BillTicket`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundFlowBillRequest {
    /// The day, in Beijing.
    pub bill_date: Date,
    /// The account.
    pub account: BillAccount,
    /// How the file is packed.
    pub packing: Packing,
}

impl TradeBillRequest {
    /// The request.
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        let kind = match self.bill_type {
            BillType::All => "ALL",
            BillType::Success => "SUCCESS",
            BillType::Refund => "REFUND",
        };
        let mut path = format!(
            "/v3/bill/tradebill?bill_date={}&bill_type={kind}",
            self.bill_date
        );
        if let Some(sub_mchid) = &self.sub_mchid {
            check_word("sub_mchid", sub_mchid)?;
            path.push_str("&sub_mchid=");
            path.push_str(&encode(sub_mchid));
        }
        Ok(RequestParts::get(path + self.packing.query()))
    }
}

impl FundFlowBillRequest {
    /// The request.
    pub fn request(&self) -> RequestParts {
        RequestParts::get(format!(
            "/v3/bill/fundflowbill?bill_date={}&account_type={}{}",
            self.bill_date,
            self.account.as_str(),
            self.packing.query()
        ))
    }
}

impl BillAccount {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Operation => "OPERATION",
            Self::Fees => "FEES",
        }
    }
}

impl Packing {
    pub(super) fn query(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => "&tar_type=GZIP",
        }
    }
}

/// The answer to a request for a bill: the address of its file, and the file's hash. Only a
/// verified reply may give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillTicket {
    /// `SHA1`, the default where WeChat leaves it out.
    #[serde(default = "the_hash")]
    pub hash_type: String,
    /// The hash over the unpacked file, in hex.
    pub hash_value: String,
    /// Where the file is; valid for five minutes, only for the merchant that requested it.
    pub download_url: String,
}

/// A request for a bill's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillDownload {
    /// Scheme and authority of the address, without a slash at the end.
    pub origin: String,
    /// The request, to be signed as any other: its path and query are those of the address.
    pub request: RequestParts,
}

impl BillTicket {
    /// The request for the file. The address is used as WeChat gave it.
    pub fn download(&self) -> Result<BillDownload, BillError> {
        self.digest()?;
        let url: Uri = self
            .download_url
            .parse()
            .map_err(|_| BillError::DownloadUrl)?;
        let (Some(scheme), Some(authority), Some(path)) =
            (url.scheme_str(), url.authority(), url.path_and_query())
        else {
            return Err(BillError::DownloadUrl);
        };
        let plain_loopback = scheme == "http" && is_loopback_host(authority.host());
        if authority.as_str().contains('@') || !(scheme == "https" || plain_loopback) {
            return Err(BillError::DownloadUrl);
        }
        Ok(BillDownload {
            origin: format!("{scheme}://{authority}"),
            request: RequestParts::get(path.as_str().to_owned()),
        })
    }

    /// The 20 bytes that the file's hash must have.
    pub(super) fn digest(&self) -> Result<[u8; 20], BillError> {
        let hex = self.hash_value.as_bytes();
        if !self.hash_type.eq_ignore_ascii_case("SHA1") || hex.len() != 40 {
            return Err(BillError::Hash);
        }
        let mut digest = [0; 20];
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
        }
        Ok(digest)
    }
}

impl BillDownload {
    /// Refuses an address that is not at one of WeChat Pay's own hosts. For a client of WeChat
    /// itself: the request carries the merchant's signature. A simulator has hosts of its own.
    pub fn check_host(&self) -> Result<(), BillError> {
        let host = self.origin.strip_prefix("https://");
        host.is_some_and(hosts::is_wechats_host)
            .then_some(())
            .ok_or(BillError::ForeignHost)
    }

    /// The file's bytes, to be used only after the ticket's hash was checked. Only here a success
    /// without a signature is accepted; an error is read as usual.
    pub fn file(reply: Reply, keys: &TrustedKeys, now_s: i64) -> Result<Bytes, ReplyError> {
        if Self::is_file(reply.status, &reply.headers) {
            return Ok(reply.body);
        }
        reply
            .verify(keys, now_s)
            .map(|verified| verified.body().clone())
    }

    /// Whether a reply is the file, from its head alone: for clients that stream the body into a
    /// [`crate::bill::BillReader`]. If the reply is not the file, pass the whole reply to
    /// [`BillDownload::file`].
    #[must_use]
    pub fn is_file(status: StatusCode, headers: &http::HeaderMap) -> bool {
        status == StatusCode::OK && !crate::signing::signature::is_signed(headers)
    }
}

fn the_hash() -> String {
    "SHA1".to_owned()
}

fn hex_digit(digit: u8) -> Result<u8, BillError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(BillError::Hash),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use jiff::civil::date;

    use super::*;
    use crate::signing::signature::SignatureError;
    use crate::signing::stamp::Stamp;
    use crate::test_keys;

    fn ticket(url: &str) -> BillTicket {
        BillTicket {
            hash_type: "SHA1".into(),
            hash_value: "79bb0f45fc4c42234a918000b2668d689e2bde04".into(),
            download_url: url.into(),
        }
    }

    #[test]
    fn each_bill_has_its_query() {
        let mut trade = TradeBillRequest {
            bill_date: date(2019, 6, 1),
            bill_type: BillType::All,
            packing: Packing::Plain,
            sub_mchid: None,
        };
        assert_eq!(
            trade.request().unwrap().path_and_query,
            "/v3/bill/tradebill?bill_date=2019-06-01&bill_type=ALL"
        );
        trade.bill_type = BillType::Refund;
        trade.packing = Packing::Gzip;
        trade.sub_mchid = Some("1900000109".into());
        assert_eq!(
            trade.request().unwrap().path_and_query,
            "/v3/bill/tradebill?bill_date=2019-06-01&bill_type=REFUND&sub_mchid=1900000109&tar_type=GZIP"
        );
        trade.sub_mchid = Some("1&a=b".into());
        assert_eq!(trade.request().unwrap_err().field, "sub_mchid");
        let flow = FundFlowBillRequest {
            bill_date: date(2019, 6, 11),
            account: BillAccount::Operation,
            packing: Packing::Gzip,
        };
        assert_eq!(
            flow.request().path_and_query,
            "/v3/bill/fundflowbill?bill_date=2019-06-11&account_type=OPERATION&tar_type=GZIP"
        );
    }

    #[test]
    fn a_download_is_signed_with_path_and_query_of_the_address() {
        for (url, origin, path) in [
            (
                "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb",
                "https://api.mch.weixin.qq.com",
                "/v3/billdownload/file?token=a%2Bb",
            ),
            (
                "http://127.0.0.1:8420/v3/bill/downloadurl?token=x",
                "http://127.0.0.1:8420",
                "/v3/bill/downloadurl?token=x",
            ),
        ] {
            let download = ticket(url).download().unwrap();
            assert_eq!(
                (
                    download.origin.as_str(),
                    download.request.path_and_query.as_str()
                ),
                (origin, path)
            );
        }
        for url in [
            "",
            "/v3/billdownload/file?token=a",
            "http://api.mch.weixin.qq.com/a",
            "ftp://a/b",
            "https://u@a/b",
            "https://a b/",
        ] {
            assert_eq!(ticket(url).download(), Err(BillError::DownloadUrl), "{url}");
        }
    }

    #[test]
    fn only_an_address_at_wechats_own_hosts_is_for_a_client_of_wechat() {
        for (url, expected) in [
            (
                "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a",
                Ok(()),
            ),
            (
                "https://api2.wechatpay.cn/v3/billdownload/file?token=a",
                Ok(()),
            ),
            (
                "https://shop.example/v3/billdownload/file",
                Err(BillError::ForeignHost),
            ),
            (
                "https://api.mch.weixin.qq.com:8443/a",
                Err(BillError::ForeignHost),
            ),
            ("http://127.0.0.1:9410/a", Err(BillError::ForeignHost)),
        ] {
            let download = ticket(url).download().unwrap();
            assert_eq!(download.check_host(), expected, "{url}");
        }
    }

    #[test]
    fn only_sha1_is_accepted_as_a_files_hash() {
        let good = ticket("https://a/b");
        assert_eq!(good.digest().unwrap()[..2], [0x79, 0xbb]);
        for (kind, value) in [
            ("SHA256", good.hash_value.as_str()),
            ("SHA1", ""),
            ("SHA1", "79bb"),
            ("SHA1", "z9bb0f45fc4c42234a918000b2668d689e2bde04"),
        ] {
            let bad = BillTicket {
                hash_type: kind.into(),
                hash_value: value.into(),
                ..good.clone()
            };
            assert_eq!(bad.download(), Err(BillError::Hash), "{kind} {value}");
        }
    }

    #[test]
    fn an_unsigned_success_is_accepted_for_a_file_only() {
        let keys = test_keys::trusted_keys();
        let reply = |status: u16, headers: HeaderMap| Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from_static(b"file"),
        };
        let file = BillDownload::file(reply(200, HeaderMap::new()), &keys, 1);
        assert_eq!(file.unwrap(), Bytes::from_static(b"file"));
        assert!(reply(200, HeaderMap::new()).verify(&keys, 1).is_err());
        for status in [202, 204] {
            let error = BillDownload::file(reply(status, HeaderMap::new()), &keys, 1);
            assert!(matches!(error, Err(ReplyError::Signature(_))), "{status}");
        }
        let signed = test_keys::platform_key()
            .sign_headers(&Stamp::new(1, [1; 16]), b"file")
            .unwrap();
        assert!(BillDownload::file(reply(200, signed.clone()), &keys, 1).is_ok());
        // A signature that is present must be valid.
        let mut tampered = reply(200, signed);
        tampered.body = Bytes::from_static(b"other");
        assert_eq!(
            BillDownload::file(tampered, &keys, 1),
            Err(ReplyError::Signature(SignatureError::Mismatch))
        );
        let error = BillDownload::file(reply(403, HeaderMap::new()), &keys, 1).unwrap_err();
        assert_eq!(error.wechat().unwrap().status, 403);
    }
}
