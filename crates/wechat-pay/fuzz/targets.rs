//! Fuzz targets: each function takes any bytes, and fails if the crate panics or breaks a promise. libFuzzer runs them (`fuzz_targets/`), and so does `tests/hostile_inputs.rs` with
//! stable Rust over the stored corpus.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use http::{HeaderMap, HeaderValue, StatusCode};
use wechat_pay::bill::{
    BillReader, BillTicket, FundFlowRow, FundFlowSummary, Packing, TradeBillRow, TradeBillSummary,
    read_bill,
};
use wechat_pay::v2::{
    Answer, Closed, CodeOwner, Fields, NativeAnswer, NativeCallback, NativePrepared, Refunds,
    Request, Reversed, Route, ShortUrl, SignType, UnverifiedRequest,
};
use wechat_pay::{
    ApiV3Key, AuthCode, Authorization, Fen, H5Ordered, JsapiOrdered, NativeOrdered,
    NotificationDraft, PlatformKey, PublicKey, Refund, SigningKey, Stamp, Transaction, TrustedKeys,
    certificate_serial, lower_hex, open_notification, v2,
};

/// The documentation's public example key. It guards nothing.
const KEY_PEM: &[u8] = include_bytes!("published_example_key.pem");
const NOW_S: i64 = 1_700_000_000;
const HEADERS: [&str; 5] = [
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-serial",
    "wechatpay-signature-type",
];

struct Keys {
    platform: PlatformKey,
    trusted: TrustedKeys,
    api_v3: ApiV3Key,
    api_v2: v2::ApiV2Key,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = SigningKey::from_pem(KEY_PEM).expect("the published key is a key");
        let public = key.public_key().expect("it has a public key");
        let mut trusted = TrustedKeys::new();
        trusted.add("PUB_KEY_ID_01", public).expect("a good serial");
        Keys {
            platform: PlatformKey::new("PUB_KEY_ID_01", key).expect("a good serial"),
            trusted,
            api_v3: ApiV3Key::new(&[9; 32]).expect("32 bytes"),
            api_v2: v2::ApiV2Key::parse("0123456789abcdefghijklmnopqrstuv").expect("32 digits"),
        }
    })
}

/// A header that was read is written and read again without a change.
pub(crate) fn authorization(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(read) = Authorization::parse(text) {
        assert_eq!(Authorization::parse(&read.to_header_text()), Ok(read));
    }
}

/// The first byte chooses: forged headers, which never pass; a signed body of any bytes; a
/// sealed and signed resource of any bytes.
pub(crate) fn notification(input: &[u8]) {
    let Some((kind, input)) = input.split_first() else {
        return;
    };
    let keys = keys();
    let open = |headers: &HeaderMap, body: &[u8]| {
        open_notification(headers, body, &keys.trusted, &keys.api_v3, NOW_S)
    };
    let sign = |body: &[u8]| {
        keys.platform
            .sign_headers(&Stamp::new(NOW_S, [1; 16]), body)
            .expect("an accepted key signs")
    };
    match kind % 4 {
        0 | 1 => {
            let mut parts = input.split(|byte| *byte == b'\n');
            let mut headers = HeaderMap::new();
            for (name, value) in HEADERS.iter().zip(parts.by_ref()) {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    headers.append(*name, value);
                }
            }
            let body = parts.next().unwrap_or_default();
            assert!(open(&headers, body).is_err(), "a forgery passed");
        }
        2 => {
            let _ = open(&sign(input), input);
        }
        _ => {
            let refund = kind & 4 != 0;
            let draft = NotificationDraft {
                id: "EV-1".into(),
                create_time: "2018-06-08T02:34:56Z".parse().expect("a moment"),
                event_type: if refund {
                    "REFUND.SUCCESS"
                } else {
                    "TRANSACTION.SUCCESS"
                }
                .into(),
                summary: String::new(),
                original_type: if refund { "refund" } else { "transaction" }.into(),
                plaintext: input.to_vec(),
            };
            let body = draft.seal(&keys.api_v3, "abcdefghijkl").expect("it seals");
            let _ = open(&sign(&body), &body);
        }
    }
}

