//! Passes on what a program prints, and keeps the last lines of it for the report at the end of a run.
//!
//! It never changes what is passed on.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// How many lines are kept: a failed test's own words and the list of names after them.
const KEPT_LINES: usize = 40;
/// How long to wait for output after the program's end: what it started may hold its output open.
const AFTER_THE_END: Duration = Duration::from_secs(2);

/// What is passed on from any number of streams.
pub(super) struct Echo {
    lines: Receiver<String>,
    send: Option<Sender<String>>,
}

impl Echo {
    /// Of no stream yet.
    pub(super) fn new() -> Self {
        let (send, lines) = channel();
        Self {
            lines,
            send: Some(send),
        }
    }

    /// Passes on a stream from now on, as it is.
    pub(super) fn pass_on(
        &self,
        from: impl Read + Send + 'static,
        mut to: impl Write + Send + 'static,
    ) {
        let Some(send) = self.send.clone() else {
            return;
        };
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while matches!(from.read_until(b'\n', &mut line), Ok(1..)) {
                // A reader of ours that has gone away must not stop the tests.
                let _ = to.write_all(&line).and_then(|()| to.flush());
                let _ = send.send(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        });
    }

    /// The last lines, once the program has ended: without the frames of backtraces.
    pub(super) fn last_lines(mut self) -> Vec<String> {
        self.send = None;
        let mut kept = VecDeque::new();
        while let Ok(line) = self.lines.recv_timeout(AFTER_THE_END) {
            if is_frame(&line) {
                continue;
            }
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
        kept.into()
    }
}

/// Whether a line is one of a backtrace: `12: function` or `at file:line`, after blanks.
fn is_frame(line: &str) -> bool {
    let Some(words) = line.strip_prefix("  ").map(str::trim_start) else {
        return false;
    };
    let number = words.split(':').next().unwrap_or_default();
    words.starts_with("at ")
        || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, sink};

    use super::Echo;

    fn kept(output: &str) -> Vec<String> {
        let echo = Echo::new();
        echo.pass_on(Cursor::new(output.as_bytes().to_vec()), sink());
        echo.last_lines()
    }

    #[test]
    fn the_last_lines_are_kept_without_backtraces() {
        let panic = "thread 'paid' panicked at tests/paid.rs:7:5:\nleft: 1\nstack backtrace:\n   0: rust_begin_unwind\n             at ./library/std/src/panicking.rs:689:5\ntest result: FAILED";
        assert_eq!(
            kept(panic),
            [
                "thread 'paid' panicked at tests/paid.rs:7:5:",
                "left: 1",
                "stack backtrace:",
                "test result: FAILED",
            ]
        );
    }

    #[test]
    fn no_more_than_the_last_lines_are_kept_of_a_long_output() {
        let long: Vec<_> = (1..=100).map(|number| format!("line {number}")).collect();
        let kept = kept(&long.join("\n"));
        assert_eq!(kept.first().map(String::as_str), Some("line 61"));
        assert_eq!(kept.last().map(String::as_str), Some("line 100"));
    }

    #[test]
    fn bytes_that_are_no_text_are_no_trouble() {
        let echo = Echo::new();
        echo.pass_on(Cursor::new(b"\xff\xfe\nend".to_vec()), sink());
        assert_eq!(echo.last_lines().last().map(String::as_str), Some("end"));
    }
}
