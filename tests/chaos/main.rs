//! `cargo xtask chaos`: real merchant servers and the real simulator as processes, buyers and a
//! shop's backend that do everything at once, every fault that WeChat can have, and `kill -9` of
//! any of them: of one server for each merchant, or of several behind a balancer on one PostgreSQL, which
//! is stopped again and again as well. When the chaos run has settled, both ledgers, all webhooks and the bills of its days are
//! compared to the fen.
//!
//! The same seed is the same plan: stories, amounts, faults and the times of the kills. How the
//! processes interleave is the machine's own, which is why one seed is worth more than one run.
//!
//! The last line is `orders N kills K faults F lost 0 duplicated 0 wrong 0`; where one of the last
//! three is not 0, each case comes with its story and the exit code is 1.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "all of it is test code: a panic is the report"
)]

mod audit;
mod backend;
mod balancer;
mod books;
mod chaos_run;
mod clock;
mod device;
mod journal;
mod ledgers;
mod merchant;
mod mix;
mod plan;
mod postgres;
mod programs;
mod settling;
mod sharing;
mod shop;
mod story;
mod wechat;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::backend::Inbox;
use crate::balancer::{Balanced, Balancer};
use crate::chaos_run::ChaosRun;
use crate::clock::ChaosClock;
use crate::merchant::Merchant;
use crate::mix::Mix;
use crate::plan::{Mode, Plan};
use crate::postgres::Postgres;
use crate::programs::{MerchantServer, Programs, Wechat};
use crate::wechat::FaultInjector;

/// A chaos run over the merchant server. `cargo xtask chaos` builds what it needs and starts it.
#[derive(Parser)]
struct Arguments {
    /// How many orders.
    #[arg(long, default_value_t = 200)]
    orders: usize,
    /// The seed of the plan.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the server is killed; one in a hundred orders, and at least five times, by itself.
    #[arg(long)]
    kills: Option<usize>,
    /// How many calls are under way at once.
    #[arg(long, default_value_t = 24)]
    buyers: usize,
    /// The merchant server's program.
    #[arg(long)]
    merchant_server: PathBuf,
    /// The simulator's program.
    #[arg(long)]
    simulator: PathBuf,
    /// libfaketime's library.
    #[arg(long)]
    libfaketime: PathBuf,
    /// How many servers each merchant has; several are behind a balancer, on PostgreSQL.
    #[arg(long, default_value_t = 1)]
    instances: usize,
    /// The folder with PostgreSQL's programs; the databases are files without it.
    #[arg(long)]
    postgres: Option<PathBuf>,
    /// nginx's program, the balancer.
    #[arg(long)]
    nginx: Option<PathBuf>,
    /// Keep logs and databases here, and leave them there.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Stories under way at once, for each call that may be: most of them wait for a time.
const STORIES_PER_BUYER: usize = 8;
/// How often the chaos run's time moves forward.
const TICK: Duration = Duration::from_millis(200);
/// How far the time moves at each tick, in seconds. A minute passes in three seconds. The five
/// minutes during which a signature is accepted pass in fifteen seconds, which is longer than a
/// call takes on a busy machine.
const TICK_S: u32 = 4;
/// The first new certificate signs after twelve hours. The chaos run begins five minutes before, so that
/// some orders are paid under the old one.
const BEFORE_THE_NEW_SIGNS_S: u32 = 12 * 3600 - 5 * 60;
/// The same once every order has begun, when most of the remaining orders only wait.
const LATE_TICK_S: u32 = 10;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().unwrap();
    let folder = working_folder(&arguments, temporary.path());
    let kills = arguments.kills.unwrap_or((arguments.orders / 100).max(5));
    let plan = Plan::draw(arguments.orders, kills, arguments.seed);

    let clock = ChaosClock::new(&arguments.libfaketime, &folder);
    let began_ms = clock.now_ms();
    let balanced = balanced(arguments.instances).await;
    let addresses = [0, 1, 2].map(|place: usize| balanced[place].public.clone());
    let postgres = arguments.postgres.as_deref().map(Postgres::start);
    let postgres = postgres.map(Arc::new);
    assert!(
        arguments.instances == 1 || (postgres.is_some() && arguments.nginx.is_some()),
        "several servers need PostgreSQL (--postgres) and a balancer (--nginx)"
    );
    let wechat = Wechat::start(
        &arguments.simulator,
        &folder,
        &free_addresses("127.0.0.1", 1).await[0],
        &addresses[0],
        &clock,
    );
    let merchants = merchants(wechat.address(), addresses).await;
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let chaos = ChaosRun::new(
        clock,
        wechat.address().to_owned(),
        merchants,
        arguments.buyers,
    );
    let chaos = Arc::new(chaos);
    let inbox = Arc::new(Inbox::default());
    let webhooks = format!("http://{}/webhooks", backend.local_addr().unwrap());
    let app = backend::app(chaos.clone(), inbox.clone());
    tokio::spawn(async move { axum::serve(backend, app).await.unwrap() });
    let programs = Programs {
        merchant_server: &arguments.merchant_server,
        folder: &folder,
        webhooks: &webhooks,
        postgres: postgres.as_deref(),
    };
    let servers: Vec<_> = balanced
        .iter()
        .map(|of| MerchantServer::start(chaos.clone(), of.mode, &programs, &of.servers))
        .collect();
    let nginx = arguments.nginx.as_deref();
    let nginx = nginx.map(|program| Balancer::start(program, &folder, &balanced));
    for server in &servers {
        server.is_up().await;
    }
    wechat::rotate_certificate(&chaos).await;
    chaos.clock.advance(BEFORE_THE_NEW_SIGNS_S);

