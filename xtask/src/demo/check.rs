//! `demo --check`: each scene once, a row for each, then the count.

use std::time::Instant;

use super::scenes::{Purchase, Scene};
use super::servers::Servers;
use super::settings::Settings;
use crate::console;
use crate::failure::Failure;

/// Pays in every scene, prints the rows, and says whether all were paid.
pub(super) fn every_scene(settings: &Settings, servers: &mut Servers) -> bool {
    let mut paid = 0;
    for scene in Scene::ALL {
        let start = Instant::now();
        let mut row = Row::unordered();
        let done = Purchase::order(settings, scene).and_then(|mut purchase| {
            let done = purchase.pay().and_then(|()| purchase.wait_until_paid());
            row = Row::of(&purchase);
            done
        });
        if done.is_ok() {
            paid += 1;
        }
        console::answer(format!(
            "{}\t{}\t{}\t{}",
            scene.word(),
            row.out_trade_no,
            start.elapsed().as_millis(),
            row.state
        ));
        complain(&done);
        // A server that died explains the rest.
        complain(&servers.all_alive());
    }
    let failed = Scene::ALL.len() - paid;
    console::answer(format!("{paid} passed, {failed} failed"));
    failed == 0
}

struct Row {
    out_trade_no: String,
    state: String,
}

impl Row {
    /// Where not even the order was taken.
    fn unordered() -> Self {
        Self {
            out_trade_no: "-".to_owned(),
            state: "not ordered".to_owned(),
        }
    }

    fn of(purchase: &Purchase<'_>) -> Self {
        Self {
            out_trade_no: purchase.out_trade_no.clone(),
            state: purchase.state.clone(),
        }
    }
}

fn complain(done: &Result<(), Failure>) {
    if let Err(failure) = done {
        console::note(failure.to_string());
    }
}
