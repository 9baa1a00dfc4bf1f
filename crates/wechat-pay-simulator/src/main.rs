//! The program: reads the command line, opens the sockets, runs due work.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use tokio::net::TcpListener;
use wechat_pay_simulator::wechat_browser::{self, LoopbackOrigin, OriginError};
use wechat_pay_simulator::{
    Clock, Keyring, KeyringError, NOTIFICATION_TIMEOUT, Outgoing, OutgoingError, Random, Settings,
    SettingsError, Simulator, SimulatorOptions, SimulatorParts, StateError, Tls, TlsError, Trust,
    serve, serve_tls,
};

/// The timeout of the WeChat browser. A shop may hold a long poll for 25 seconds.
const PAGE_TIMEOUT: Duration = Duration::from_secs(90);

/// WeChat Pay on your own machine: APIv3 with real signatures in both directions, and no money.
///
/// To use it with any APIv3 client, take the address, the numbers and the keys from
/// STATE/merchant.json, which is made on the first start. Its files are in the same folder.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
struct Arguments {
    /// The address to listen on. It must be a loopback address, unless --allow-remote is given. Port 0
    /// chooses a free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9410")]
    listen: SocketAddr,

    /// The folder for merchant.json, the keys and the ledger (simulator.sqlite3). It is
    /// created if it is missing. With the same folder a restart has the same merchant and orders. The
    /// password of apiclient_cert.p12 is the merchant number.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,

    /// Also listens here with HTTPS, as WeChat does, and asks for the merchant's certificate where version
    /// 2 refunds and reverses. Clients have to trust STATE/tls_ca.pem, which is made on the first start.
    #[arg(long, value_name = "ADDR")]
    tls_listen: Option<SocketAddr>,

    /// Keeps orders only in memory; they end with the process. The keys are still stored.
    #[arg(long)]
    in_memory: bool,

    /// The number of merchants. Each but the first has its merchant.json in
    /// STATE/merchants/2, STATE/merchants/3 and so on.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=20))]
    merchants: u8,

    /// A TOML file of settings, for points on which WeChat's documents contradict each other.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// One setting, as in --set code_pay=false. May be repeated; it overrides --config. All settings
    /// are listed below.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    changes: Vec<String>,

    /// Shows a shop in WeChat's browser: listens on LISTEN, forwards to ORIGIN, and gives each page
    /// WeixinJSBridge and the cashier. Both must be on this machine. May be repeated.
    #[arg(long = "wechat-browser", value_name = "LISTEN=ORIGIN")]
    wechat_browsers: Vec<BrowserArgument>,

    /// The simulator's address for merchants and buyers, if it differs from --listen. It is written
    /// to merchant.json and to every h5_url.
    #[arg(long, value_name = "URL")]
    public_base_url: Option<url::Url>,

    /// A registered domain of the merchant for H5 and OAuth. May be repeated; addresses of this machine
    /// are always allowed.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,

    /// Allows listening on, and notifying, addresses of other machines. Everyone who can reach the
    /// simulator can pay with it: only for closed test networks.
    #[arg(long)]
    allow_remote: bool,
}

const EXAMPLES: &str = "\
Try it:
  wechat-pay-simulator --state ./simulator
  wechat-pay-simulator --state ./simulator --wechat-browser 127.0.0.1:9411=http://127.0.0.1:8000

  wechat-pay-simulator --state ./simulator --merchants 2 --set refund_outcome=abnormal
  curl http://127.0.0.1:9410/_simulator/merchants     merchant numbers and openids

Pages: http://127.0.0.1:9410/  explains how to configure an SDK;  /phone  scans and pays;
/ledger  shows every order, refund and notification;  /control  changes settings and the clock.

WeChat's routes:
  /v3/pay/transactions/…            orders (jsapi, h5, native, app, codepay), query, close, reverse
  /v3/pay/partner/transactions/…    the same for a sub-merchant (two of them: see /_simulator/merchants)
  /v3/combine-transactions/…        combined orders (jsapi, h5, native, app), query, close
  /v3/refund/domestic/refunds…      refunds, their results, apply-abnormal-refund
  /v3/profitsharing/…               receivers, shares, releases, returns, what is left to share
  /v3/bill/tradebill, fundflowbill, sub-merchant-fundflowbill
                                    bills that agree with the ledger to the fen
  /v3/certificates                  platform certificates, with rotation
  /connect/oauth2/authorize, /sns/oauth2/access_token, /sns/jscode2session   who the buyer is
  /cgi-bin/stable_token, /wxa/sec/order/upload_shipping_info   what was sent to a mini-program's buyer