    let began = Instant::now();
    let injector = FaultInjector::new(chaos.clone());
    let is_over = AtomicBool::new(false);
    let playing = async {
        tokio::join!(
            play_all(&chaos, &inbox, &plan, arguments.buyers * STORIES_PER_BUYER),
            injector.follow(&plan.fault_sets),
            servers[0].run_kills(&plan.kills),
            servers[1].run_kills(&plan.kills),
            servers[2].run_kills(&plan.kills),
            wechat.run_kills(&plan.wechat_kills, &chaos, &injector),
            restart(postgres.as_ref(), &plan, &chaos),
            wechat::rotate_certificates(&chaos, &plan.rotations),
        );
        is_over.store(true, Ordering::Relaxed);
    };
    let run = async { tokio::join!(playing, let_time_go_by(&chaos, &is_over, arguments.orders)) };
    let run = wechat::fail_shares_during(&chaos, &plan.share_failures, run);
    Box::pin(run).await;
    eprintln!("the chaos run is over after {:.0?}", began.elapsed());
    injector.clear().await;
    inbox.recover();
    for server in &servers {
        server.is_up().await;
    }
    if let Some(nginx) = &nginx {
        nginx.assert_alive();
    }
    let findings = settling::settle_and_compare(&chaos, &servers, &inbox, &plan, began_ms).await;
    eprintln!("settled after {:.0?}", began.elapsed());
    std::fs::write(folder.join("stories.txt"), chaos.journal.all_stories()).unwrap();
    if !findings.is_empty() && arguments.folder.is_none() {
        eprintln!("logs and databases: {}", temporary.keep().display());
    }
    println!(
        "{}; servers of each merchant {}; WeChat killed {} times; PostgreSQL stopped {} times; readings of the clock missed {}",
        Mix::of(&plan),
        arguments.instances,
        wechat.kills(),
        postgres.as_ref().map_or(0, |postgres| postgres.restarts()),
        inbox.wrong_clock()
    );
    let kills = servers.iter().map(MerchantServer::kills).sum();
    settling::report(&chaos, &plan, kills, injector.struck(), &findings)
}

/// Where logs and databases are kept. Both servers write absolute paths of the files in it.
fn working_folder(arguments: &Arguments, temporary: &Path) -> PathBuf {
    let folder = arguments.folder.as_deref().unwrap_or(temporary);
    std::fs::create_dir_all(folder).unwrap();
    folder.canonicalize().unwrap()
}

async fn play_all(chaos: &Arc<ChaosRun>, inbox: &Arc<Inbox>, plan: &Plan, at_once: usize) {
    let places = Arc::new(Semaphore::new(at_once));
    let mut stories = JoinSet::new();
    for order in plan.orders.clone() {
        let place = places.clone().acquire_owned().await.unwrap();
        let (chaos, inbox) = (chaos.clone(), inbox.clone());
        chaos.begun.fetch_add(1, Ordering::Relaxed);
        stories.spawn(async move {
            story::play(&chaos, &inbox, &order).await;
            drop(place);
        });
    }
    // All kills and all fault sets must still happen, whatever the last story does.
    while let Some(story) = stories.join_next().await {
        story.unwrap();
    }
}

/// Moves the chaos run's time forward, faster than the machine's, in even steps. Only faults make the
/// clock jump.
async fn let_time_go_by(chaos: &ChaosRun, is_over: &AtomicBool, orders: usize) {
    while !is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(TICK).await;
        let has_begun = chaos.begun() >= orders;
        chaos
            .clock
            .advance(if has_begun { LATE_TICK_S } else { TICK_S });
        // WeChat sleeps until its next work is due, at the machine's pace; this call wakes it.
        wechat::run_due(chaos).await;
    }
}

/// The public address of each mode, and its servers' own. A single server listens on the public one.
async fn balanced(instances: usize) -> Vec<Balanced> {
    // Connections have 127.0.0.1 at their other end, so none takes the port of a server that is down.
    let own = if instances > 1 { 3 * instances } else { 0 };
    let mut own = free_addresses("127.0.0.2", own).await.into_iter();
    let public = free_addresses("127.0.0.1", Mode::ALL.len()).await;
    let of_mode = |(mode, public): (Mode, String)| Balanced {
        mode,
        servers: match instances {
            1 => vec![public.clone()],
            _ => own.by_ref().take(instances).collect(),
        },
        public,
    };
    Mode::ALL.into_iter().zip(public).map(of_mode).collect()
}

/// Stops and starts the database server by the plan, if there is one.
async fn restart(postgres: Option<&Arc<Postgres>>, plan: &Plan, chaos: &ChaosRun) {
    if let Some(postgres) = postgres {
        postgres.run_restarts(&plan.database_restarts, chaos).await;
    }
}

/// Addresses of this machine on which no program listens. They must stay the same over all restarts.
async fn free_addresses(host: &str, count: usize) -> Vec<String> {
    let mut listeners = Vec::new();
    for _ in 0..count {
        listeners.push(TcpListener::bind((host, 0)).await.unwrap());
    }
    let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    listeners.iter().map(address).collect()
}

/// The merchants that WeChat has, each with the address of its server.
async fn merchants(wechat: &str, addresses: [String; 3]) -> BTreeMap<Mode, Merchant> {
    let http = chaos_run::http_client();
    let url = format!("{wechat}/_simulator/merchants");
    let answer = chaos_run::send(&http, "GET", &url, &[], chaos_run::Body::None).await;
    let (_, listed) = answer.unwrap();
    let places = Mode::ALL.into_iter().zip(addresses).enumerate();
    places
        .map(|(place, (mode, address))| (mode, Merchant::read(mode, &listed[place], address)))
        .collect()
}
