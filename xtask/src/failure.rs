//! Why a task ended early, in words for the person at the terminal.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a tool comes from, over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    CratesIo,
    Debian,
    Npm,
    PyPi,
    /// Rust's own server, by rustup.
    Rust,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CratesIo => "crates.io",
            Self::Debian => "Debian's mirror",
            Self::Npm => "npm's registry",
            Self::PyPi => "PyPI",
            Self::Rust => "Rust's server (rustup)",
        })
    }
}

/// What stopped a task. Every variant is printed as it is; xtask retries none of them.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A step of the setup cannot be done here. The user may run `by_hand` and call again.
    Setup {
        /// The name of the step.
        step: String,
        /// What went wrong, one sentence.
        why: String,
        /// Where the step gets it from.
        from: Source,
        /// A command line that does the same.
        by_hand: String,
    },
    /// A command failed; the command has printed the cause itself.
    Command {
        /// The command line, as one would type it.
        command: String,
        /// Its exit status, or why it could not be started.
        status: String,
        /// The last lines that it printed, if they were kept.
        last_lines: Vec<String>,
    },
    /// A command did not end in time and was killed.
    TimedOut {
        /// The command line, as one would type it.
        command: String,
        /// The time that the command was given.
        limit: Duration,
    },
    /// A file could not be read, written or found.
    File {
        /// The path of the file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A check of ours found something; one finding a line.
    Findings(Vec<String>),
    /// A port cannot be used.
    Port {
        /// The port.
        port: u16,
        /// What is wrong with it, such as `is in use`.
        why: String,
        /// The server that needs the port.
        wanted_by: &'static str,
        /// The flag that sets another port.
        flag: &'static str,
    },
    /// Ports that the servers of a demo cannot have.
    Ports(&'static str),
}

impl Failure {
    /// For `map_err` on file operations.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::File {
            path,
            why: error.to_string(),
        }
    }
}

impl Failure {
    /// The same failure of a command, with the end of what the command printed.
    pub(crate) fn with_last_lines(mut self, lines: Vec<String>) -> Self {
        if let Self::Command { last_lines, .. } = &mut self {
            *last_lines = lines;
        }
        self
    }

    /// The end of what the failed command printed.
    pub(crate) fn last_lines(&self) -> &[String] {
        match self {
            Self::Command { last_lines, .. } => last_lines,
            _ => &[],
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup {
                step,
                why,
                from,
                by_hand,
            } => write!(
                f,
                "setup step \"{step}\" failed: {why}\n  it comes from {from}, so it needs a network (behind a proxy: HTTPS_PROXY)\n  by hand: {by_hand}\n  then run the same task again"
            ),
            Self::Command {
                command, status, ..
            } => write!(f, "`{command}` failed: {status}"),
            Self::TimedOut { command, limit } => {
                write!(f, "`{command}` did not end within {} s", limit.as_secs())
            }
            Self::File { path, why } => write!(f, "{}: {why}", path.display()),
            Self::Findings(findings) => write!(f, "{}", findings.join("\n")),
            Self::Port {
                port,
                why,
                wanted_by,
                flag,
            } => write!(
                f,
                "port {port} on 127.0.0.1 {why}, and the {wanted_by} needs one: choose another with {flag}"
            ),
            Self::Ports(why) => f.write_str(why),
        }
    }
}
