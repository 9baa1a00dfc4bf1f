//! What a plan holds, in one line for readers: how many orders of each kind.

use std::collections::BTreeMap;
use std::fmt;

use crate::plan::sharing::ShareAction;
use crate::plan::{Mode, Outcome, Plan, Product, Story};

/// How many of each kind a plan has.
pub(crate) struct Mix(BTreeMap<&'static str, usize>);

impl Mix {
    /// Counts the plan's orders, refunds, shares and certificates by kind.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut counts = BTreeMap::new();
        let mut count = |word| *counts.entry(word).or_default() += 1;
        for order in &plan.orders {
            match order.mode {
                Mode::Direct => {}
                Mode::Partner => count("for a sub-merchant"),
                Mode::Older => count("by version 2"),
            }
            count(word_of(order.story));
            for refund in &order.refunds {
                count(match (refund.in_portal, refund.outcome) {
                    (true, _) => "refunds in the portal",
                    (false, Outcome::Success) => "refunds",
                    (false, Outcome::Closed) => "refunds closed",
                    (false, Outcome::Abnormal(None)) => "refunds abnormal",
                    (false, Outcome::Abnormal(Some(_))) => "refunds abnormal and sent on",
                });
            }
            if let Some(sharing) = &order.sharing {
                count("made for sharing");
                for step in &sharing.steps {
                    count(match step.action {
                        ShareAction::Share { .. } => "shares",
                        ShareAction::Return(_) => "returns of shares",
                        ShareAction::Unfreeze => "releases",
                    });
                }
            }
        }
        counts.insert("new certificates", plan.rotations.len() + 1);
        Self(counts)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("planned: ")?;
        for (place, (word, times)) in self.0.iter().enumerate() {
            let joint = if place == 0 { "" } else { ", " };
            write!(f, "{joint}{word} {times}")?;
        }
        Ok(())
    }
}

fn word_of(story: Story) -> &'static str {
    match story {
        Story::Pays(product) | Story::PaysAtSecondTry(product) | Story::StartsOver(product) => {
            match product {
                Product::Native => "native",
                Product::H5 => "h5",
                Product::Jsapi => "jsapi",
                Product::MiniProgram => "mini-program",
                Product::App => "app",
            }
        }
        Story::Moves { .. } => "moves to another device",
        Story::TwoDevices => "two devices at once",
        Story::PaysTwice => "paid twice",
        Story::PaysLate => "paid late",
        Story::NeverPays => "never paid",
        Story::ShopCloses { .. } => "closed by the shop",
        Story::AtTheTill(_) => "at the till",
    }
}
