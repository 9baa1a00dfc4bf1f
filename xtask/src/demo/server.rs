//! One server as a child process. Its last lines are kept and shown when it dies.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::console;
use crate::failure::Failure;

/// How many of a dead server's last lines are shown.
const LAST_LINES: usize = 20;
/// How long a server may take until it answers; the simulator makes RSA keys at its first start.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a server may take to exit by itself before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running server; it is stopped when dropped.
pub(super) struct Server {
    name: &'static str,
    child: Child,
    tail: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<JoinHandle<()>>,
}

/// The destination of the server's lines.
#[derive(Clone)]
pub(super) enum LineSink {
    Terminal,
    File(Arc<Mutex<File>>),
}

impl Server {
    /// Starts the server and waits until its health check passes.
    pub(super) fn start(
        name: &'static str,
        command: &mut Command,
        health_url: &str,
        sink: &LineSink,
    ) -> Result<Self, Failure> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::Server(format!("{name} could not be started: {error}")))?;
        let mut server = Self {
            name,
            child,
            tail: Arc::default(),
            readers: Vec::new(),
        };
        if let Some(output) = server.child.stdout.take() {
            server.follow(output, sink);
        }
        if let Some(output) = server.child.stderr.take() {
            server.follow(output, sink);
        }
        server.wait_until_healthy(health_url)?;
        Ok(server)
    }

    /// An error with the server's last lines, if it has exited.
    pub(super) fn alive(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                Err(self.failure_with_last_lines(&format!("ended by itself ({status})")))
            }
            Err(error) => Err(self.failure_with_last_lines(&format!("is lost: {error}"))),
        }
    }

    /// Asks the server to exit; `Drop` waits for that, and kills the server if it does not exit.
    pub(super) fn ask_to_stop(&self) {
        // Rust's standard library can only send SIGKILL.
        #[cfg(unix)]
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .stderr(Stdio::null())
            .status();
    }

    fn wait_until_healthy(&mut self, health_url: &str) -> Result<(), Failure> {
        let config = ureq::Agent::config_builder()
            .proxy(None)
            .timeout_global(Some(START_LIMIT));
        let client: ureq::Agent = config.build().into();
        let start = Instant::now();
        loop {
            self.alive()?;
            if client.get(health_url).call().is_ok() {
                return Ok(());
            }
            if start.elapsed() > START_LIMIT {
                return Err(self.failure_with_last_lines(&format!(
                    "did not answer {health_url} within {} s",
                    START_LIMIT.as_secs()
                )));
            }
            thread::sleep(Duration::from_millis(25));
        }
    }

    fn follow(&mut self, output: impl Read + Send + 'static, sink: &LineSink) {
        let (name, tail, sink) = (self.name, Arc::clone(&self.tail), sink.clone());
        self.readers.push(thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                match &sink {
                    LineSink::Terminal => console::note(format!("{name} | {line}")),
                    LineSink::File(file) => {
                        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                        // A full disk must not stop a payment.
                        let _ = writeln!(file, "{line}");
                    }
                }
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                if tail.len() == LAST_LINES {
                    tail.pop_front();
                }
                tail.push_back(line);
            }
        }));
    }

    fn failure_with_last_lines(&mut self, what: &str) -> Failure {
        // Killed if it still runs, so that its pipes close and its last lines are read.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = tail.iter().map(String::as_str).collect();
        Failure::Server(format!(
            "the {} {what}; its last lines:\n{}",
            self.name,
            lines.join("\n")
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
        let start = Instant::now();
        while start.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // The process may have exited in between: then there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{LineSink, Server};

    #[test]
    fn a_server_that_dies_leaves_its_last_lines() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo the key is unreadable >&2; exit 7"]);
        let ended = Server::start(
            "merchant server",
            &mut command,
            "http://127.0.0.1:9/",
            &LineSink::Terminal,
        );
        let said = ended.err().map(|failure| failure.to_string()).unwrap();
        assert!(said.contains("merchant server"), "{said}");
        assert!(said.contains("exit status: 7"), "{said}");
        assert!(said.ends_with("the key is unreadable"), "{said}");
    }
}
