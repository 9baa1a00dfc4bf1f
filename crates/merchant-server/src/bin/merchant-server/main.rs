//! `merchant-server`: the command line. It reads a configuration and runs a command; everything
//! else is in the library.

mod arguments;
mod codes;
mod commands;
mod element;
mod output;
mod rows;
mod signals;

use std::error::Error;
use std::process::ExitCode;

use arguments::Arguments;
use clap::Parser as _;
use commands::{Misuse, NoMerchant};
use element::load_config;
use log_output::start_logging;
use merchant_server::product_codes::CodeError;
use merchant_server::{LedgerError, NoBill, NotExported, NotFinished, NotMoved, ServeError};
use output::{Ending, Ran};

const EXIT_FAILED: u8 = 1;
/// The exit code of a usage error, and of an invalid configuration.
const EXIT_CONFIG: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command, log_json } = Arguments::parse();
    let _log = start_logging(log_json);
    let Some(file) = command.config_file() else {
        return ended(Box::pin(commands::run_alone(&command)).await);
    };
    let config = match load_config(file) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "the configuration is refused");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    ended(Box::pin(commands::run(&command, config)).await)
}

fn ended(ran: Ran) -> ExitCode {
    match ran {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Differs) => ExitCode::from(EXIT_FAILED),
        Err(error) => {
            tracing::error!(%error, "failed");
            ExitCode::from(code_of(&*error))
        }
    }
}

/// A request that can never succeed is a usage error, like a misspelt word.
fn code_of(error: &(dyn Error + 'static)) -> u8 {
    let is_misuse = error.downcast_ref().is_some_and(CodeError::is_misuse)
        || matches!(error.downcast_ref(), Some(NoBill::SubMchid(_)))
        || matches!(error.downcast_ref(), Some(NotFinished::Note(_)))
        || matches!(error.downcast_ref(), Some(NotExported::Span))
        || error.is::<NoMerchant>()
        || error.is::<Misuse>()
        || matches!(error.downcast_ref(), Some(NotMoved::Address(_)))
        || matches!(
            ledger_error(error),
            Some(
                LedgerError::OtherOwner { .. }
                    | LedgerError::OwnerLeft { .. }
                    | LedgerError::NoOwner
            )
        )
        // It was tried for a while: the address is probably wrong.
        || ledger_error(error).is_some_and(LedgerError::is_unreachable);
    if is_misuse { EXIT_CONFIG } else { EXIT_FAILED }
}

/// The ledger error of any command.
fn ledger_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a LedgerError> {
    if let Some(ServeError::Ledger(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(NoBill::Ledger(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(NotFinished::Ledger(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(NotExported::Ledger(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(CodeError::Ledger(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}
