//! stub
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;
/// x
#[derive(Args)]
pub(crate) struct Options {}
pub(crate) fn run(_o: &Options) -> ExitCode {
    ExitCode::from(2)
}
pub(crate) fn check_for_test() -> Result<(), Failure> {
    Err(Failure::Server("not yet".into()))
}
