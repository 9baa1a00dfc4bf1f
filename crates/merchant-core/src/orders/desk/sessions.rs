//! Sessions of the desk. A session is a random token in a cookie; the ledger has its hash, so that a
//! session survives a restart and counts at every server of the database. It belongs to an API key, and
//! what it may do is what the configuration lets that key do now: a key that is removed, or that loses
//! its scopes, ends its sessions with the next page.
//!
//! A session belongs to no address: a phone changes it, and behind a proxy all have one.

use aws_lc_rs::digest::{SHA256, digest};
use wechat_pay::lower_hex;

use super::journal::Action;
use crate::config::{ApiKey, Scope, SecretHash};
use crate::ledger::{DeskSession, NewDeskAction};
use crate::payments::{Merchants, Payments};
use crate::refusal::Refusal;
use crate::surroundings::unguessable;

/// A session that was not used for so long has ended, in milliseconds.
const IDLE_MAX_MS: i64 = 30 * 60_000;
/// A session ends after this time, however much it is used, in milliseconds.
pub const SESSION_MAX_MS: i64 = 12 * 3_600_000;
/// The use of a session is written at most this often, in milliseconds.
const NOTED_EVERY_MS: i64 = 60_000;

/// A key that opens the desk of a merchant.
#[derive(Clone)]
pub struct DeskKey {
    /// The merchant, and no other one.
    pub payments: Payments,
    /// The key.
    pub key: ApiKey,
}

/// A session that has not ended.
#[derive(Clone)]
pub struct SignedIn {
    /// The merchant whose desk it is.
    pub payments: Payments,
    /// The key's name, for the journal.
    pub key_name: String,
    /// What the key may do now.
    pub scopes: Vec<Scope>,
    /// The hash of the token, which stands for the session.
    token_sha256: String,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No session has this token: it was signed out, forged, or is too old to be known.
    Unknown,
    /// It was not used for too long.
    Idle,
    /// It is too old.
    Old,
    /// The configuration has no such key any more, or the key may not look.
    Revoked,
}

/// Begins a session; returns its token.
pub async fn begin(opener: &DeskKey) -> Result<String, Refusal> {
    let DeskKey { payments, key } = opener;
    let (first, second) = (payments.randomness.bytes()?, payments.randomness.bytes()?);
    let token = format!("{}{}", unguessable(first), unguessable(second));
    let now_ms = payments.clock.now_ms();
    let sign_in = NewDeskAction {
        at_ms: now_ms,
        key_name: &key.name,
        action: Action::SignIn.as_str(),
        order_no: None,
        subject: None,
        outcome: Some("done"),
    };
    let forget_before_ms = now_ms.saturating_sub(SESSION_MAX_MS);
    payments
        .ledger
        .begin_desk_session(
            &hash(&token),
            &key.sha256.mark(),
            &sign_in,
            forget_before_ms,
        )
        .await?;
    tracing::info!(
        event = "desk.signed_in",
        api_key = key.name,
        "somebody is at the desk"
    );
    Ok(token)
}

/// The session of a token, as the present configuration sees it.
pub async fn find(merchants: &Merchants, token: &str) -> Result<Result<SignedIn, Ended>, Refusal> {
    let token_sha256 = hash(token);
    let first = merchants.first();
    let Some(session) = first.ledger.desk_session(&token_sha256).await? else {
        return Ok(Err(Ended::Unknown));
    };
    let now_ms = first.clock.now_ms();
    if let Some(ended) = has_ended(&session, now_ms) {
        return Ok(Err(ended));
    }
    let Some((payments, key)) = key_of(merchants, &session) else {
        return Ok(Err(Ended::Revoked));
    };
    // A time in the future means that the clock was set back.
    if !(0..NOTED_EVERY_MS).contains(&(now_ms - session.seen_ms)) {
        payments
            .ledger
            .note_desk_session(&token_sha256, now_ms)
            .await?;
    }
    Ok(Ok(SignedIn {
        payments: payments.clone(),
        key_name: key.name.clone(),
        scopes: key.scopes.clone(),
        token_sha256,
    }))
}

/// Ends a session at every server.
pub async fn end(session: &SignedIn) -> Result<(), Refusal> {
    let sign_out = NewDeskAction {
        at_ms: session.payments.clock.now_ms(),
        key_name: &session.key_name,
        action: Action::SignOut.as_str(),
        order_no: None,
        subject: None,
        outcome: Some("done"),
    };
    session
        .payments
        .ledger
        .end_desk_session(&session.token_sha256, &sign_out)
        .await?;
    Ok(())
}

/// The text that a form of this session has to send back. Another site cannot know it, and a form of
/// an earlier session has another one.
pub fn form_token(session: &SignedIn) -> String {
    hash(&format!("form of {}", session.token_sha256))
}

fn has_ended(session: &DeskSession, now_ms: i64) -> Option<Ended> {
    if now_ms - session.begun_ms >= SESSION_MAX_MS {
        Some(Ended::Old)
    } else if now_ms - session.seen_ms >= IDLE_MAX_MS {
        Some(Ended::Idle)
    } else {
        None
    }
}

/// The key that signed in, if its merchant still has it and it still opens the desk.
fn key_of<'a>(
    merchants: &'a Merchants,
    session: &DeskSession,
) -> Option<(&'a Payments, &'a ApiKey)> {
    let payments = merchants.of_mchid(&session.mchid)?;
    let key = payments
        .config
        .api_keys
        .iter()
        .find(|key| key.sha256.mark() == session.key_mark)?;
    key.opens_desk().then_some((payments, key))
}

impl Merchants {
    /// The key with this text, whatever it may do, and its merchant. It is compared with every key,
    /// also after a match.
    pub fn desk_key(&self, text: &str) -> Option<DeskKey> {
        let given = SecretHash::of(text);
        let mut found = None;
        for payments in self.each() {
            for key in &payments.config.api_keys {
                if key.sha256.is(&given) {
                    found = Some(DeskKey {
                        payments: payments.clone(),
                        key: key.clone(),
                    });
                }
            }
        }
        found
    }

    /// Whether some key opens the desk.
    pub fn have_desk(&self) -> bool {
        let mut keys = self.each().flat_map(|payments| &payments.config.api_keys);
        keys.any(ApiKey::opens_desk)
    }
}

fn hash(text: &str) -> String {
    lower_hex(digest(&SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself_and_a_clock_that_was_set_back_ends_none() {
        let session = DeskSession {
            mchid: "1900000109".to_owned(),
            key_mark: String::new(),
            begun_ms: 1_000,
            seen_ms: SESSION_MAX_MS - 1_000,
        };
        let table = [
            (0, None),
            (SESSION_MAX_MS, None),
            (SESSION_MAX_MS + 999, None),
            (SESSION_MAX_MS + 1_000, Some(Ended::Old)),
        ];
        for (now_ms, expected) in table {
            assert_eq!(has_ended(&session, now_ms), expected, "{now_ms}");
        }
        let idle = DeskSession {
            seen_ms: 1_000,
            ..session
        };
        assert_eq!(has_ended(&idle, IDLE_MAX_MS + 999), None);
        assert_eq!(has_ended(&idle, IDLE_MAX_MS + 1_000), Some(Ended::Idle));
    }
}
