//! The payment gateway: the clock, the merchant number, certificates and private keys.
//!
//! WeChat is queried about an order that cannot exist. It signs its answer only if the call's own
//! signature is valid, so a signed "no such order" proves both sides.

use super::answer::{Answer, Blame, PORTAL, Probe, ask, ask_for, blame, failure_of};
use super::{Check, LiveCheckError, Proof, Verdict, wechat_keys};
use crate::config::{Config, MerchantCertificate};

/// The difference of the clocks that is reported, in seconds. From 300 s on WeChat refuses calls.
const NOTEWORTHY_S: u64 = 30;
/// The result of the gateway's checks.
pub(super) struct GatewayProofs {
    pub(super) proofs: Vec<Proof>,
    pub(super) has_signed_answer: bool,
    /// The configuration with the merchant key that WeChat accepts, or with the first one.
    pub(super) working: Config,
}

pub(super) async fn prove(check: &Check<'_>) -> Result<GatewayProofs, LiveCheckError> {
    let config = check.config;
    let mut asked = Vec::new();
    for certificate in config.merchant.certificates() {
        let alone = with_one_key(config, certificate);
        asked.push((certificate, ask(check, &alone).await?));
    }
    let signed = asked.iter().find(|(_, asked)| asked.is_signed());
    // There is always a first key.
    let Some((certificate, best)) = signed.or_else(|| asked.first()) else {
        return Ok(GatewayProofs {
            proofs: Vec::new(),
            has_signed_answer: false,
            working: config.clone(),
        });
    };
    let working = with_one_key(config, certificate);
    let mut proofs = vec![clock(best), merchant_number(config, best)];
    for (place, (certificate, asked)) in asked.iter().enumerate() {
        proofs.extend(own_key(place, certificate, asked));
    }
    proofs.extend(wechat_keys::public_key(config, best));
    proofs.extend(wechat_keys::platform_certificates(check, &working).await?);
    proofs.extend(sub_merchants(check, &working).await?);
    proofs.extend(wechat_keys::api_v3_key(check, &working).await);
    Ok(GatewayProofs {
        proofs,
        has_signed_answer: best.is_signed(),
        working,
    })
}

fn with_one_key(config: &Config, certificate: &MerchantCertificate) -> Config {
    let mut config = config.clone();
    config.merchant.key = certificate.key.clone();
    config.merchant.certificate = certificate.clone();
    config.merchant.other_certificates.clear();
    config
}

fn clock(asked: &Probe) -> Proof {
    const SUBJECT: &str = "this machine's clock";
    let seen = asked.seen.as_ref();
    let measured = seen.and_then(|seen| {
        let signed = seen
            .signed_s
            .map(|s| (s, "the timestamp of WeChat's answer"));
        let dated = seen.date_s.map(|s| (s, "the Date of WeChat's answer"));
        let (theirs_s, source) = signed.or(dated)?;
        Some((seen.received_s - theirs_s, source))
    });
    let Some((ahead_s, source)) = measured else {
        let verdict = match blame(asked) {
            Some(Blame::Clock) => Verdict::Wrong,
            _ => Verdict::NotProved,
        };
        let text = match verdict {
            Verdict::Wrong => "WeChat says that it is off by more than five minutes: set it by NTP",
            _ => "no answer of WeChat's with a time came",
        };
        return Proof::new(SUBJECT, verdict, text);
    };
    let off = match ahead_s {
        0 => "agrees to the second".to_owned(),
        1.. => format!("is {ahead_s} s ahead"),
        _ => format!("is {} s behind", -ahead_s),
    };
    let (verdict, advice) = match ahead_s.unsigned_abs() {
        wechat_pay::MAX_CLOCK_DIFFERENCE_S.. => (
            Verdict::Wrong,
            "; from 300 s on WeChat refuses calls: set it by NTP",
        ),
        NOTEWORTHY_S.. => (
            Verdict::Proved,
            "; from 300 s on WeChat refuses calls: look at NTP",
        ),
        _ => (Verdict::Proved, ""),
    };
    Proof::new(SUBJECT, verdict, format!("{off}, by {source}{advice}"))
}

