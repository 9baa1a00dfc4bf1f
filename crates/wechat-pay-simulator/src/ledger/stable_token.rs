//! Stable tokens of mini-programs.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock::after;

/// How long a token is valid.
pub(crate) const TOKEN_LIFETIME_S: i64 = 7200;
/// In its last seconds a token is followed by a new one, and both are valid.
const TOKEN_OVERLAP_S: i64 = 5 * 60;

/// The tokens, by appid: the newest is the last one. They are lost with the process, as tokens may be.
#[derive(Debug, Default)]
pub(crate) struct StableTokens(BTreeMap<String, Vec<StableToken>>);

#[derive(Debug)]
struct StableToken {
    text: String,
    until: Timestamp,
}

impl StableTokens {
    /// The valid token and its remaining seconds; `new` if there is none, if it ends soon, or by force,
    /// which makes every other one void.
    pub(crate) fn give(
        &mut self,
        appid: &str,
        new: String,
        is_forced: bool,
        now: Timestamp,
    ) -> (String, i64) {
        let tokens = self.0.entry(appid.to_owned()).or_default();
        tokens.retain(|token| now < token.until);
        if is_forced {
            tokens.clear();
        }
        let is_renewed = tokens
            .last()
            .is_none_or(|token| now >= after(token.until, -TOKEN_OVERLAP_S));
        if is_renewed {
            tokens.push(StableToken {
                text: new.clone(),
                until: after(now, TOKEN_LIFETIME_S),
            });
        }
        let left = |token: &StableToken| token.until.as_second() - now.as_second();
        tokens.last().map_or((new, TOKEN_LIFETIME_S), |token| {
            (token.text.clone(), left(token))
        })
    }

    /// The application of a valid token.
    pub(crate) fn appid_of(&self, text: &str, now: Timestamp) -> Option<String> {
        let mut all = self.0.iter();
        let has_it = |tokens: &Vec<StableToken>| {
            tokens
                .iter()
                .any(|token| token.text == text && now < token.until)
        };
        all.find(|(_, tokens)| has_it(tokens))
            .map(|(appid, _)| appid.clone())
    }
}