/// The first byte chooses the packing, the second where a file is cut: the size of
/// the pieces makes no difference.
pub(crate) fn bill(input: &[u8]) {
    let [kind, cut, file @ ..] = input else {
        return;
    };
    let packing = if kind % 4 == 0 {
        Packing::Gzip
    } else {
        Packing::Plain
    };
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, file);
    let ticket = BillTicket {
        hash_type: "SHA1".into(),
        hash_value: lower_hex(hash.as_ref()),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a".into(),
    };
    let whole = read_bill(file, packing, &ticket);
    if let Ok(bill) = &whole {
        for row in &bill.rows {
            let _ = TradeBillRow::read(row);
            let _ = FundFlowRow::read(row);
            assert!(row.cells().all(|(name, cell)| row.get(name) == Some(cell)));
        }
        let _ = TradeBillSummary::read(&bill.summary);
        let _ = FundFlowSummary::read(&bill.summary);
    }
    let at = usize::from(*cut).min(file.len());
    let mut reader = BillReader::new(packing, &ticket).expect("a good ticket");
    let pieces = (|| {
        let mut rows = reader.push(&file[..at])?;
        rows.extend(reader.push(&file[at..])?);
        let (rest, summary) = reader.finish()?;
        rows.extend(rest);
        // The whole file is refused for one line; the pieces give each line with its error.
        for row in rows.iter().chain([&summary]) {
            row.check()?;
        }
        Ok::<_, wechat_pay::bill::BillError>((rows, summary))
    })();
    // A whole file is authenticated before it is read, so the errors may differ.
    match (whole, pieces) {
        (Ok(bill), Ok((rows, summary))) => assert_eq!((bill.rows, bill.summary), (rows, summary)),
        (whole, pieces) => assert_eq!(whole.is_ok(), pieces.is_ok()),
    }
}

/// Any file as each kind of key file.
pub(crate) fn pem(input: &[u8]) {
    if let Ok(key) = SigningKey::from_pem(input) {
        let signature = key.sign(b"x").expect("an accepted key signs");
        let public = key.public_key().expect("an accepted key has a public key");
        assert!(public.verifies(b"x", &signature));
    }
    if let Ok(key) = PublicKey::from_pem(input) {
        assert!(!key.verifies(b"x", ""));
    }
    let serial = certificate_serial(input);
    if let Ok((read, _)) = PublicKey::from_certificate_pem(input) {
        assert_eq!(serial, Ok(read));
    }
    let _ = TrustedKeys::new().add_certificate_pem(input);
}

/// Any bytes as a refund notification of version 2.
pub(crate) fn refund_notification_v2(input: &[u8]) {
    let read = v2::open_refund_notification(input, &keys().api_v2);
    assert!(read.is_err() || v2::is_xml(input));
}

const KINDS: [SignType; 2] = [SignType::Md5, SignType::HmacSha256];

/// Any bytes as an answer of version 2, and the same fields with a valid signature as every type.
pub(crate) fn answer_v2(input: &[u8]) {
    let key = &keys().api_v2;
    let answer = |body: Vec<u8>| Answer {
        status: StatusCode::OK,
        body: body.into(),
    };
    let raw = answer(input.to_vec());
    let accepted = KINDS.map(|kind| raw.verify(key, kind).is_ok());
    assert!(accepted != [true, true], "both kinds of signature passed");
    let Some((fields, body)) = signed_v2(input) else {
        assert_eq!(accepted, [false, false]);
        return;
    };
    let signed = answer(body);
    if let Ok(read) = signed.parse::<Transaction>(key, SignType::Md5) {
        assert_eq!(read.total(), amount(&fields, "total_fee"));
        assert_eq!(Some(&*read.out_trade_no), fields.get("out_trade_no"));
        let written = v2::transaction_fields(&read, true);
        assert_eq!(amount(&written, "total_fee"), read.total());
    }
    if let Ok(read) = signed.parse::<Refunds>(key, SignType::Md5) {
        for (place, record) in read.refunds.iter().enumerate() {
            let refund = amount(&fields, &format!("refund_fee_{place}"));
            assert_eq!(Some(record.refund.amount.refund), refund);
        }
    }
    if let Ok(read) = signed.parse::<Refund>(key, SignType::Md5) {
        assert_eq!(Some(read.amount.refund), amount(&fields, "refund_fee"));
    }
    let _ = signed.parse::<JsapiOrdered>(key, SignType::Md5);
    let _ = signed.parse::<NativeOrdered>(key, SignType::Md5);
    let _ = signed.parse::<NativePrepared>(key, SignType::Md5);
    let _ = signed.parse::<H5Ordered>(key, SignType::Md5);
    let _ = signed.parse::<Reversed>(key, SignType::Md5);
    let _ = signed.parse::<Closed>(key, SignType::Md5);
    let _ = signed.parse::<ShortUrl>(key, SignType::Md5);
    let _ = signed.parse::<CodeOwner>(key, SignType::Md5);
}

/// Any bytes as the notification of a payment of version 2, unsigned and signed.
pub(crate) fn payment_notification_v2(input: &[u8]) {
    let key = &keys().api_v2;
    let opened = KINDS.map(|kind| v2::open_payment_notification(input, key, kind).is_ok());
    assert!(opened != [true, true], "both kinds of signature passed");
    let Some((fields, body)) = signed_v2(input) else {
        assert_eq!(opened, [false, false]);
        return;
    };
    if let Ok(paid) = v2::open_payment_notification(&body, key, SignType::Md5) {
        assert!(paid.total().is_some() && paid.total() == amount(&fields, "total_fee"));
        assert_eq!(paid.transaction_id.as_deref(), fields.get("transaction_id"));
    }
    assert!(v2::open_payment_notification(&body, key, SignType::HmacSha256).is_err());
}