The simulator's own routes (described by /_simulator/openapi.json):
  POST /_simulator/pay       {\"code_url\"|\"prepay_id\"|\"h5_url\"|(\"mchid\",\"out_trade_no\"|\"combine_out_trade_no\"),
                              \"outcome\":\"success|cancel|fail\", \"openid\"?, \"payer\"?, \"late\"?}
  GET  /_simulator/ledger?mchid=   every order, payment, refund and notification
  POST /_simulator/clock     {\"advance_s\": 900}   advances the clock: expiry, retries
  POST /_simulator/faults    [{\"route\":\"close\",\"kind\":\"error_after\",\"rate\":0.5,\"seed\":7}]
                             replaces the faults, DELETE clears them
  POST /_simulator/refund, /_simulator/refund/outcome     refunds in the portal, results of refunds
  POST /_simulator/event     {\"url\", \"event_type\", \"original_type\"?, \"resource\":{…}, \"id\"?, \"summary\"?, \"mchid\"?}
                             sends a notification that is no payment and no refund: COUPON.USE and the like
  POST /_simulator/certificates/rotate, …/migrate         a new certificate; the migration to the public key
  PATCH /_simulator/settings                              changes settings

A fault rule names a route: order, query, close, reverse, refund, refund_query, abnormal_refund, receiver,
share, share_return, share_query, bill, bill_file, certificates, notification, or all of them (*). Kinds:
  latency                               the answer takes delay_ms
  refused                               a documented refusal, by its code
  too_many_requests, error_before       429 or 500; the request is not executed
  error_after, timeout_after            500 or no answer; the request is executed
  accepted                              202: send the same request again
  wrong_signature, signtest, clock_skew a signature that must be refused
  close_lies                            204, and the order stays open; pay it with \"late\"
  dropped, repeated, reordered, tampered, late      only for notifications

Settings, each with its default:
  description_limit=bytes (characters)        changed_order=invalid_request (out_trade_no_used)
  paid_code=ORDERPAID (ORDER_PAID)            rate_code=FREQUENCY_LIMITED (RATELIMIT_EXCEEDED)
  deadline_cap_days=7 (15)                    bill_link_s=300 (30)
  bill_path=/v3/billdownload/file (/v3/bill/downloadurl)    bills_at_once=false
  code_pay=true                               oaep=sha1 (sha256)
  certificate_blank_key=false                 sign_refusals=false
  unknown_openids=false                       payers=3
  refund_after_s=3                            refund_outcome=success (abnormal, closed)
  share_after_s=3                             share_outcome=success (closed)
  share_notify_url=
  portal_notify_url=                          trust=public_key (certificates)
  unknown_route=body (empty)                  native_callback_url=

trust is the kind of WeChat's keys: the public key, which new merchants get, or platform certificates,
which SDKs download from /v3/certificates. A folder that was made when certificates were the default
keeps them.

Advancing the clock changes WeChat's deadlines and retries. Signatures keep the system's time, so
that a merchant accepts them without advancing its own clock. A time_expire of such a merchant is
then in the past for WeChat: as WeChat does, the simulator moves it to a minute from now.";

#[derive(Clone, Debug)]
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

/// Why the simulator does not start or stops.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("{0} is not an address of this machine; --allow-remote permits to listen on it")]
    NotLoopback(SocketAddr),
    #[error("--public-base-url must be http or https, without path, query and user")]
    PublicBaseUrl,
    #[error("cannot listen on {address}: {source}{}", listening_advice(.source.kind(), .option))]
    Listen {
        address: SocketAddr,
        option: &'static str,
        source: std::io::Error,
    },
    #[error("--config {path}: {source}")]
    Config {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("settings: {0}")]
    Settings(#[from] SettingsError),
    #[error("{}: {source}{}", .path.display(), FOLDER_ADVICE)]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("state: {0}")]
    State(StateError),
    #[error("keys: {0}")]
    Keyring(KeyringError),
    #[error("outgoing requests: {0}")]
    Outgoing(#[from] OutgoingError),
    #[error("--tls-listen: {0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Origin(#[from] OriginError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What a person does about a folder that cannot be written.
const FOLDER_ADVICE: &str =
    "; --state must be a folder that the simulator may write, or may create";

impl From<StateError> for StartError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<KeyringError> for StartError {
    /// A file that cannot be written is a matter of the folder.
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::File { path, source } => Self::Folder { path, source },
            error => Self::Keyring(error),
        }
    }
}

/// What a person does about an address.
fn listening_advice(kind: ErrorKind, option: &str) -> String {
    match kind {
        ErrorKind::AddrInUse => {
            format!("; another program listens there: end it, or choose another port with {option}")
        }
        ErrorKind::PermissionDenied => format!(
            "; a port below 1024 needs a right of its own: choose another port with {option}"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("; this machine has no such address: choose another one with {option}")
        }
        _ => String::new(),
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let _log = log_output::start_logging(false);
    match run(arguments).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    for address in arguments.tls_listen.into_iter().chain([arguments.listen]) {
        if !address.ip().is_loopback() && !arguments.allow_remote {
            return Err(StartError::NotLoopback(address));
        }
    }
    let (listener, address) = listen(arguments.listen, "--listen").await?;
    let base_url = match &arguments.public_base_url {
        Some(url) => origin_of(url)?,
        None => format!("http://{address}"),
    };
    let simulator = build(&arguments, &base_url).await?;
    let merchant = simulator.keyring().merchant();
    print_line(format_args!("WeChat Pay simulator  {base_url}"))?;
    print_line(format_args!("Phone                 {base_url}/phone"))?;
    print_line(format_args!(
        "Merchant {}   {}",
        merchant.mchid,
        arguments.state.join("merchant.json").display()
    ))?;

    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(serve(listener, simulator.app()));
    if let Some(address) = arguments.tls_listen {
        let (listener, address) = listen(address, "--tls-listen").await?;
        let mut hosts = vec![address.ip().to_string()];
        let public = arguments.public_base_url.as_ref();
        hosts.extend(
            public
                .and_then(|url| url.host_str())
                .map(|host| host.trim_matches(['[', ']']).to_owned()),
        );
        let tls = Tls::load_or_create(&arguments.state, &simulator, &hosts)?;
        print_line(format_args!(
            "With HTTPS            https://{address}  (trust {})",
            arguments.state.join("tls_ca.pem").display()
        ))?;
        servers.spawn(serve_tls(listener, simulator.app(), tls));
    }
    for browser in &arguments.wechat_browsers {
        let (listener, address) = listen(browser.listen, "--wechat-browser").await?;
        let app = wechat_browser::app(
            &simulator,
            format!("http://{address}").parse()?,
            browser.shop.clone(),
            Outgoing::over_http(PAGE_TIMEOUT, false)?,
        );
        print_line(format_args!(
            "WeChat browser        http://{address}  (shows {})",
            browser.shop
        ))?;
        servers.spawn(show(listener, app));
    }
    servers.spawn(async move { match simulator.run_for_ever().await {} });
    tokio::select! {
        () = stop_signal() => Ok(()),
        ended = servers.join_next() => match ended {
            Some(Ok(result)) => result.map_err(StartError::from),
            Some(Err(error)) => Err(std::io::Error::other(error).into()),
            None => Ok(()),
        },
    }
}

async fn build(arguments: &Arguments, base_url: &str) -> Result<Simulator, StartError> {
    let clock = Clock::system();
    let random = Random::system();
    let keys = |folder: &Path| Keyring::load_or_create(folder, base_url, clock.wall(), &random);
    let keyring = keys(&arguments.state)?;
    let mut more_merchants = Vec::new();
    for number in 2..=arguments.merchants {
        let folder = arguments.state.join("merchants").join(number.to_string());
        more_merchants.push(keys(&folder)?);
    }
    let options = SimulatorOptions {
        settings: settings(arguments, keyring.default_trust())?,
        more_merchants,
    };
    let domains: BTreeSet<String> = arguments
        .domains
        .iter()
        .map(|domain| domain.to_ascii_lowercase())
        .collect();
    let notifications = Outgoing::over_http(NOTIFICATION_TIMEOUT, arguments.allow_remote)?;
    let parts = SimulatorParts {
        clock,
        random,
        domains,
        ..SimulatorParts::new(keyring, notifications)
    };
    if arguments.in_memory {
        return Ok(Simulator::with_options(parts, options));
    }
    let path = arguments.state.join("simulator.sqlite3");
    Ok(Simulator::open(parts, options, &path).await?)
}

fn settings(arguments: &Arguments, default_trust: Trust) -> Result<Settings, StartError> {
    let default = Settings {
        trust: default_trust,
        ..Settings::default()
    };
    let mut settings = match &arguments.config {
        None => default,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| StartError::Config {
                path: path.clone(),
                source,
            })?;
            default.with_toml(&text)?
        }
    };
    for line in &arguments.changes {
        settings = settings.with(line)?;
    }
    Ok(settings)
}

async fn listen(
    address: SocketAddr,
    option: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        address,
        option,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Serves the WeChat browser.
async fn show(listener: TcpListener, app: Router) -> std::io::Result<()> {
    axum::serve(listener, app).await
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

/// A line on standard output, for the person or program that started it.
fn print_line(line: fmt::Arguments<'_>) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Arguments, EXAMPLES};

    /// The OpenAPI description of the control interface.
    const CONTROL: &str = include_str!("../goldens/control-openapi.json");

    #[test]
    fn help_names_every_setting_and_every_fault() {
        let control: serde_json::Value = serde_json::from_str(CONTROL).expect("it is JSON");
        let schemas = &control["components"]["schemas"];
        let settings = schemas["Settings"]["properties"].as_object();
        for name in settings.into_iter().flatten().map(|(name, _)| name) {
            assert!(EXAMPLES.contains(&format!("{name}=")), "{name}");
        }
        for kind in ["kind", "route"] {
            let words = schemas["FaultRule"]["properties"][kind]["enum"].as_array();
            for word in words.into_iter().flatten() {
                let word = word.as_str().unwrap_or_default();
                assert!(EXAMPLES.contains(word), "{word}");
            }
        }
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }
}
