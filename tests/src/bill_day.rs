//! A day of a large merchant: a ledger with many payments, and a WeChat that has the bill of that day
//! and nothing else. For what has to be seen with many lines, memory and speed: no simulator holds that
//! many orders.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use jiff::Timestamp;
use jiff::civil::Date;
use merchant_api::BillDifference;
use merchant_server::{
    ComparedBill, Config, HttpTransport, Surroundings, SystemClock, SystemRandomness, compare_bill,
};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;
use tower::ServiceExt as _;
use tower_http::services::ServeFile;
use wechat_pay::{PlatformKey, SigningKey, Stamp, lower_hex};

use crate::merchant_config::MerchantConfig;
use crate::merchant_keys::keyring_in;
use crate::port::Port;

/// The day, in Beijing.
const DAY: &str = "2026-11-21";
/// Noon of that day.
const NOON_MS: i64 = 1_795_233_600_000;
/// The amount of each payment.
const TOTAL_FEN: u32 = 1990;
/// How many orders one statement makes.
const ORDERS_AT_ONCE: u32 = 50_000;

/// Which version of WeChat's API gives the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillVersion {
    /// Version 3: the file's hash is signed.
    V3,
    /// Version 2: the file has no hash.
    V2,
}

/// A ledger and a bill of the same payments.
pub struct BillDay {
    folder: TempDir,
    lines: u32,
    _wechat: Port,
}

/// A comparison, and what it took.
#[derive(Debug)]
pub struct Comparing {
    /// The result.
    pub compared: ComparedBill,
    /// The first differences.
    pub first: Vec<String>,
    /// How long it took, download included.
    pub took: Duration,
}

impl BillDay {
    /// Makes a day with this many payments.
    pub async fn of(lines: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wechat = Port::take().await;
        let keys = folder.path().join("keys");
        let keyring = keyring_in(&keys, &wechat.origin);
        let merchant = keyring.merchant();
        let file = folder.path().join("bill.csv.gz");
        let hash = write_bill(&file, lines, &merchant.mchid, &merchant.appid);
        let key = std::fs::read(keys.join("wechat_private/pub_key_private.pem")).unwrap();
        let key = SigningKey::from_pem(&key).unwrap();
        let key = PlatformKey::new(&merchant.public_key_id, key).unwrap();
        wechat.serve(gateway(&wechat.origin, file, &hash, key));
        let day = Self {
            folder,
            lines,
            _wechat: wechat,
        };
        day.fill_ledger().await;
        day
    }

    /// Compares the bill with the ledger.
    pub async fn compare(&self, version: BillVersion) -> Comparing {
        let config = self.config(version);
        let surroundings = Surroundings {
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            wechat: Arc::new(HttpTransport::new(true).unwrap()),
            webhooks: Arc::new(HttpTransport::new(true).unwrap()),
        };
        let day: Date = DAY.parse().unwrap();
        let mut first = Vec::new();
        let mut take = |difference: &BillDifference| {
            if first.len() < 3 {
                first.push(format!("{difference:?}"));
            }
            Ok(())
        };
        let begun = Instant::now();
        let compared = compare_bill(&config, &surroundings, day, None, &mut take).await;
        let (compared, took) = (compared.unwrap(), begun.elapsed());
        Comparing {
            compared,
            first,
            took,
        }
    }

    /// Forgets every payment here: each line of the bill is a difference then.
    pub async fn forget_payments(&self) {
        let ledger = self.ledger().await;
        for statement in ["DELETE FROM attempts", "DELETE FROM orders"] {
            sqlx::query(statement).execute(&ledger).await.unwrap();
        }
        ledger.close().await;
    }

    fn config(&self, version: BillVersion) -> Config {
        let merchant_json = self.folder.path().join("keys/merchant.json");
        let address = "http://127.0.0.1:8080";
        let config = match version {
            BillVersion::V3 => MerchantConfig::new(address, &merchant_json),
            BillVersion::V2 => MerchantConfig::of_version_2(address, &merchant_json, "MD5"),
        };
        Config::parse(&config.to_toml(), self.folder.path()).unwrap()
    }

