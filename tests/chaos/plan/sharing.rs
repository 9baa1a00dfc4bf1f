//! The plan of an order's profit sharing (分账): who gets how much of the payment, what comes back, when the
//! rest is released, and the faults of WeChat's routes for it. It has random streams of its own, so that
//! the rest of a plan is the same with it and without it.

use fastrand::Rng;

use super::{Fault, everywhere, pick};

/// What the shop does with the payment of an order whose money is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SharingPlan {
    /// When it happens, if the order has refunds.
    pub(crate) turn: Turn,
    /// One after the other. Without any, the money stays held.
    pub(crate) steps: Vec<ShareStep>,
}

/// When the shop shares, by the order's refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Before,
    /// At the same time.
    Meanwhile,
    After,
}

/// One call of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShareStep {
    /// How long after the payment, or after the step before.
    pub(crate) after_s: u32,
    pub(crate) action: ShareAction,
    pub(crate) sending: Sending,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShareAction {
    /// Shares a part of what is left.
    Share {
        part: Part,
        to: Receivers,
        /// Whether what is left after it is released.
        unfreezes_rest: bool,
    },
    /// The merchant of the newest share before this step returns a part of what it got.
    Return(Part),
    /// Releases what is left.
    Unfreeze,
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A percentage of what is left or was got, at least one fen.
    Percent(u64),
    /// More than there can be; it must be refused.
    TooMuch,
}

/// Who gets a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receivers {
    Merchant,
    Person,
    Both,
}

/// How a call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    Once,
    /// Twice at the same moment, with the same number.
    TwiceAtOnce,
    /// Afterwards the same number comes with another amount, or another reason.
    AgainWithOtherValues,
}

/// Draws an order's profit sharing. Two in five orders are made for it.
pub(super) fn draw(dice: &mut Rng) -> Option<SharingPlan> {
    let is_for_sharing = dice.u32(0..5) < 2;
    let turn = *pick(dice, &[Turn::Before, Turn::Meanwhile, Turn::After]);
    let mut steps = vec![];
    let share = share(dice);
    let again = self::share(dice);
    let (gives_back, gives_back_more) = (give_back(dice), give_back(dice));
    let release = step(dice, ShareAction::Unfreeze);
    match dice.u32(0..100) {
        0..6 => {}
        6..12 => steps.extend([release]),
        12..30 => steps.extend([share]),
        30..45 => steps.extend([share, release]),
        45..58 => steps.extend([share, again]),
        58..68 => steps.extend([share, again, release]),
        68..80 => steps.extend([share, gives_back]),
        80..88 => steps.extend([share, gives_back, release]),
        88..94 => steps.extend([share, gives_back, gives_back_more]),
        _ => steps.extend([share, release, gives_back, again]),
    }
    is_for_sharing.then_some(SharingPlan { turn, steps })
}

/// Draws when receivers fail: the pauses between, and how long each lasts.
pub(super) fn draw_failures(dice: &mut Rng) -> Vec<(u32, u32)> {
    let failure = |_| (dice.u32(60..400), dice.u32(20..90));
    (0..200).map(failure).collect()
}

/// Every fault at every route of profit sharing. Of the refusals, those are here that come and go by
/// themselves.
pub(super) fn faults() -> Vec<Fault> {
    let elsewhere = [("share", "refused"), ("share_return", "refused")];
    everywhere(&ROUTES).chain(elsewhere).collect()
}

const ROUTES: [&str; 4] = ["receiver", "share", "share_return", "share_query"];

fn share(dice: &mut Rng) -> ShareStep {
    let action = ShareAction::Share {
        part: part(dice),
        to: *pick(
            dice,
            &[Receivers::Merchant, Receivers::Person, Receivers::Both],
        ),
        unfreezes_rest: dice.u32(0..5) == 0,
    };
    step(dice, action)
}

fn give_back(dice: &mut Rng) -> ShareStep {
    let action = ShareAction::Return(part(dice));
    step(dice, action)
}

fn part(dice: &mut Rng) -> Part {
    match dice.u32(0..8) {
        0 => Part::TooMuch,
        1 => Part::Percent(100),
        _ => Part::Percent(dice.u64(1..80)),
    }
}

fn step(dice: &mut Rng, action: ShareAction) -> ShareStep {
    ShareStep {
        after_s: dice.u32(1..60),
        action,
        sending: match dice.u32(0..8) {
            0 | 1 => Sending::TwiceAtOnce,
            2 => Sending::AgainWithOtherValues,
            _ => Sending::Once,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::plan::{Mode, Plan};

    use super::*;

    #[test]
    fn every_way_to_share_occurs_before_with_and_after_refunds_and_never_by_version_2() {
        let orders = Plan::draw(10_000, 100, 1).orders;
        let older = orders.iter().filter(|order| order.mode == Mode::Older);
        assert!(older.clone().count() > 0);
        assert!(older.clone().all(|order| order.sharing.is_none()));
        let plans: Vec<_> = orders
            .iter()
            .filter_map(|order| {
                Some((
                    order.mode,
                    order.sharing.as_ref()?,
                    !order.refunds.is_empty(),
                ))
            })
            .collect();
        for mode in [Mode::Direct, Mode::Partner] {
            for turn in [Turn::Before, Turn::Meanwhile, Turn::After] {
                let drawn = |(of, plan, is_refunded): &(Mode, &SharingPlan, bool)| {
                    *of == mode && plan.turn == turn && *is_refunded && !plan.steps.is_empty()
                };
                assert!(plans.iter().any(drawn), "{mode:?} {turn:?}");
            }
        }
        let steps: Vec<_> = plans.iter().flat_map(|(_, plan, _)| &plan.steps).collect();
        let words: BTreeSet<_> = steps.iter().map(|step| word_of(step)).collect();
        assert_eq!(words.len(), 10, "{words:?}");
        for sending in [
            Sending::Once,
            Sending::TwiceAtOnce,
            Sending::AgainWithOtherValues,
        ] {
            assert!(steps.iter().any(|step| step.sending == sending));
        }
    }

    fn word_of(step: &ShareStep) -> String {
        match step.action {
            ShareAction::Share {
                part: Part::TooMuch,
                ..
            } => "too much".to_owned(),
            ShareAction::Share {
                to, unfreezes_rest, ..
            } => format!("share to {to:?}, releases {unfreezes_rest}"),
            ShareAction::Return(Part::TooMuch) => "return of too much".to_owned(),
            ShareAction::Return(Part::Percent(_)) => "return".to_owned(),
            ShareAction::Unfreeze => "release".to_owned(),
        }
    }

    #[test]
    fn the_orders_of_a_seed_are_those_that_it_had_without_sharing() {
        let plan = Plan::draw(3, 5, 7);
        let orders = plan.orders.iter().map(|order| order.seed);
        let seeds = [
            1_055_221_456_974_304_437,
            2_655_770_124_313_071_233,
            9_748_145_474_076_203_157,
        ];
        assert_eq!(orders.collect::<Vec<_>>(), seeds);
    }
}
