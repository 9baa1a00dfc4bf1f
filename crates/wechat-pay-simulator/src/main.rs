//! The binary: reads the command line, opens the sockets, runs what is due.

use std::{
    collections::BTreeSet,
    fmt,
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use axum::Router;
use clap::Parser;
use tokio::net::TcpListener;
use wechat_pay_simulator::{
    Clock, Keyring, KeyringError, NOTIFICATION_TIMEOUT, Outgoing, OutgoingError, Random, Simulator,
    SimulatorParts,
    wechat_browser::{self, LoopbackOrigin, OriginError},
};

/// A shop may hold a long poll for 25 seconds; a page that takes longer than this is lost.
const PAGE_TIMEOUT: Duration = Duration::from_secs(90);

/// WeChat Pay on your own machine: APIv3 with real signatures both ways, and no money.
///
/// Point any APIv3 client at it: take the address, the numbers and the keys from
/// STATE/merchant.json, which is made on the first start. Files named in it lie beside it.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
struct Arguments {
    /// Where to listen. An address of this machine, unless --allow-remote is given. Port 0 takes
    /// a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9410")]
    listen: SocketAddr,

    /// The folder for merchant.json and the keys. It is made where it is missing; keep it, and
    /// the merchant stays the same. The orders live in memory and go with the process.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,

    /// Shows a shop's page in WeChat's browser: listens on LISTEN, fetches from ORIGIN, and gives
    /// each page WeixinJSBridge and the cashier. Both are on this machine. May be repeated.
    #[arg(long = "wechat-browser", value_name = "LISTEN=ORIGIN")]
    wechat_browsers: Vec<BrowserArgument>,

    /// The address that merchants and buyers reach the simulator by, where it is not the one that
    /// it listens on. It goes into merchant.json and into every h5_url.
    #[arg(long, value_name = "URL")]
    public_base_url: Option<url::Url>,

    /// A domain that the merchant has registered for H5 and for OAuth. May be repeated; this
    /// machine's own addresses always are.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,

    /// Listens on, and sends notifications to, addresses beyond this machine. Whoever can reach
    /// the simulator can pay with it: for closed test networks only.
    #[arg(long)]
    allow_remote: bool,
}

const EXAMPLES: &str = "\
Try it:
  wechat-pay-simulator --state ./simulator
  wechat-pay-simulator --state ./simulator --wechat-browser 127.0.0.1:9411=http://127.0.0.1:8000

What there is:
  /v3/pay/transactions/…   orders (jsapi, h5, native), query, close: the gateway
  /phone                   a phone that scans codes: confirm, cancel, or let it fail
  /connect/oauth2/authorize and /sns/oauth2/access_token   who the buyer is
  POST /_simulator/pay     {\"code_url\"|\"prepay_id\"|\"h5_url\"|(\"mchid\",\"out_trade_no\"),
                            \"outcome\":\"success|cancel|fail\", \"openid\"?}
  GET  /_simulator/ledger?mchid=   every order, payment and notification
  POST /_simulator/clock   {\"advance_s\": 900}   lets time go by: expiry, retries

Time that is advanced moves WeChat's deadlines and retries. Signatures keep the wall's time, so
that a merchant whose clock was not advanced still accepts them. A time_expire that such a
merchant sends afterwards lies in WeChat's past: as WeChat does, it is moved to a minute from now.";

#[derive(Debug, Clone)]
struct BrowserArgument {
    listen: SocketAddr,
    shop: LoopbackOrigin,
}

impl FromStr for BrowserArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (listen, shop) = text
            .split_once('=')
            .ok_or("must be LISTEN=ORIGIN, as in 127.0.0.1:9411=http://127.0.0.1:8000")?;
        let listen: SocketAddr = listen
            .parse()
            .map_err(|_| "LISTEN must be an address with a port, as in 127.0.0.1:9411")?;
        if !listen.ip().is_loopback() {
            return Err("LISTEN must be an address of this machine".to_owned());
        }
        let shop = shop
            .parse()
            .map_err(|error: OriginError| format!("ORIGIN {error}"))?;
        Ok(Self { listen, shop })
    }
}

/// Why the simulator does not start, or stops.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("--listen {0} is not an address of this machine; --allow-remote permits it")]
    NotLoopback(SocketAddr),
    #[error("--public-base-url must be http or https, without path, query and user")]
    PublicBaseUrl,
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("keys: {0}")]
    Keyring(#[from] KeyringError),
    #[error("the way out: {0}")]
    Outgoing(#[from] OutgoingError),
    #[error("{0}")]
    Origin(#[from] OriginError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(arguments).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        return Err(StartError::NotLoopback(arguments.listen));
    }
    let (listener, address) = listen(arguments.listen).await?;
    let base_url = match &arguments.public_base_url {
        Some(url) => origin_of(url)?,
        None => format!("http://{address}"),
    };
    let simulator = build(&arguments, &base_url)?;
    let merchant = simulator.keyring().merchant();
    say(format_args!("WeChat Pay simulator  {base_url}"))?;
    say(format_args!("Phone                 {base_url}/phone"))?;
    say(format_args!(
        "Merchant {}   {}",
        merchant.mchid,
        arguments.state.join("merchant.json").display()
    ))?;

    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(serve(listener, simulator.app()));
    for browser in &arguments.wechat_browsers {
        let (listener, address) = listen(browser.listen).await?;
        let app = wechat_browser::app(
            &simulator,
            format!("http://{address}").parse()?,
            browser.shop.clone(),
            Outgoing::over_http(PAGE_TIMEOUT, false)?,
        );
        say(format_args!(
            "WeChat browser        http://{address}  (shows {})",
            browser.shop
        ))?;
        servers.spawn(serve(listener, app));
    }
    servers.spawn(run_when_due(simulator));
    tokio::select! {
        () = stop_signal() => Ok(()),
        ended = servers.join_next() => match ended {
            Some(Ok(result)) => result.map_err(StartError::from),
            Some(Err(error)) => Err(std::io::Error::other(error).into()),
            None => Ok(()),
        },
    }
}

fn build(arguments: &Arguments, base_url: &str) -> Result<Simulator, StartError> {
    let clock = Clock::system();
    let random = Random::system();
    let keyring = Keyring::load_or_create(&arguments.state, base_url, clock.wall(), &random)?;
    let domains: BTreeSet<String> = arguments
        .domains
        .iter()
        .map(|domain| domain.to_ascii_lowercase())
        .collect();
    Ok(Simulator::new(SimulatorParts {
        clock,
        random,
        keyring,
        domains,
        notifications: Outgoing::over_http(NOTIFICATION_TIMEOUT, arguments.allow_remote)?,
    }))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn serve(listener: TcpListener, app: Router) -> std::io::Result<()> {
    axum::serve(listener, app).await
}

/// Does what is due when it is due; a payment or an advanced clock wakes it early.
async fn run_when_due(simulator: Simulator) -> std::io::Result<()> {
    loop {
        // In a task of its own: a merchant that does not answer must not hold up the others.
        tokio::spawn({
            let simulator = simulator.clone();
            async move { simulator.run_due().await }
        });
        let wait = simulator.next_due().map(|due_at| {
            let left_ms = due_at.as_millisecond() - simulator.clock().now().as_millisecond();
            Duration::from_millis(u64::try_from(left_ms).unwrap_or_default())
        });
        // At least a moment between two looks; at most a minute, whatever the clock does.
        let wait = wait
            .unwrap_or(Duration::from_mins(1))
            .clamp(Duration::from_millis(20), Duration::from_mins(1));
        tokio::select! {
            () = simulator.work_arrived() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn origin_of(url: &url::Url) -> Result<String, StartError> {
    let bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    bare.then(|| url.origin().ascii_serialization())
        .ok_or(StartError::PublicBaseUrl)
}

/// A line for the person or the program that started it.
fn say(line: fmt::Arguments<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn stop_signal() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}
