//! The keys that WeChat's messages are verified and decrypted with: its public key, its platform
//! certificates, and the APIv3 key.

use wechat_pay::{AeadError, CertificatesError, ReplyError, SignatureError};

use super::answer::{Answer, Blame, PORTAL, Probe, ask, blame, failure_of};
use super::{Check, LiveCheckError, Proof, Verdict};
use crate::config::Config;
use crate::wechat::{CallError, RefreshError, Refreshed};

/// WeChat Pay's public key and its id, if they are configured: the call has named the id.
pub(super) fn public_key(config: &Config, asked: &Probe) -> Vec<Proof> {
    let Some(id) = &config.merchant.reply_key else {
        return Vec::new();
    };
    let signed_by = asked.signed_by().unwrap_or("no key");
    let is_this = signed_by == id;
    let (of_id, of_file) = match &asked.answer {
        _ if blame(asked) == Some(Blame::PublicKeyId) => (
            (
                Verdict::Wrong,
                format!(
                    "WeChat does not know it for this merchant: {}",
                    failure_of(asked)
                ),
            ),
            (Verdict::NotProved, "WeChat refused its id first".to_owned()),
        ),
        Answer::Signed(_) if is_this => (
            (Verdict::Proved, "WeChat signed under this id".to_owned()),
            (Verdict::Proved, "WeChat's signature fits it".to_owned()),
        ),
        Answer::Signed(_) => {
            let text = format!("WeChat was asked to sign with it, and signed with {signed_by}");
            (
                (Verdict::NotProved, text.clone()),
                (Verdict::NotProved, text),
            )
        }
        Answer::Failed(CallError::Reply(ReplyError::Signature(SignatureError::Mismatch)))
            if is_this =>
        {
            (
                (
                    Verdict::NotProved,
                    "the signature under it does not fit the file".to_owned(),
                ),
                (
                    Verdict::Wrong,
                    format!("it is not the key of this id: download pub_key.pem again, {PORTAL}"),
                ),
            )
        }
        Answer::Failed(error) => (
            (Verdict::NotProved, error.to_string()),
            (Verdict::NotProved, error.to_string()),
        ),
    };
    vec![
        Proof::new(format!("merchant.public_key_id {id}"), of_id.0, of_id.1),
        Proof::new("merchant.public_key_file", of_file.0, of_file.1),
    ]
}

/// Platform certificates that the configuration names: WeChat signs with the newest of them where
/// the call names no key.
pub(super) async fn platform_certificates(
    check: &Check<'_>,
    working: &Config,
) -> Result<Vec<Proof>, LiveCheckError> {
    let keys = &working.merchant.trusted_keys;
    let public_key = working.merchant.reply_key.as_deref();
    let serials: Vec<_> = keys
        .serials()
        .filter(|serial| Some(*serial) != public_key)
        .collect();
    if serials.is_empty() {
        return Ok(Vec::new());
    }
    let mut unnamed = working.clone();
    unnamed.merchant.reply_key = None;
    let asked = ask(check, &unnamed).await?;
    let signed_by = asked.signed_by().unwrap_or("no key");
    let judge = |serial: &str| {
        let is_this = signed_by == serial;
        if keys
            .expires_s(serial)
            .is_some_and(|end_s| end_s < check.now_s())
        {
            return (
                Verdict::Wrong,
                "its time is over: name a newer one, or leave it to download_certificates"
                    .to_owned(),
            );
        }
        match &asked.answer {
            Answer::Signed(_) if is_this => (Verdict::Proved, "WeChat signed with it".to_owned()),
            Answer::Signed(_) => (
                Verdict::NotProved,
                format!("WeChat signs with {signed_by} now"),
            ),
            Answer::Failed(CallError::Reply(ReplyError::Signature(SignatureError::Mismatch)))
                if is_this =>
            {
                (
                    Verdict::Wrong,
                    "WeChat's signature does not fit it".to_owned(),
                )
            }
            Answer::Failed(error) => (Verdict::NotProved, error.to_string()),
        }
    };
    let proofs = serials.into_iter().map(|serial| {
        let (verdict, text) = judge(serial);
        let subject = format!("merchant.platform_certificate_files, serial {serial}");
        Proof::new(subject, verdict, text)
    });
    Ok(proofs.collect())
}

/// WeChat's certificates are encrypted with the APIv3 key: decrypting one proves the key.
pub(super) async fn api_v3_key(check: &Check<'_>, working: &Config) -> Vec<Proof> {
    const SUBJECT: &str = "merchant.api_v3_key";
    let proof = |verdict, text: String| Proof::new(SUBJECT, verdict, text);
    let client = check.client(working);
    let first = match client.refresh_trust().await {
        Ok(Refreshed::Taken) => proof(
            Verdict::Proved,
            "WeChat's platform certificates open with it".to_owned(),
        ),
        Ok(Refreshed::PublicKeyOnly | Refreshed::TooSoon | Refreshed::NotNeeded) => {
            let text = "this merchant has no platform certificates that it would open, so only a notification shows it";
            let hint = match check.last_notification().await {
                Some(at) => format!(
                    "; the last notification opened at {at}: it is right if it has not changed since"
                ),
                None => "; none has opened in this database: pay one fen and look again".to_owned(),
            };
            proof(Verdict::NotProved, format!("{text}{hint}"))
        }
        Err(RefreshError::Certificates(CertificatesError::Opening {
            error: AeadError::Opening,
            ..
        })) => proof(
            Verdict::Wrong,
            format!(
                "WeChat's platform certificates do not open with it. The portal never shows it again: look where it was kept, or set a new one, {PORTAL}"
            ),
        ),
        Err(RefreshError::Certificates(CertificatesError::Reply(error)))
            if error
                .wechat()
                .is_some_and(|error| error.message.contains("未设置APIv3密钥")) =>
        {
            proof(Verdict::Wrong, format!("no APIv3 key is set: {PORTAL}"))
        }
        Err(error) => {
            let is_about_issuer = matches!(
                error,
                RefreshError::Certificates(CertificatesError::Issuer { .. })
            );
            let verdict = if is_about_issuer {
                Verdict::Proved
            } else {
                Verdict::NotProved
            };
            let opened = proof(
                verdict,
                if is_about_issuer {
                    "WeChat's platform certificates open with it".to_owned()
                } else {
                    error.to_string()
                },
            );
            if !is_about_issuer {
                return vec![opened];
            }
            let issuer = Proof::new(
                "merchant.platform_issuer_files",
                Verdict::Wrong,
                error.to_string(),
            );
            return vec![opened, issuer];
        }
    };
    vec![first]
}
