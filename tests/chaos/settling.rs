//! After the storm: time goes on until nothing is left to do, and then everything is compared.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::audit::{self, Evidence};
use crate::backend::Inbox;
use crate::books::{self, Totals};
use crate::device::Device;
use crate::journal::{Finding, FindingKind};
use crate::ledgers::{Database, wechat_orders, wechat_refunds};
use crate::plan::Plan;
use crate::programs::MerchantServer;
use crate::world::World;
use crate::{shop, wechat};

/// The longest step in time: WeChat's own retries come at least so often at first.
const STEP_S: i64 = 1800;
/// Four days of such steps; whatever is left then never ends.
const STEPS: usize = 2000;
/// How long the server may take for what is due at one time.
const STEP_LIMIT: Duration = Duration::from_mins(2);
/// Findings that are printed with their story; the others are named.
const STORIES: usize = 12;

/// After so long WeChat has closed by itself what nobody closed for it: seven days, and one.
const AUTO_CLOSE_S: u32 = 8 * 24 * 3600;

/// A server and its database.
struct House<'a> {
    server: &'a MerchantServer,
    database: Database,
}

/// Lets time go by until neither side has anything left to do, and compares.
pub(crate) async fn settle_and_compare(
    world: &Arc<World>,
    servers: &[MerchantServer],
    inbox: &Inbox,
    plan: &Plan,
    began_ms: i64,
) -> Vec<Finding> {
    let mut houses = Vec::new();
    for server in servers {
        let database = Database::open(&server.database()).await;
        houses.push(House { server, database });
    }
    let mut found = Vec::new();
    found.extend(settle(world, &houses).await);
    let ended_ms = world.clock.now_ms();
    world.clock.advance(AUTO_CLOSE_S);
    found.extend(settle(world, &houses).await);
    let evidence = gather(world, inbox, plan, &houses).await;
    for House { server, .. } in &houses {
        let mchid = &server.merchant().mchid;
        let expected = Totals::at_wechat(mchid, &evidence.wechat, &evidence.wechat_refunds);
        found.extend(books::bills(server, began_ms, ended_ms, expected));
        found.extend(books::reconcile(server, began_ms));
    }
    let wrong = |what| Finding {
        kind: FindingKind::Wrong,
        order_no: String::new(),
        what,
    };
    let mut findings: Vec<_> = found.into_iter().map(wrong).collect();
    findings.extend(audit::compare(&evidence));
    findings.extend(world.journal.findings());
    findings
}

/// Gives what is left where it does not end.
async fn settle(world: &World, houses: &[House<'_>]) -> Option<String> {
    let mut left = None;
    for _ in 0..STEPS {
        wechat::run_due(world).await;
        left = None;
        for house in houses {
            let next = work_off(world, house).await;
            left = left.into_iter().chain(next).min();
        }
        let now_ms = world.clock.now_ms();
        let next_s = match &left {
            Some((due_ms, _)) => (due_ms - now_ms) / 1000 + 1,
            None if wechat_is_quiet(world).await => return None,
            None => STEP_S,
        };
        world
            .clock
            .advance(u32::try_from(next_s.clamp(1, STEP_S)).unwrap());
    }
    let left = left.map_or("WeChat's notifications".to_owned(), |(_, what)| what);
    Some(format!("work is left that does not end: {left}"))
}

/// Waits until all that is due by now is done; gives what is due next.
async fn work_off(world: &World, house: &House<'_>) -> Option<(i64, String)> {
    let began = Instant::now();
    loop {
        house.server.assert_alive();
        let next = house.database.next_due().await;
        let is_due = next
            .as_ref()
            .is_some_and(|(due_ms, _)| *due_ms <= world.clock.now_ms());
        if !is_due || began.elapsed() > STEP_LIMIT {
            return next;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn wechat_is_quiet(world: &World) -> bool {
    let ledger = wechat::ledger(world).await;
    let is_told = wechat_orders(&ledger)
        .iter()
        .all(|order| !order.is_notifying);
    let mut refunds = wechat_refunds(&ledger).into_iter();
    is_told && refunds.all(|refund| refund.status != "PROCESSING")
}

async fn gather(world: &Arc<World>, inbox: &Inbox, plan: &Plan, houses: &[House<'_>]) -> Evidence {
    let ledger = wechat::ledger(world).await;
    let mut shown = BTreeMap::new();
    for order in &plan.orders {
        let (_, details) = shop::look(world, order).await;
        shown.insert(order.order_no.clone(), details);
    }
    let mut on_page = BTreeMap::new();
    for order in &plan.orders {
        if let Some(token) = world.token(&order.order_no) {
            let mut device = Device::new(world, order, &token, "afterwards", 0);
            device.look(false).await;
            on_page.extend(
                device
                    .screen_name()
                    .map(|name| (order.order_no.clone(), name)),
            );
        }
    }
    let events = inbox.events().into_values();
    let mut evidence = Evidence {
        ordered: plan
            .orders
            .iter()
            .map(|order| (order.order_no.clone(), order.total_fen))
            .collect(),
        wechat: wechat_orders(&ledger),
        wechat_refunds: wechat_refunds(&ledger),
        asked_refunds: world.refunds.lock().unwrap().clone(),
        told: events.map(|event| (event.kind, event.data)).collect(),
        shown,
        paid: world.paid.lock().unwrap().clone(),
        shown_paid: world.shown_paid.lock().unwrap().clone(),
        on_page,
        ..Evidence::default()
    };
    for House { database, .. } in houses {
        evidence.ours.extend(database.orders().await);
        evidence.our_refunds.extend(database.refunds().await);
        evidence.mismatches.extend(database.mismatches().await);
    }
    evidence
}

/// Prints each finding with its story, and the one line at the end.
pub(crate) fn report(
    world: &World,
    plan: &Plan,
    kills: u64,
    faults: u64,
    findings: &[Finding],
) -> ExitCode {
    for (place, finding) in findings.iter().enumerate() {
        let Finding {
            kind,
            order_no,
            what,
        } = finding;
        println!("{kind}: {order_no}: {what}");
        if place >= STORIES {
            continue;
        }
        if let Some(order) = plan.orders.iter().find(|order| order.order_no == *order_no) {
            println!("    planned: {order:?}");
        }
        for line in world.journal.story(order_no) {
            println!("    {line}");
        }
    }
    let count = |kind| {
        findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .count()
    };
    println!(
        "orders {} kills {kills} faults {faults} lost {} duplicated {} wrong {}",
        plan.orders.len(),
        count(FindingKind::Lost),
        count(FindingKind::Duplicated),
        count(FindingKind::Wrong),
    );
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
