//! After the storm, time moves forward until no work is left, and then everything is compared.

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
use crate::storm::Storm;
use crate::{shop, wechat};

/// The longest step in time. WeChat's own retries are at least this frequent at first.
const STEP_S: i64 = 1800;
/// Four days of such steps; work that is left after them never ends.
const STEPS: usize = 2000;
/// How long the server may take for the work that is due at one time.
const STEP_LIMIT: Duration = Duration::from_mins(2);
/// How many findings are printed with their story; the others are only named.
const STORIES: usize = 12;

/// The time after which WeChat has closed every order that no server closed: seven days, and one
/// more.
const AUTO_CLOSE_S: u32 = 8 * 24 * 3600;

/// A server and its database.
struct AuditedServer<'a> {
    server: &'a MerchantServer,
    database: Database,
}

/// Moves time forward until neither side has any work left, and compares.
pub(crate) async fn settle_and_compare(
    storm: &Arc<Storm>,
    servers: &[MerchantServer],
    inbox: &Inbox,
    plan: &Plan,
    began_ms: i64,
) -> Vec<Finding> {
    let mut audited = Vec::new();
    for server in servers {
        let database = Database::open(&server.database()).await;
        audited.push(AuditedServer { server, database });
    }
    let mut found = Vec::new();
    found.extend(settle(storm, &audited).await);
    let ended_ms = storm.clock.now_ms();
    storm.clock.advance(AUTO_CLOSE_S);
    found.extend(settle(storm, &audited).await);
    let evidence = gather(storm, inbox, plan, &audited).await;
    for AuditedServer { server, .. } in &audited {
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
    findings.extend(storm.journal.findings());
    findings
}

/// Returns the work that is left, if it does not end.
async fn settle(storm: &Storm, audited: &[AuditedServer<'_>]) -> Option<String> {
    let mut left = None;
    for _ in 0..STEPS {
        wechat::run_due(storm).await;
        left = None;
        for server_and_database in audited {
            let next = work_off(storm, server_and_database).await;
            left = left.into_iter().chain(next).min();
        }
        let now_ms = storm.clock.now_ms();
        let next_s = match &left {
            Some((due_ms, _)) => (due_ms - now_ms) / 1000 + 1,
            None if wechat_is_quiet(storm).await => return None,
            None => STEP_S,
        };
        storm
            .clock
            .advance(u32::try_from(next_s.clamp(1, STEP_S)).unwrap());
    }
    let left = left.map_or("WeChat's notifications".to_owned(), |(_, what)| what);
    Some(format!("work is left that does not end: {left}"))
}

/// Waits until all work that is due by now is done. Returns what is due next.
async fn work_off(storm: &Storm, server_and_database: &AuditedServer<'_>) -> Option<(i64, String)> {
    let began = Instant::now();
    loop {
        server_and_database.server.assert_alive();
        let next = server_and_database.database.next_due().await;
        let is_due = next
            .as_ref()
            .is_some_and(|(due_ms, _)| *due_ms <= storm.clock.now_ms());
        if !is_due || began.elapsed() > STEP_LIMIT {
            return next;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn wechat_is_quiet(storm: &Storm) -> bool {
    let ledger = wechat::ledger(storm).await;
    let is_notified = wechat_orders(&ledger)
        .iter()
        .all(|order| !order.is_notifying);
    let mut refunds = wechat_refunds(&ledger).into_iter();
    is_notified && refunds.all(|refund| refund.status != "PROCESSING")
}

async fn gather(
    storm: &Arc<Storm>,
    inbox: &Inbox,
    plan: &Plan,
    audited: &[AuditedServer<'_>],
) -> Evidence {
    let ledger = wechat::ledger(storm).await;
    let mut api_orders = BTreeMap::new();
    for order in &plan.orders {
        let (_, details) = shop::look(storm, order).await;
        api_orders.insert(order.order_no.clone(), details);
    }
    let mut on_page = BTreeMap::new();
    for order in &plan.orders {
        if let Some(token) = storm.token(&order.order_no) {
            let mut device = Device::new(storm, order, &token, "afterwards", 0);
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
        asked_refunds: storm.refunds.lock().unwrap().clone(),
        events: events.map(|event| (event.kind, event.data)).collect(),
        api_orders,
        paid: storm.paid.lock().unwrap().clone(),
        shown_paid: storm.shown_paid.lock().unwrap().clone(),
        on_page,
        ..Evidence::default()
    };
    for AuditedServer { database, .. } in audited {
        evidence.ours.extend(database.orders().await);
        evidence.our_refunds.extend(database.refunds().await);
        evidence.mismatches.extend(database.mismatches().await);
    }
    evidence
}

/// Prints each finding with its story, and the one line at the end.
pub(crate) fn report(
    storm: &Storm,
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
        for line in storm.journal.story(order_no) {
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
