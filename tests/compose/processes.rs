//! The services as processes of this machine, none of which outlives the test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::here::{Here, postgres_programs};
use crate::{BALANCER, service, texts};

/// A service that is ended when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(here: &Here, compose: &Value, name: &str) -> Self {
        Self::spawn(here, here.service(service(compose, name)), name)
    }

    /// nginx, which is not built here; the words of its service must be those of the test.
    pub(crate) fn balancer(here: &Here, compose: &Value) -> Self {
        let words = texts(&service(compose, BALANCER)["command"]);
        assert_eq!(words, ["nginx", "-c", "/etc/merchant-server/balancer.conf"]);
        Self::spawn(here, here.nginx(&[]), BALANCER)
    }

    fn spawn(here: &Here, mut command: Command, name: &str) -> Self {
        let log = File::create(here.log_file(name)).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What PostgreSQL's image does at its first start, and the service's own command. It removes everything once
/// the test's end of the pipe is closed, and ignores what ends the test, because it has to outlive it.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
set -e
cd /
folder=$(mktemp -d "${TMPDIR:-/tmp}/compose-ledger.XXXXXX")
trap 'kill -INT "$server" 2>/dev/null; wait; rm -rf "$folder"' EXIT
initdb -D "$folder/data" -U "$POSTGRES_USER" -A "$POSTGRES_HOST_AUTH_METHOD" -E UTF8 --locale=C -N >/dev/null
"$@" -D "$folder/data" -k "$folder" -c fsync=off >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 300); do
    pg_isready --quiet --host="$folder" && break
    sleep 0.1
done
createdb --host="$folder" --username="$POSTGRES_USER" "$POSTGRES_DB"
echo ready
cat >/dev/null
"#;

pub(crate) struct Postgres(Child);

impl Postgres {
    pub(crate) fn start(here: &Here, service: &Value) -> Self {
        let words = texts(&service["command"]);
        assert_eq!(words[0], "postgres");
        // It does not run as root.
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        let shell: &[&str] = if is_root {
            &["runuser", "-u", "postgres", "--", "sh", "-c"]
        } else {
            &["sh", "-c"]
        };
        let mut script = here
            .command(shell)
            .args([SCRIPT, "sh"])
            .arg(postgres_programs().join("postgres"))
            .args(&words[1..])
            .envs(here.variables(service))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut says = BufReader::new(script.stdout.take().unwrap());
        says.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start");
        Self(script)
    }
}

impl Drop for Postgres {
    /// Waits until everything is removed.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
