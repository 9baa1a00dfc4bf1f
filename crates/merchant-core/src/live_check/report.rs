//! What a live check reports: one line for each secret, id and address. No secret is in it.

use wechat_pay::InvalidField;

use crate::surroundings::NoRandomness;

/// The result for one secret or id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// WeChat's answer shows that the value is right.
    Proved,
    /// The answer proves neither that the value is right nor that it is wrong.
    NotProved,
    /// WeChat's answer shows that the value is wrong.
    Wrong,
}

impl Verdict {
    /// The words at the beginning of a line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::NotProved => "not proved",
            Self::Wrong => "wrong",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The field of the configuration, and its value unless it is secret.
    pub subject: String,
    /// The result.
    pub verdict: Verdict,
    /// The reason, and what to do. It holds no secret.
    pub explanation: String,
}

impl Proof {
    pub(super) fn new(
        subject: impl Into<String>,
        verdict: Verdict,
        explanation: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            explanation: explanation.into(),
        }
    }
}

/// The report of the check.
#[derive(Clone, Debug)]
pub struct LiveReport {
    /// One entry for each secret, id and address.
    pub proofs: Vec<Proof>,
    /// Whether WeChat signed an answer. Without one, almost nothing is proved.
    pub has_signed_answer: bool,
}

impl LiveReport {
    /// Whether something is wrong, or WeChat gave no signed answer.
    pub fn has_failed(&self) -> bool {
        !self.has_signed_answer || self.count(Verdict::Wrong) > 0
    }

    /// How many lines have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let proofs = self.proofs.iter();
        proofs.filter(|proof| proof.verdict == verdict).count()
    }
}

/// Why the check could not run. WeChat's objections to the configuration are in the report.
#[derive(Debug, thiserror::Error)]
pub enum LiveCheckError {
    /// The random number for the query could not be drawn.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A request breaks a rule of WeChat.
    #[error("the request cannot be made: {0}")]
    Field(#[from] InvalidField),
}

/// Whether the check may leave a trace at WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderCheck {
    /// No order is made.
    Skip,
    /// An order of one fen is made for each appid, and closed at once: it shows that the appid
    /// belongs to the merchant number.
    PlaceAndClose,
}
