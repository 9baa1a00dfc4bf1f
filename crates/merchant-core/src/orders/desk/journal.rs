//! The journal: each action at the desk, with the name of the key that did it. An action is written
//! down before it begins, so that one whose process ends in the middle is in the journal too.

use crate::ledger::{DeskAction, NewDeskAction, cut};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// What a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Signed in.
    SignIn,
    /// Signed out.
    SignOut,
    /// Refunded an order.
    Refund,
    /// Sent an abnormal refund another way.
    Settle,
    /// Sent a webhook again.
    Resend,
    /// Marked a mismatch as done.
    Done,
    /// Disabled a payment link.
    DisableLink,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::SignIn,
        Self::SignOut,
        Self::Refund,
        Self::Settle,
        Self::Resend,
        Self::Done,
        Self::DisableLink,
    ];

    /// The action's name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Refund => "refund",
            Self::Settle => "settle",
            Self::Resend => "resend",
            Self::Done => "done",
            Self::DisableLink => "disable_link",
        }
    }

    /// The action with this name; `None` for a name that this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A line of the journal.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// The name of the key.
    pub key_name: String,
    /// The action's name.
    pub action: String,
    /// The order that it was about.
    pub order_no: Option<String>,
    /// The refund, message, mismatch or payment link that it was about.
    pub subject: Option<String>,
    /// `done`, `repeated`, or the code of the refusal; `None`: not known.
    pub outcome: Option<String>,
}

/// A page of the journal.
#[derive(Clone, Debug)]
pub struct JournalPage {
    /// Newest first.
    pub entries: Vec<JournalEntry>,
    /// The value of `before` for the next page.
    pub next_before: Option<i64>,
}

/// An action that begins.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    /// The name of the key.
    pub key_name: &'a str,
    /// The action.
    pub action: Action,
    /// The order that it is about.
    pub order_no: Option<&'a str>,
    /// The refund, message, mismatch or payment link that it is about.
    pub subject: Option<&'a str>,
}

/// Runs an action between its two entries in the journal. The action says whether it had an effect;
/// `false`: it was a repetition.
pub async fn note<T>(
    payments: &Payments,
    note: Note<'_>,
    action: impl Future<Output = Result<(T, bool), Refusal>>,
) -> Result<(T, bool), Refusal> {
    let new = NewDeskAction {
        at_ms: payments.clock.now_ms(),
        key_name: note.key_name,
        action: note.action.as_str(),
        order_no: note.order_no,
        subject: note.subject,
        outcome: None,
    };
    let id = payments.ledger.note_desk_action(&new).await?;
    let done = action.await;
    let outcome = match &done {
        Ok((_, true)) => "done",
        Ok((_, false)) => "repeated",
        Err(refusal) => refusal.code().as_str(),
    };
    tracing::info!(
        event = "desk.action",
        api_key = note.key_name,
        action = note.action.as_str(),
        order_no = note.order_no,
        outcome,
        "somebody acted at the desk"
    );
    // The action has happened: a journal that cannot be written now says that its outcome is not known.
    if let Err(error) = payments.ledger.note_desk_outcome(id, outcome).await {
        tracing::error!(event = "desk.outcome_lost", %error, id, outcome, "the journal has no outcome of an action");
    }
    done
}

/// The journal, newest first. `before` is the `next_before` of the page before.
pub async fn journal(
    payments: &Payments,
    before: Option<i64>,
    limit: u32,
) -> Result<JournalPage, Refusal> {
    let mut actions = payments.ledger.desk_actions(before, limit + 1).await?;
    Ok(JournalPage {
        next_before: cut(&mut actions, limit).map(|action| action.id),
        entries: actions.into_iter().map(entry).collect(),
    })
}

pub(super) fn entry(action: DeskAction) -> JournalEntry {
    JournalEntry {
        at_ms: action.at_ms,
        key_name: action.key_name,
        action: action.action,
        order_no: action.order_no,
        subject: action.subject,
        outcome: action.outcome,
    }
}