fn merchant_number(config: &Config, asked: &Probe) -> Proof {
    let mchid = config.merchant.key.mchid();
    let subject = format!("merchant.mchid {mchid}");
    match (&asked.answer, blame(asked)) {
        (_, Some(Blame::MerchantNumber)) => Proof::new(
            subject,
            Verdict::Wrong,
            format!("WeChat says: {}", failure_of(asked)),
        ),
        (Answer::Signed(None), _) => Proof::new(
            subject,
            Verdict::Proved,
            "WeChat signed an answer to a call of this merchant number",
        ),
        (Answer::Signed(Some(refusal)), _) => Proof::new(
            subject,
            Verdict::Proved,
            format!(
                "WeChat signed an answer to a call of this merchant number, and refused: {refusal}"
            ),
        ),
        (Answer::Failed(error), _) => Proof::new(subject, Verdict::NotProved, error.to_string()),
    }
}

/// The serial number and the private key of one of our certificates.
fn own_key(place: usize, certificate: &MerchantCertificate, asked: &Probe) -> [Proof; 2] {
    let table = match place {
        0 => "merchant".to_owned(),
        _ => format!("merchant.other_keys[{}]", place - 1),
    };
    let serial_no = certificate.key.serial_no();
    let (serial, key) = match (&asked.answer, blame(asked)) {
        (Answer::Signed(_), _) => (
            (Verdict::Proved, "WeChat knows it for this merchant number".to_owned()),
            (Verdict::Proved, "WeChat took a signature of this key".to_owned()),
        ),
        (_, Some(Blame::SerialNumber)) => (
            (
                Verdict::Wrong,
                format!(
                    "WeChat does not know it for mchid {}: compare both numbers with {PORTAL}",
                    certificate.key.mchid()
                ),
            ),
            (Verdict::NotProved, "WeChat refused the serial number first".to_owned()),
        ),
        (_, Some(Blame::Certificate)) => (
            (
                Verdict::Wrong,
                format!("{}; apply for a new certificate: {PORTAL}", failure_of(asked)),
            ),
            (Verdict::NotProved, "WeChat refused its certificate first".to_owned()),
        ),
        (_, Some(Blame::PrivateKey)) => (
            (Verdict::NotProved, "WeChat refused the signature".to_owned()),
            (
                Verdict::Wrong,
                "WeChat knows the serial number, and the signature is not of its key: name the apiclient_key.pem that came with this certificate".to_owned(),
            ),
        ),
        _ => (
            (Verdict::NotProved, failure_of(asked)),
            (Verdict::NotProved, failure_of(asked)),
        ),
    };
    [
        Proof::new(format!("{table}.serial_no {serial_no}"), serial.0, serial.1),
        Proof::new(format!("{table}.private_key_file"), key.0, key.1),
    ]
}

/// A signed "no such order" says nothing about the sub-merchant: WeChat may look for the order
/// first. A refusal that names it does.
async fn sub_merchants(check: &Check<'_>, working: &Config) -> Result<Vec<Proof>, LiveCheckError> {
    let mut proofs = Vec::new();
    for sub in &working.merchant.sub_merchants {
        let asked = ask_for(check, working, Some(&sub.sub_mchid)).await?;
        let (verdict, text) = match &asked.answer {
            Answer::Signed(Some(refusal)) if refusal.is_retryable() => {
                (Verdict::NotProved, refusal.to_string())
            }
            Answer::Signed(Some(refusal)) => (Verdict::Wrong, refusal.to_string()),
            Answer::Signed(None) => (
                Verdict::NotProved,
                "WeChat took a question about it, which an order of --place-order would confirm"
                    .to_owned(),
            ),
            Answer::Failed(error) => (Verdict::NotProved, error.to_string()),
        };
        let subject = format!("merchant.sub_merchants.sub_mchid {}", sub.sub_mchid);
        proofs.push(Proof::new(subject, verdict, text));
    }
    Ok(proofs)
}
