//! What a command ends with, and how it prints. It decides nothing.

use std::io::Write as _;

/// The result of a command.
pub(crate) enum Ending {
    /// The command succeeded.
    Done,
    /// The command succeeded and found differences.
    Differs,
}

pub(crate) type Ran = Result<Ending, Box<dyn std::error::Error>>;

/// Prints a result to the standard output. Logs go to the standard error.
pub(crate) fn say(text: &str) -> Ran {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(Ending::Done)
}
