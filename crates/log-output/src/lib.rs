//! The log of our programs: a thread writes it to stderr from a bounded queue. Logging never makes
//! a request wait.
//!
//! stderr is often a pipe to a journal. If that reader stalls, the pipe fills up, and a server that
//! writes to it directly stops at its next log line, and with it the notifications of payments.
//! Here, lines that find the queue full are dropped and counted. The count is logged as soon as
//! lines get through again, and is in the merchant server's `/metrics`.

mod quiet_log;

use std::io::{IsTerminal as _, Write};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

pub use quiet_log::QuietLog;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// How many lines may wait for the reader of stderr: a few megabytes.
const QUEUED_LINES: usize = 8_192;

/// How often the log reports dropped lines.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How long the end of the process waits for the reader of stderr.
const FLUSH_MAX: Duration = Duration::from_millis(1_500);

/// The log belongs to the whole process, and so does its counter.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Starts the process's log, as text or as one JSON object per line. `RUST_LOG` selects what is
/// written.
#[must_use = "dropping the guard ends the log"]
pub fn start_logging(json: bool) -> LogGuard {
    let (writer, guard) = queued(std::io::stderr(), QUEUED_LINES);
    // A second call starts no second log and keeps the first counter.
    let _ = DROPPED.set(writer.error_counter());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(writer);
    if json {
        logging.json().init();
    } else {
        logging.init();
    }
    log_panics();
    std::thread::spawn(|| {
        let mut lines = DroppedLines::default();
        loop {
            std::thread::sleep(REPORT_EVERY);
            lines.report(dropped_lines());
        }
    });
    LogGuard(Some(guard))
}

/// The process's log. Dropping the guard writes the queued lines, for a limited time.
#[derive(Debug)]
pub struct LogGuard(Option<WorkerGuard>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        // The library's guard prints to stdout when its queue is full, and would never end if
        // nobody reads stdout either.
        let guard = self.0.take();
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            drop(guard);
            let _ = ended.send(());
        });
        let _ = end.recv_timeout(FLUSH_MAX);
    }
}

/// A writer that never waits for `to`.
fn queued(to: impl Write + Send + 'static, lines: usize) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(lines)
        .finish(to)
}

/// How many lines were dropped since the start.
pub fn dropped_lines() -> u64 {
    let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// The default panic hook writes to stderr itself, and would wait for its reader.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let reason = panic.payload_as_str().unwrap_or("no text");
        tracing::error!(place, reason, "a task panicked");
    }));
}

/// Logs a line when lines were dropped since the last report. If that line is dropped too, it is
/// counted, and the next report includes it.
#[derive(Debug, Default)]
struct DroppedLines {
    reported: u64,
}

impl DroppedLines {
    fn report(&mut self, dropped: u64) {
        if dropped > self.reported {
            tracing::warn!(
                event = "log.dropped",
                dropped_lines = dropped - self.reported,
                "log lines were dropped: the reader of the log is too slow or has stopped"
            );
            self.reported = dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that takes a line only when the test allows it.
    struct Stalled(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_reader_gets_the_queued_lines_and_the_rest_are_dropped_and_counted() {
        let (go_on, stalled) = mpsc::channel();
        let (written, lines) = mpsc::channel();
        let (mut writer, guard) = queued(Stalled(stalled, written), 4);
        for number in 0..100 {
            writer.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        let dropped = writer.error_counter().dropped_lines();
        // The queue's four lines, and perhaps one that the thread has already taken.
        assert!((95..=96).contains(&dropped), "{dropped}");
        drop(go_on);
        drop(guard);
        drop(writer);
        assert_eq!(lines.iter().count(), 100 - dropped);
    }
}