    async fn ledger(&self) -> SqlitePool {
        let path = self.config(BillVersion::V3).database.to_string();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(false);
        SqlitePool::connect_with(options).await.unwrap()
    }

    /// Orders that are paid, and nothing else to do.
    async fn fill_ledger(&self) {
        let config = self.config(BillVersion::V3);
        merchant_server::migrate(&config).await.unwrap();
        let ledger = self.ledger().await;
        let mut first = 0;
        while first < self.lines {
            let last = self.lines.min(first + ORDERS_AT_ONCE);
            for statement in [ORDERS, ATTEMPTS] {
                let made = sqlx::query(statement).bind(first).bind(last);
                let made = made.bind(NOON_MS).bind(TOTAL_FEN);
                made.execute(&ledger).await.unwrap();
            }
            first = last;
        }
        ledger.close().await;
    }
}

/// The largest memory that this process has used so far, in KiB.
pub fn largest_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Orders of the numbers from ?1 on and before ?2.
const ORDERS: &str = "WITH RECURSIVE numbers (n) AS (
        SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?2)
    INSERT INTO orders (id, order_no, token, request, total_fen, description, products,
        created_ms, expires_ms, state, current_attempt)
    SELECT n + 1, printf('T%09d', n), printf('token%027d', n), '', ?4, 'tea', 'native',
        ?3, ?3, 'paid', 1 FROM numbers";

/// Their attempts.
const ATTEMPTS: &str = "WITH RECURSIVE numbers (n) AS (
        SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?2)
    INSERT INTO attempts (order_id, number, product, out_trade_no, appid, body, state,
        created_ms, return_handle, transaction_id, success_ms, payer_total_fen)
    SELECT n + 1, 1, 'native', printf('T%09d', n), 'wx', x'', 'paid',
        ?3, '', printf('42%026d', n), ?3, ?4 FROM numbers";

/// WeChat, as far as this merchant's bill goes, in both versions.
fn gateway(origin: &str, file: PathBuf, hash: &str, key: PlatformKey) -> Router {
    let ticket = json!({
        "hash_type": "SHA1", "hash_value": hash,
        "download_url": format!("{origin}/v3/billdownload/file?token=t"),
    });
    let ticket = ticket.to_string();
    let signed = async move || {
        let stamp = Stamp::new(Timestamp::now().as_second(), [7; 16]);
        let headers = key.sign_headers(&stamp, ticket.as_bytes()).unwrap();
        (headers, ticket).into_response()
    };
    let file = async move || -> Response {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let file = ServeFile::new(file).oneshot(request).await.unwrap();
        file.into_response()
    };
    Router::new()
        .route("/v3/bill/tradebill", get(signed))
        .route("/v3/billdownload/file", get(file.clone()))
        .route("/pay/downloadbill", post(file))
}

/// Writes the bill, packed; returns the hash of its text.
fn write_bill(path: &Path, lines: u32, mchid: &str, appid: &str) -> String {
    let file = BufWriter::new(File::create(path).unwrap());
    let mut packed = GzEncoder::new(file, Compression::fast());
    let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    let mut write = |text: &str| {
        hash.update(text.as_bytes());
        packed.write_all(text.as_bytes()).unwrap();
    };
    write(
        "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n",
    );
    for line in 0..lines {
        write(&format!(
            "`2026-11-21 12:00:00,`{appid},`{mchid},`0,`,`42{line:026},`T{line:09},`oBuyer{line:022},`NATIVE,`SUCCESS,`OTHERS,`CNY,`19.90,`0.00,`0,`0,`0.00,`0.00,`,`,`tea,`,`0.11940,`0.60%,`19.90,`0.00,`\r\n"
        ));
    }
    let fen = u64::from(lines) * u64::from(TOTAL_FEN);
    let yuan = format!("{}.{:02}", fen / 100, fen % 100);
    write(
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n",
    );
    write(&format!(
        "`{lines},`{yuan},`0.00,`0.00,`0.00,`{yuan},`0.00\r\n"
    ));
    packed.finish().unwrap().flush().unwrap();
    lower_hex(hash.finish().as_ref())
}
