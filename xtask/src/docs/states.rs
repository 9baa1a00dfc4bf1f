//! The states of a checkout: a drawing, and the page with a table for each scene, from the transitions that the walk
//! of the machine found (`crates/checkout/tests/machine/walk/transitions.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::docs::page::{Book, Page};
use crate::docs::svg::Drawing;
use crate::failure::Failure;

pub(super) const TRANSITIONS: &str = "crates/checkout/goldens/transitions.tsv";

/// Each screen: its column and row in the drawing, and what the buyer sees, in both languages.
const STATES: [(&str, (u32, u32), [&str; 2]); 16] = [
    ("loading", (0, 1), ["before the first answer", "读取订单"]),
    ("offer", (1, 1), ["a button", "支付按钮"]),
    ("starting", (2, 1), ["an attempt is requested", "发起支付"]),
    ("qr", (3, 0), ["a code to scan", "待扫二维码"]),
    (
        "qr-checking",
        (4, 0),
        ["its time is over", "到期，向微信确认"],
    ),
    (
        "qr-expired",
        (5, 0),
        ["a new code on request", "二维码失效"],
    ),
    ("cashier", (3, 1), ["WeChat's cashier", "微信收银台"]),
    ("confirming", (4, 1), ["it said ok", "确认支付结果"]),
    ("leaving", (3, 2), ["on the way to WeChat", "跳转到微信"]),
    ("returned", (4, 2), ["back from WeChat", "从微信返回"]),
    ("paid", (0, 3), ["the end", "支付成功"]),
    ("closed", (1, 3), ["by merchant or WeChat", "订单已关闭"]),
    (
        "expired",
        (2, 3),
        ["the order's time is over", "订单已过期"],
    ),
    ("elsewhere", (3, 3), ["another device", "在其他设备支付"]),
    ("problem", (4, 3), ["with or without a retry", "出错"]),
    (
        "unavailable",
        (5, 3),
        ["no way to pay here", "此处无法支付"],
    ),
];
/// From this row on there are ends: they follow from nearly every state, so their arrows are written as a list.
const ENDS_ROW: u32 = 3;
/// The scenes in the order of the page.
const SCENES: [(&str, &str); 4] = [
    ("desk", "At a desk"),
    ("phone", "In a phone's browser"),
    ("wechat", "Inside WeChat"),
    ("mini-program", "In a web-view of a mini-program"),
];

const COLUMN_PX: u32 = 178;
const ROW_PX: u32 = 112;
/// Above the first row, for arrows.
const TOP_PX: u32 = 50;
const BOX_PX: (u32, u32) = (150, 44);

const INTRODUCTION: &str = "\
# The states of a checkout

`cargo xtask docs` writes this page from the transitions that a walk through the machine (`crates/checkout`) finds, so it \
shows what the element does. A state is the value of the event `state-change`. What happens beside a payment (another \
tab, the network, a hidden page) is left out.

![The states, from loading through offer, starting, code, cashier or leaving, to paid](states.svg)

The states in the lowest row follow from nearly every other one. `unavailable` follows `loading` where none of the \
merchant's products works, which the walk leaves out. In the tables, `read:` is an answer to a poll, `start:` an answer to the \
request for an attempt, and `cancel:` one to a cancel; a single word is a button.
";

/// A transition: scene, state, event, state.
type Row<'a> = [&'a str; 4];

/// The page, and the drawing in each language.
pub(super) fn pages(transitions: &str) -> Result<Vec<Page>, Failure> {
    let rows = rows(transitions)?;
    Ok(vec![
        ("docs/en/states.md", page(&rows)),
        ("docs/en/states.svg", drawing(&rows, Book::English)),
        ("docs/zh/states.svg", drawing(&rows, Book::Chinese)),
    ])
}

fn rows(transitions: &str) -> Result<Vec<Row<'_>>, Failure> {
    let mut rows = Vec::new();
    for line in transitions.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let Ok(row) = Row::try_from(fields) else {
            return Err(wrong(line, "it is not scene, state, event and state"));
        };
        let [scene, from, _, to] = row;
        if let Some(unknown) = [from, to].into_iter().find(|name| position(name).is_none()) {
            return Err(wrong(unknown, "the drawing has no place for this state"));
        }
        if SCENES.iter().all(|(name, _)| *name != scene) {
            return Err(wrong(scene, "the page has no heading for this scene"));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(wrong("", "it has no transition"));
    }
    Ok(rows)
}

