//! A PostgreSQL server of one chaos run: it is made for the run, stopped as if by a crash again and
//! again, and removed when the run ends, however it ends. It does not wait for the disk: what it wrote
//! survives its own end, and nobody cuts the power.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::chaos_run::ChaosRun;
use crate::plan::{Kill, Mode};

/// Starts a server, says where its socket is, stops and starts it at each line, and removes everything
/// once the run's end of the pipe is closed. It ignores what ends the run, because it has to outlive it.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
set -e
cd /
folder=$(mktemp -d "${TMPDIR:-/tmp}/chaos-ledger.XXXXXX")
trap '"$0/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$0/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C -N >/dev/null
start() {
    "$0/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 \
        -o "-c listen_addresses='' -k $folder -c fsync=off -c max_connections=300" start >/dev/null
}
start
for name in "$@"; do "$0/createdb" -h "$folder" -U postgres "$name"; done
echo "$folder"
while read -r down_s; do
    "$0/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
    sleep "$down_s"
    start
    echo started
done
"#;

/// The server, and the script that watches over it.
pub(crate) struct Postgres {
    socket: PathBuf,
    script: Mutex<Script>,
    restarts: AtomicU64,
}

struct Script {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Postgres {
    /// Starts a server with a database for each mode. `programs` is the folder with `initdb`.
    pub(crate) fn start(programs: &Path) -> Self {
        let databases = Mode::ALL.map(Mode::as_str);
        let mut process = command_of_postgres()
            .args(["-c", SCRIPT])
            .arg(programs)
            .args(databases)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let mut script = Script { process, says };
        let socket = script.line();
        assert!(!socket.is_empty(), "PostgreSQL did not start");
        Self {
            socket: socket.into(),
            script: Mutex::new(script),
            restarts: AtomicU64::new(0),
        }
    }

    /// The address of a mode's database.
    pub(crate) fn address(&self, mode: Mode) -> String {
        format!(
            "postgres://postgres@localhost/{}?host={}",
            mode.as_str(),
            self.socket.display()
        )
    }

    /// How often it was stopped and started.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Runs each restart in its turn. The server is up again when this returns.
    pub(crate) async fn run_restarts(self: &Arc<Self>, restarts: &[Kill], chaos: &ChaosRun) {
        for restart in restarts {
            restart.is_due(chaos).await;
            let (server, down_ms) = (self.clone(), restart.down_ms);
            let restarting = move || server.script.lock().unwrap().restart(down_ms);
            tokio::task::spawn_blocking(restarting).await.unwrap();
            self.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Script {
    fn restart(&mut self, down_ms: u64) {
        let input = self.process.stdin.as_mut().unwrap();
        writeln!(input, "{}.{:03}", down_ms / 1000, down_ms % 1000).unwrap();
        assert_eq!(self.line(), "started", "PostgreSQL did not start again");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Script {
    /// Waits until everything is removed.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A shell. PostgreSQL does not run as root.
fn command_of_postgres() -> Command {
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    }
}
