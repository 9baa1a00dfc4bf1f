//! What a live check reports: one line for each secret, id and address. No secret is in it.

use wechat_pay::InvalidField;

use crate::surroundings::NoRandomness;

/// What was found out about one secret or id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// WeChat's answer shows that the value is right.
    Proved,
    /// Nothing was shown, neither way.
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
    /// The field of the configuration, and its value where it is no secret.
    pub subject: String,
    /// What was found out.
    pub verdict: Verdict,
    /// Why, and what to do. Holds no secret.
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

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub struct LiveReport {
    /// One entry for each secret, id and address.
    pub proofs: Vec<Proof>,
    /// Whether WeChat signed an answer. Without one, next to nothing was shown.
    pub has_signed_answer: bool,
}

impl LiveReport {
    /// Whether something is wrong, or WeChat gave no answer that can be believed.
    pub fn has_failed(&self) -> bool {
        !self.has_signed_answer || self.count(Verdict::Wrong) > 0
    }

    /// How many lines have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let proofs = self.proofs.iter();
        proofs.filter(|proof| proof.verdict == verdict).count()
    }
}

/// Why the check could not be made. What WeChat says against the configuration is in the report.
#[derive(Debug, thiserror::Error)]
pub enum LiveCheckError {
    /// There is no number to ask about without random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A request breaks a rule of WeChat's.
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
