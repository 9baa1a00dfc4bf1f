//! The database of a test: a file of SQLite, or with `LEDGER=postgres` a database on a PostgreSQL server
//! that is started for this run and removed when the run ends, however it ends.
//!
//! Each test has a database of its own, a copy of one that was migrated. The server listens on a socket
//! in a folder of its own and on no port. It does not wait for the disk: no test cuts the power.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Once;

use sqlx::{AnyPool, AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::{Mutex, OnceCell};

use crate::test_server::configuration;

/// Starts a server, says where its socket is, lets it crash and starts it again at each line, and removes
/// everything once the run's end of the pipe is closed. It ignores what ends the run, because it has to
/// outlive it. The databases are in memory where there is room: each has three hundred files, and to make
/// and delete them on a disk took half of a run.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
set -e
cd /
base=${TMPDIR:-/tmp}
room_kb=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
[ "${room_kb:-0}" -lt 4000000 ] || base=/dev/shm
folder=$(mktemp -d "$base/ledger-tests.XXXXXX")
trap '"$0/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$0/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C -N >/dev/null
start() {
    "$0/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 -o "-c listen_addresses='' -k $folder \
        -c fsync=off -c max_connections=500 -c shared_buffers=64MB $1" start >/dev/null
}
start "$1"
echo "$folder"
while read -r _; do
    "$0/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
    start "$1"
    echo started
done
"#;

struct Cluster {
    socket: PathBuf,
    /// The databases of the tests, by the folder that a test has for itself.
    databases: Mutex<HashMap<PathBuf, String>>,
    /// Has files copied as they are, at the end of the statement that makes a database. The other way writes
    /// each page to the journal, and takes twice as long.
    copy_files: &'static str,
    /// Keeps the script waiting.
    _script: Script,
}

/// A server for one test, which lets it crash.
pub(crate) struct Fragile {
    socket: PathBuf,
    script: std::sync::Mutex<Script>,
}

struct Script {
    process: Child,
    says: BufReader<ChildStdout>,
}

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
const TEMPLATE: &str = "ledger_template";

/// Whether the tests run on PostgreSQL.
pub(crate) fn is_used() -> bool {
    match std::env::var("LEDGER").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("LEDGER must be postgres or sqlite, and is {other}"),
    }
}

/// The configuration with the database of the test that has this folder, unless it names one.
pub(crate) async fn configured(configuration: &str, folder: &Path) -> String {
    let names_one = configuration
        .lines()
        .any(|line| line.trim_start().starts_with("database ="));
    if names_one || !is_used() {
        return configuration.to_owned();
    }
    format!("database = \"{}\"\n{configuration}", address(folder).await)
}

/// The same for callers that cannot wait.
pub(crate) fn configured_at_once(configuration: &str, folder: &Path) -> String {
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(configured(configuration, folder))
        });
        waiting.join().unwrap()
    })
}

/// The address of the database of the test that has this folder, as another program would use it.
pub(crate) async fn address(folder: &Path) -> String {
    if !is_used() {
        let file = folder.join("merchant-server.sqlite3");
        return format!("sqlite://{}", file.display());
    }
    let cluster = CLUSTER.get_or_init(start).await;
    let mut databases = cluster.databases.lock().await;
    if let Some(name) = databases.get(folder) {
        return cluster.address_of(name);
    }
    let over = |folder: &Path| !folder.exists();
    let gone: Vec<_> = databases.extract_if(|folder, _| over(folder)).collect();
    let name = format!("test_{}", uuid_of(folder));
    databases.insert(folder.to_owned(), name.clone());
    drop(databases);
    let mut admin = cluster.admin().await;
    for (_, name) in gone {
        execute(&mut admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
    let copy_files = cluster.copy_files;
    let copy = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} {copy_files}");
    execute(&mut admin, &copy).await;
    cluster.address_of(&name)
}

/// No connection to the database of the test is left, and none can be made.
pub(crate) async fn take_away(folder: &Path) {
    let name = format!("test_{}", uuid_of(folder));
    let mut admin = CLUSTER.get_or_init(start).await.admin().await;
    execute(
        &mut admin,
        &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
    )
    .await;
    execute(
        &mut admin,
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    )
    .await;
}

/// The opposite of [`take_away`].
pub(crate) async fn give_back(folder: &Path) {
    let name = format!("test_{}", uuid_of(folder));
    let mut admin = CLUSTER.get_or_init(start).await.admin().await;
    execute(
        &mut admin,
        &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"),
    )
    .await;
}

/// An empty database.
pub(crate) async fn empty(folder: &Path) -> String {
    let cluster = CLUSTER.get_or_init(start).await;
    let name = format!("empty_{}", uuid_of(folder));
    let mut admin = cluster.admin().await;
    execute(&mut admin, &format!("CREATE DATABASE {name}")).await;
    cluster.address_of(&name)
}

/// The database, opened as another program would open it.
pub(crate) async fn opened(address: &str) -> AnyPool {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    AnyPool::connect(address).await.unwrap()
}

/// The folders of tests have random names.
fn uuid_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let bytes = name.bytes().map(|byte| format!("{byte:02x}"));
    bytes.collect()
}

