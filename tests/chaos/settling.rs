//! After the chaos run, time moves forward until no work is left, and then everything is compared.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::audit::{self, Evidence};
use crate::backend::Inbox;
use crate::books::{self, Totals};
use crate::chaos_run::ChaosRun;
use crate::device::Device;
use crate::journal::{Finding, FindingKind};
use crate::ledgers::shares::wechat_shares;
use crate::ledgers::{Database, wechat_orders, wechat_refunds};
use crate::plan::Plan;
use crate::programs::MerchantServer;
use crate::{sharing, shop, wechat};

/// The longest step in time. WeChat's own retries are at least this frequent at first.
const STEP_S: i64 = 1800;
/// Four days of such steps; work that is left after them never ends.
const STEPS: usize = 2000;
/// How long the server may take for the work that is due at one time.
const STEP_LIMIT: Duration = Duration::from_mins(2);
/// How many findings are printed with their story.
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
    chaos: &Arc<ChaosRun>,
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
    found.extend(settle(chaos, &audited).await);
    let ended_ms = chaos.clock.now_ms();
    chaos.clock.advance(AUTO_CLOSE_S);
    found.extend(settle(chaos, &audited).await);
    let evidence = gather(chaos, inbox, plan, &audited).await;
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
    findings.extend(chaos.journal.findings());
    findings
}

/// Returns the work that is left, if it does not end.
async fn settle(chaos: &ChaosRun, audited: &[AuditedServer<'_>]) -> Option<String> {
    let mut left = None;
    for _ in 0..STEPS {
        wechat::run_due(chaos).await;
        left = None;
        for server_and_database in audited {
            let next = work_off(chaos, server_and_database).await;
            left = left.into_iter().chain(next).min();
        }
        let now_ms = chaos.clock.now_ms();
        let next_s = match &left {
            Some((due_ms, _)) => (due_ms - now_ms) / 1000 + 1,
            None if wechat_is_quiet(chaos).await => return None,
            None => STEP_S,
        };
        chaos
            .clock
            .advance(u32::try_from(next_s.clamp(1, STEP_S)).unwrap());
    }
    let left = left.map_or("WeChat's notifications".to_owned(), |(_, what)| what);
    Some(format!("work is left that does not end: {left}"))
}

/// Waits until all work that is due by now is done. Returns what is due next.
async fn work_off(
    chaos: &ChaosRun,
    server_and_database: &AuditedServer<'_>,
) -> Option<(i64, String)> {
    let began = Instant::now();
    loop {
        server_and_database.server.assert_alive();
        let next = server_and_database.database.next_due().await;
        let is_due = next
            .as_ref()
            .is_some_and(|(due_ms, _)| *due_ms <= chaos.clock.now_ms());
        if !is_due || began.elapsed() > STEP_LIMIT {
            return next;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn wechat_is_quiet(chaos: &ChaosRun) -> bool {
    let ledger = wechat::ledger(chaos).await;
    let is_notified = wechat_orders(&ledger)
        .iter()
        .all(|order| !order.is_notifying);
    let mut refunds = wechat_refunds(&ledger).into_iter();
    let mut shares = wechat_shares(&ledger).into_iter();
    is_notified
        && refunds.all(|refund| refund.status != "PROCESSING")
        && shares.all(|share| share.is_over())
}

async fn gather(
    chaos: &Arc<ChaosRun>,
    inbox: &Inbox,
    plan: &Plan,
    audited: &[AuditedServer<'_>],
) -> Evidence {
    let ledger = wechat::ledger(chaos).await;
    let mut api_orders = BTreeMap::new();
    for order in &plan.orders {
        let (_, details) = shop::look(chaos, order).await;
        api_orders.insert(order.order_no.clone(), details);
    }
    let (api_shares, api_held) = shared_by_the_api(chaos, plan).await;
    let mut on_page = BTreeMap::new();
    for order in &plan.orders {
        if let Some(token) = chaos.token(&order.order_no) {
            let mut device = Device::new(chaos, order, &token, "afterwards", 0);
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
        wechat_shares: wechat_shares(&ledger),
        asked_shares: chaos.shares.lock().unwrap().clone(),
        told_receiver: sharing::told_receiver(chaos).to_owned(),
        api_shares,
        api_held,
        asked_refunds: chaos.refunds.lock().unwrap().clone(),
        events: events.map(|event| (event.kind, event.data)).collect(),
        api_orders,
        paid: chaos.paid.lock().unwrap().clone(),
        shown_paid: chaos.shown_paid.lock().unwrap().clone(),
        on_page,
        ..Evidence::default()
    };
    for AuditedServer { database, .. } in audited {
        evidence.ours.extend(database.orders().await);
        evidence.our_refunds.extend(database.refunds().await);
        evidence.our_shares.extend(database.shares().await);
        evidence.mismatches.extend(database.mismatches().await);
    }
    evidence
}

/// The private API's list of shares of each order that was made for sharing, and what WeChat holds of those
/// whose money is held.
async fn shared_by_the_api(
    chaos: &ChaosRun,
    plan: &Plan,
) -> (BTreeMap<String, Value>, BTreeMap<String, Value>) {
    let (mut lists, mut held) = (BTreeMap::new(), BTreeMap::new());
    for order in plan.orders.iter().filter(|order| order.sharing.is_some()) {
        let (_, list) = sharing::look(chaos, order).await;
        if list["frozen"] == true {
            let (_, amount) = sharing::held(chaos, order).await;
            held.insert(order.order_no.clone(), amount);
        }
        lists.insert(order.order_no.clone(), list);
    }
    (lists, held)
}

/// Prints each finding with its story, and the one line at the end.
pub(crate) fn report(
    chaos: &ChaosRun,
    plan: &Plan,
    kills: u64,
    faults: u64,
    findings: &[Finding],
) -> ExitCode {
    for finding in findings.iter().take(STORIES) {
        let order_no = &finding.order_no;
        println!("{finding}");
        if let Some(order) = plan.orders.iter().find(|order| order.order_no == *order_no) {
            println!("    planned: {order:?}");
        }
        for line in chaos.journal.story(order_no) {
            println!("    {line}");
        }
    }
    // All of them once more without their stories: a log that is cut keeps its end.
    for finding in findings {
        println!("{finding}");
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
