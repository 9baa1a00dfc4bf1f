//! The payment gateway: the clock, the merchant number, certificates and private keys.
//!
//! WeChat is asked about an order that cannot exist. It signs its answer only where the call's own
//! signature held, so a signed "there is no such order" shows both sides at once.

use wechat_pay::{Account, Operation, ReplyError, WechatError};

use super::recorder::Seen;
use super::{Check, LiveCheckError, Proof, Verdict, wechat_keys};
use crate::config::{Config, MerchantCertificate};
use crate::wechat::CallError;

/// A difference of the clocks that is worth a word, in seconds. At 300 WeChat refuses calls.
const NOTEWORTHY_S: u64 = 30;
pub(super) const PORTAL: &str = "账户中心 → API 安全 in the merchant portal";

/// What the gateway showed.
pub(super) struct GatewayProofs {
    pub(super) proofs: Vec<Proof>,
    pub(super) has_signed_answer: bool,
    /// The configuration with the one key of ours that WeChat takes, or with the first one.
    pub(super) working: Config,
}

/// What came of a question.
pub(super) enum Answer {
    /// WeChat signed: it knows merchant number, serial and key. What it refused with, if not that
    /// there is no such order.
    Signed(Option<Box<WechatError>>),
    /// Nothing that can be believed.
    Failed(CallError),
}

pub(super) struct Asked {
    pub(super) answer: Answer,
    seen: Option<Seen>,
}

impl Asked {
    fn is_signed(&self) -> bool {
        matches!(self.answer, Answer::Signed(_))
    }

    /// WeChat's refusal, believed or not.
    fn refusal(&self) -> Option<&WechatError> {
        match &self.answer {
            Answer::Signed(refusal) => refusal.as_deref(),
            Answer::Failed(error) => error.wechat(),
        }
    }

    pub(super) fn signed_by(&self) -> Option<&str> {
        self.seen.as_ref()?.serial.as_deref()
    }
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

/// Asks about a random number; a service provider asks for its first sub-merchant.
pub(super) async fn ask(check: &Check<'_>, config: &Config) -> Result<Asked, LiveCheckError> {
    let sub = config.merchant.sub_merchants.first();
    ask_for(check, config, sub.map(|sub| &*sub.sub_mchid)).await
}

async fn ask_for(
    check: &Check<'_>,
    config: &Config,
    sub_mchid: Option<&str>,
) -> Result<Asked, LiveCheckError> {
    let number = check.random_number()?;
    let account = Account::new(config.merchant.key.mchid(), sub_mchid);
    let parts = wechat_pay::query_by_out_trade_no(&account, &number);
    let answered = check.client(config).send(Operation::Query, parts).await;
    let answer = match answered {
        Ok(_) => Answer::Signed(None),
        Err(CallError::Reply(ReplyError::Wechat(refusal))) if refusal.trusted => {
            Answer::Signed((refusal.code != "ORDER_NOT_EXIST").then_some(refusal))
        }
        Err(error) => Answer::Failed(error),
    };
    Ok(Asked {
        answer,
        seen: check.recorder.take(),
    })
}

/// What a refusal before WeChat signs anything is about, by WeChat's documented messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    Clock,
    MerchantNumber,
    SerialNumber,
    PrivateKey,
    Certificate,
    PublicKeyId,
}

pub(super) fn blame(asked: &Asked) -> Option<Blame> {
    let refusal = asked.refusal();
    let unbelieved = asked.seen.as_ref().and_then(|seen| seen.message.as_deref());
    let message = refusal.map(|said| &*said.message).or(unbelieved)?;
    let says = |words: &str| message.contains(words);
    if says("timestamp") {
        Some(Blame::Clock)
    } else if says("未申请过证书") || refusal.is_some_and(|said| said.code == "MCH_NOT_EXISTS")
    {
        Some(Blame::MerchantNumber)
    } else if says("序列号有误") {
        Some(Blame::SerialNumber)
    } else if says("证书已过期") || says("证书已作废") || says("已更换证书") {
        Some(Blame::Certificate)
    } else if says("Wechatpay-Serial") {
        Some(Blame::PublicKeyId)
    } else if says("签名错误") {
        Some(Blame::PrivateKey)
    } else {
        None
    }
}

pub(super) fn failure_of(asked: &Asked) -> String {
    match &asked.answer {
        Answer::Signed(None) => String::new(),
        Answer::Signed(Some(refusal)) => refusal.to_string(),
        Answer::Failed(error) => error.to_string(),
    }
}

fn clock(asked: &Asked) -> Proof {
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

fn merchant_number(config: &Config, asked: &Asked) -> Proof {
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
fn own_key(place: usize, certificate: &MerchantCertificate, asked: &Asked) -> [Proof; 2] {
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