impl Fragile {
    pub(crate) async fn start() -> Self {
        let (script, socket) = tokio::task::spawn_blocking(run).await.unwrap();
        let script = std::sync::Mutex::new(script);
        Self { socket, script }
    }

    /// The address of its one database, which is empty.
    pub(crate) fn address(&self) -> String {
        address_at(&self.socket, "postgres")
    }

    /// The server ends at once, as by a crash, and is up again when this returns.
    pub(crate) fn crash(&self) {
        let mut script = self.script.lock().unwrap();
        writeln!(script.process.stdin.as_mut().unwrap()).unwrap();
        assert_eq!(script.line(), "started", "PostgreSQL did not start again");
    }
}

impl Script {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

async fn start() -> Cluster {
    let (script, socket) = tokio::task::spawn_blocking(run).await.unwrap();
    let mut cluster = Cluster {
        socket,
        databases: Mutex::default(),
        copy_files: "",
        _script: script,
    };
    let mut admin = cluster.admin().await;
    // Before version 15 there is no other way, and no word for this one.
    if admin.server_version_num() >= Some(150_000) {
        cluster.copy_files = "STRATEGY FILE_COPY";
    }
    execute(&mut admin, &format!("CREATE DATABASE {TEMPLATE}")).await;
    let address = cluster.address_of(TEMPLATE);
    let text = configuration(&format!("database = \"{address}\""));
    let config = merchant_server::Config::parse(&text, Path::new(".")).unwrap();
    merchant_server::migrate(&config).await.unwrap();
    // Each test's own merchant takes its copy over.
    let mut template = PgConnection::connect(&address).await.unwrap();
    execute(&mut template, "DELETE FROM owner").await;
    template.close().await.unwrap();
    cluster
}

fn run() -> (Script, PathBuf) {
    let folder = programs();
    let root = rustix::process::getuid().is_root();
    // PostgreSQL does not run as root.
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let settings = std::env::var("LEDGER_POSTGRES_SETTINGS").unwrap_or_default();
    let mut process = command
        .args(["-c", SCRIPT])
        .arg(folder)
        .arg(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let says = BufReader::new(process.stdout.take().unwrap());
    let mut script = Script { process, says };
    let socket = script.line();
    assert!(!socket.is_empty(), "PostgreSQL did not start");
    (script, socket.into())
}

/// The folder with PostgreSQL's programs: `POSTGRES_BIN`, or the newest version that Debian installed.
pub(crate) fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("POSTGRES_BIN") {
        return folder.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let newest = versions
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .max();
    newest.expect("PostgreSQL: apt-get install postgresql, or set POSTGRES_BIN")
}

impl Cluster {
    fn address_of(&self, name: &str) -> String {
        address_at(&self.socket, name)
    }

    async fn admin(&self) -> PgConnection {
        let address = self.address_of("postgres");
        PgConnection::connect(&address).await.unwrap()
    }
}

fn address_at(socket: &Path, database: &str) -> String {
    format!(
        "postgres://postgres@localhost/{database}?host={}",
        socket.display()
    )
}

async fn execute(on: &mut PgConnection, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(on).await.unwrap();
}