fn position(state: &str) -> Option<(u32, u32)> {
    let mut states = STATES.iter();
    states
        .find(|(name, ..)| *name == state)
        .map(|(_, place, _)| *place)
}

fn page(rows: &[Row<'_>]) -> String {
    let mut page = INTRODUCTION.to_owned();
    for (scene, heading) in SCENES {
        // A String never refuses text.
        let _ = writeln!(
            page,
            "\n## {heading}\n\n| From | To | After |\n|---|---|---|"
        );
        let mut events: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
        for [_, from, event, to] in rows.iter().filter(|row| row[0] == scene) {
            let order = |state: &str| STATES.iter().position(|(name, ..)| *name == state);
            let key = (
                order(from).unwrap_or_default(),
                order(to).unwrap_or_default(),
            );
            events.entry(key).or_default().push(event);
        }
        for ((from, to), events) in events {
            let (from, to) = (STATES[from].0, STATES[to].0);
            let _ = writeln!(page, "| `{from}` | `{to}` | {} |", events.join("; "));
        }
    }
    page
}

fn drawing(rows: &[Row<'_>], book: Book) -> String {
    let title = ["The states of a checkout", "收银台的状态"][book as usize];
    let width = 5 * COLUMN_PX + BOX_PX.0 + 20;
    let mut drawing = Drawing::new(width, TOP_PX + 4 * ROW_PX, title);
    let edges: BTreeSet<(&str, &str)> = rows.iter().map(|[_, from, _, to]| (*from, *to)).collect();
    let is_end = |state: &str| position(state).is_some_and(|(_, row)| row >= ENDS_ROW);
    for (from, to) in edges
        .iter()
        .filter(|(from, to)| !is_end(from) && !is_end(to))
    {
        if let (Some(a), Some(b)) = (position(from), position(to)) {
            drawing.arrow(middle(a), middle(b), BOX_PX);
        }
    }
    for (state, (column, row), captions) in STATES {
        let at = (10 + column * COLUMN_PX, TOP_PX + row * ROW_PX);
        drawing.named_box(at, BOX_PX, [state, captions[book as usize]]);
        let before = edges.iter();
        let before = before.filter(|(from, to)| *to == state && !is_end(from));
        let count = before.count();
        if row >= ENDS_ROW && count > 0 {
            let text = [
                format!("from {count} states"),
                format!("可由 {count} 个状态进入"),
            ];
            let below = (at.0 + BOX_PX.0 / 2, at.1 + BOX_PX.1 + 16);
            drawing.text(below, "small", &text[book as usize]);
        }
    }
    drawing.finish()
}

const fn middle((column, row): (u32, u32)) -> (u32, u32) {
    (
        10 + column * COLUMN_PX + BOX_PX.0 / 2,
        TOP_PX + row * ROW_PX + BOX_PX.1 / 2,
    )
}

fn wrong(what: &str, why: &str) -> Failure {
    Failure::File {
        path: TRANSITIONS.into(),
        why: format!("`{what}`: {why} (xtask/src/docs/states.rs)"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, drawing, page, rows};

    const SAMPLE: &str = "desk\tloading\tread: open\tstarting\ndesk\tstarting\tstart: done\tqr\n\
                          desk\tqr\tread: paid\tpaid\nphone\tloading\tread: open\toffer\n";

    #[test]
    fn each_transition_is_in_the_table_of_its_scene() {
        let rows = rows(SAMPLE).unwrap();
        let page = page(&rows);
        let (before, phone) = page.split_once("## In a phone's browser").unwrap();
        assert!(
            before.contains("| `starting` | `qr` | start: done |"),
            "{page}"
        );
        assert!(
            phone.contains("| `loading` | `offer` | read: open |"),
            "{page}"
        );
        let drawn = drawing(&rows, Book::English);
        assert_eq!(drawn.matches("class=\"call\"").count(), 3, "{drawn}");
        assert!(drawn.contains("from 1 states"), "paid: {drawn}");
    }

    #[test]
    fn a_state_without_a_place_is_refused_by_its_name() {
        for (line, name) in [
            ("desk\tloading\tread\tlost\n", "`lost`"),
            ("moon\tloading\tread\tqr\n", "`moon`"),
            ("desk\tloading\n", "desk"),
            ("", "no transition"),
        ] {
            let refusal = rows(line).unwrap_err().to_string();
            assert!(refusal.contains(name), "{refusal}");
        }
    }
}