/// The first byte chooses: the link of Native mode 1, its callback, or the answer to that.
pub(crate) fn native_v2(input: &[u8]) {
    let Some((kind, input)) = input.split_first() else {
        return;
    };
    let key = &keys().api_v2;
    match kind % 3 {
        0 => {
            let Some(link) = std::str::from_utf8(input)
                .ok()
                .and_then(v2::read_native_link)
            else {
                return;
            };
            assert!(link.claimed("sign").is_some() && link.claimed("mch_id").is_some());
            let _ = link.verify(key);
        }
        1 => {
            let _ = NativeCallback::open(input, key, SignType::Md5);
            let Some((_, body)) = signed_v2(input) else {
                return;
            };
            if let Ok(read) = NativeCallback::open(&body, key, SignType::Md5) {
                let again = read.message(key, SignType::Md5, &stamp());
                let known = NativeCallback::open(&again, key, SignType::Md5);
                assert_eq!(known, Ok(read));
            }
        }
        _ => {
            let _ = NativeAnswer::open(input, key, SignType::Md5);
            if let Some((_, body)) = signed_v2(input) {
                let _ = NativeAnswer::open(&body, key, SignType::Md5);
            }
        }
    }
}

/// Any bytes as a merchant's request of version 2, unsigned and signed, and as what a merchant
/// kept.
pub(crate) fn request_v2(input: &[u8]) {
    let key = &keys().api_v2;
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(code) = AuthCode::parse(text)
    {
        assert!(code.as_str().len() == 18);
    }
    let Ok(request) = UnverifiedRequest::read(input) else {
        return;
    };
    let _ = request.verify(key);
    if let Some((_, body)) = signed_v2(input) {
        let request = UnverifiedRequest::read(&body).expect("what is written is read");
        let _ = request.verify(key);
    }
    let kept = Request::replay(Route::UnifiedOrder, input).expect("it was read before");
    let again = Request::replay(Route::UnifiedOrder, &kept.kept());
    assert_eq!(again.as_ref(), Ok(&kept));
    for kind in KINDS {
        let sent = kept.sign(key, kind, &stamp());
        let received = UnverifiedRequest::read(&sent.body).expect("what is written is read");
        // A kept `sign_type` of another kind is the caller's mistake, and is refused.
        if kept.fields().get("sign_type").is_none() {
            let verified = received.verify(key).expect("what is signed verifies");
            assert_eq!(verified.sign_type, kind);
        }
    }
}

/// The first byte chooses where the answer to `downloadbill` is cut: the size of the pieces makes
/// no difference, and a refusal is never read as a bill.
pub(crate) fn bill_v2(input: &[u8]) {
    let Some((cut, file)) = input.split_first() else {
        return;
    };
    let read = |at: usize| {
        let mut reader = v2::bill_reader(file)?;
        let read = (|| {
            let mut rows = reader.push(&file[..at])?;
            rows.extend(reader.push(&file[at..])?);
            let (rest, summary) = reader.finish()?;
            rows.extend(rest);
            Ok::<_, wechat_pay::bill::BillError>((rows, summary))
        })();
        Some(read)
    };
    let whole = read(0);
    assert_eq!(whole.is_none(), v2::is_xml(file));
    match (&whole, read(usize::from(*cut).min(file.len()))) {
        // Of two faults, another one may come first.
        (Some(Err(_)), Some(Err(_))) => {}
        (whole, pieces) => assert_eq!(*whole, pieces),
    }
    if let Some(Ok((rows, summary))) = whole {
        for row in &rows {
            let _ = TradeBillRow::read(row);
        }
        let _ = TradeBillSummary::read(&summary);
    }
}

/// The fields of a message, and the message with a valid signature of them.
fn signed_v2(input: &[u8]) -> Option<(Fields, Vec<u8>)> {
    let mut fields = Fields::read(input).ok()?;
    assert_eq!(Fields::read(&fields.to_xml()).as_ref(), Ok(&fields));
    let signature = v2::sign(fields.iter(), &keys().api_v2, SignType::Md5);
    fields.set("sign", signature);
    let body = fields.to_xml().to_vec();
    Some((fields, body))
}

fn amount(fields: &Fields, name: &str) -> Option<Fen> {
    let fen = fields.get(name)?.parse().ok()?;
    Fen::new(fen).ok()
}

fn stamp() -> Stamp {
    Stamp::new(NOW_S, [1; 16])
}
