//! Bars in SVG, stacked by scene. A table beside it has the same numbers, so a screen reader gets one
//! sentence here.

use std::collections::BTreeMap;

use maud::{Markup, html};
use merchant_api::AttemptProduct;
use merchant_core::orders::desk::ScenePart;
use payment_values::Fen;

use super::figure::{money, scene};
use crate::extract::Language;

/// The height of the highest bar, in the SVG's units.
const HEIGHT: u128 = 120;
/// The width of a bar with the gap beside it.
const STEP: usize = 20;
const BAR: usize = 14;
/// Every how many bars there is a name below.
const NAMED_EVERY: usize = 6;

/// A bar for each column, in its order.
pub(super) fn bars(
    title: &str,
    columns: &[(String, &BTreeMap<AttemptProduct, ScenePart>)],
    products: &[AttemptProduct],
    language: Language,
) -> Markup {
    let totals: Vec<_> = columns.iter().map(|(_, parts)| total(parts)).collect();
    let highest = totals.iter().map(|part| part.fen).max().unwrap_or_default();
    let width = columns.len() * STEP;
    html! {
        svg .plot role="img" aria-label=(title) viewBox=(format!("0 0 {width} 142")) {
            @for (place, (name, parts)) in columns.iter().enumerate() {
                @let x = place * STEP + (STEP - BAR) / 2;
                @for (kind, y, height) in stack(parts, products, highest.count()) {
                    rect class=(format!("scene-{kind}")) x=(x) y=(y) width=(BAR) height=(height) {}
                }
                @if place % NAMED_EVERY == 0 {
                    text x=(place * STEP) y="138" { (name) }
                }
            }
            line x1="0" x2=(width) y1="121" y2="121" {}
        }
        p .legend {
            @for (kind, product) in products.iter().enumerate() {
                span { svg viewBox="0 0 10 10" aria-hidden="true" {
                    rect class=(format!("scene-{kind}")) width="10" height="10" {}
                } " " (language.say(scene(*product))) }
            }
            span .quiet { "↥ " (money(highest, language)) }
        }
    }
}

/// All scenes together.
pub(super) fn total(parts: &BTreeMap<AttemptProduct, ScenePart>) -> ScenePart {
    parts
        .values()
        .fold(ScenePart::default(), |sum, part| ScenePart {
            count: sum.count + part.count,
            fen: Fen::saturating_add(sum.fen, part.fen),
        })
}

/// The parts of one bar from below: which product, the top and the height.
fn stack(
    parts: &BTreeMap<AttemptProduct, ScenePart>,
    products: &[AttemptProduct],
    highest_fen: u64,
) -> Vec<(usize, u128, u128)> {
    let scaled = |fen: u128| (fen * HEIGHT).checked_div(highest_fen.into()).unwrap_or(0);
    let (mut below_fen, mut rectangles) = (0_u128, Vec::new());
    for (kind, product) in products.iter().enumerate() {
        let Some(part) = parts.get(product) else {
            continue;
        };
        let bottom = scaled(below_fen);
        below_fen += u128::from(part.fen.count());
        // What is there can be seen.
        let height = (scaled(below_fen) - bottom).max(1);
        rectangles.push((kind, HEIGHT.saturating_sub(bottom + height), height));
    }
    rectangles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_bar_stand_on_each_other_and_the_highest_bar_fills_the_height() {
        let part = |fen| ScenePart {
            count: 1,
            fen: Fen::saturating(fen),
        };
        let products = [AttemptProduct::Jsapi, AttemptProduct::Native];
        let parts = BTreeMap::from([(products[0], part(750)), (products[1], part(250))]);
        assert_eq!(
            stack(&parts, &products, 1_000),
            [(0, 30, 90), (1, 0, 30)],
            "kind, top, height"
        );
        let small = BTreeMap::from([(products[1], part(1))]);
        assert_eq!(stack(&small, &products, 1_000_000), [(1, 119, 1)]);
        assert_eq!(stack(&parts, &products, 0).len(), 2);
    }
}
