//! `demo --check`: runs the program that pays once in each scene (`tests/demo_check`) against the demo's
//! servers. It prints a row for each scene, then the count.

use super::servers::{Servers, program};
use super::settings::Settings;
use crate::console;
use crate::failure::Failure;

/// Pays in every scene, and returns whether all were paid.
pub(super) fn every_scene(settings: &Settings, servers: &mut Servers) -> Result<bool, Failure> {
    let ports = &settings.ports;
    let status = program("demo-check")
        .args(["--merchant-server", &ports.merchant_origin()])
        .args(["--simulator", &ports.simulator_origin()])
        .args(["--shop", &ports.shop_origin()])
        .args(["--wechat-browser", &ports.wechat_origin()])
        .env("DEMO_CHECK__API_KEY", &settings.api_key)
        .status()
        .map_err(|error| Failure::Server(format!("demo-check could not be started: {error}")))?;
    // A server that died explains every other failure.
    if let Err(failure) = servers.all_alive() {
        console::note(failure.to_string());
        return Ok(false);
    }
    Ok(status.success())
}
