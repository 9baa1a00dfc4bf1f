//! Signatures and verifications per second on one core, to compare with
//! `openssl speed rsa2048`. Run it in release: `cargo run --release -p wechat-pay --example
//! signature_rate`.
//!
//! It measures the work of a merchant's server: signing a whole request with its header, and
//! verifying a whole reply with its headers. The rates
//! are per second of processor time, as those of `openssl speed` are, so that a busy machine
//! does not change them; if the system does not report that time, the system clock counts.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use wechat_pay::{
    JsapiPayment, MerchantKey, PlatformKey, Reply, RequestParts, SigningKey, Stamp, TrustedKeys,
};

const NOW_S: i64 = 1_700_000_000;
const MEASURED: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pem = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?
        .serialize_pem();
    let key = SigningKey::from_pem(pem.as_bytes())?;
    let public = key.public_key()?;
    let merchant = MerchantKey::new("1900000001", "408B07E79B8269FEC3D5", key.clone())?;
    let platform = PlatformKey::new("PUB_KEY_ID_01", key.clone())?;
    let mut trusted = TrustedKeys::new();
    trusted.add("PUB_KEY_ID_01", public.clone())?;

    let stamp = Stamp::new(NOW_S, [7; 16]);
    let message = vec![b'a'; 500];
    let signature = key.sign(&message)?;
    let request = RequestParts {
        method: Method::POST,
        path_and_query: "/v3/pay/transactions/jsapi".into(),
        body: Bytes::from(message.clone()),
    };
    let body = Bytes::from_static(b"{\"prepay_id\":\"wx201410272009395522657a690389285100\"}");
    let reply = Reply {
        status: StatusCode::OK,
        headers: platform.sign_headers(&stamp, &body)?,
        body,
    };

    println!("RSA 2048, one thread, {} s each", MEASURED.as_secs());
    report("signatures", || key.sign(&message).is_ok());
    report("requests signed", || {
        request.clone().sign(&merchant, &stamp, None).is_ok()
    });
    report("cashier parameters signed", || {
        JsapiPayment::sign(&merchant, "wx1", "wx2014", &stamp).is_ok()
    });
    report("verifications", || public.verifies(&message, &signature));
    report("replies verified", || {
        reply.clone().verify(&trusted, NOW_S).is_ok()
    });
    Ok(())
}

fn report(what: &str, mut once: impl FnMut() -> bool) {
    let (started, cpu_before, mut count) = (Instant::now(), cpu_time(), 0_u64);
    while started.elapsed() < MEASURED {
        for _ in 0..50 {
            assert!(black_box(once()), "{what}: it must hold");
        }
        count += 50;
    }
    let spent = match (cpu_before, cpu_time()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => started.elapsed(),
    };
    let rate = u128::from(count) * 1_000_000 / spent.as_micros().max(1);
    println!("{rate:>9} /s  {what}");
}

/// The processor time of this thread, if the system reports it (Linux does).
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}
