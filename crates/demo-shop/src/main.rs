//! The shop as a program: `demo-shop --listen ADDR --merchant-server URL --public-origin ORIGIN`.

use std::error::Error;
use std::net::SocketAddr;

use clap::Parser;
use demo_shop::{ApiKey, ShopConfig, app, serve};
use tokio::net::TcpListener;
use url::Url;

/// The environment variable with the API key. An argument would show the key in the list of
/// processes.
const API_KEY_VARIABLE: &str = "DEMO_SHOP__API_KEY";

/// A small shop that sells three items through the merchant server.
#[derive(Parser)]
struct Arguments {
    /// The address to listen on, e.g. 127.0.0.1:8000.
    #[arg(long)]
    listen: SocketAddr,
    /// The merchant server, e.g. http://127.0.0.1:8080.
    #[arg(long)]
    merchant_server: Url,
    /// The key for its private API; better set in the environment as DEMO_SHOP__API_KEY.
    #[arg(long)]
    api_key: Option<String>,
    /// The origin where buyers reach this shop, e.g. http://127.0.0.1:8000.
    #[arg(long)]
    public_origin: Url,
    /// The origin where buyers reach it inside the simulator's WeChat browser, e.g.
    /// http://127.0.0.1:9411.
    #[arg(long)]
    wechat_origin: Option<Url>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let _log = log_output::start_logging(false);
    let arguments = Arguments::parse();
    let api_key = arguments
        .api_key
        .or_else(|| std::env::var(API_KEY_VARIABLE).ok())
        .ok_or_else(|| format!("no API key: set {API_KEY_VARIABLE} or give --api-key"))?;
    let app = app(ShopConfig {
        merchant_server: arguments.merchant_server,
        api_key: ApiKey::new(api_key),
        public_origin: arguments.public_origin,
        wechat_origin: arguments.wechat_origin,
    })?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    tracing::info!(address = %listener.local_addr()?, "the shop is listening");
    serve(listener, app, stop_signal()).await?;
    Ok(())
}

async fn stop_signal() {
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
