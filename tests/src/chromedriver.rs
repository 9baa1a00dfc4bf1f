//! A chromedriver of our own: one process for each browser, on a port it picks itself, gone with
//! the value that holds it.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) struct Chromedriver {
    /// Held for its `kill_on_drop`.
    _process: Child,
    /// What driver and browser leave lying about goes with it.
    _folder: TempDir,
    pub(crate) url: String,
}

impl Chromedriver {
    pub(crate) async fn start() -> Self {
        let program = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(&program)
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program} does not start ({error}): install chromium-driver or set CHROMEDRIVER")
            });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let port = loop {
            let Some(line) = lines.next_line().await.unwrap() else {
                let status = process.wait().await;
                panic!("chromedriver ended before it listened: {status:?}, and said {said:?}");
            };
            said.push(line.clone());
            if let Some((_, port)) = line.rsplit_once("on port ")
                && line.contains("started successfully")
            {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // It would stop at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            _process: process,
            _folder: folder,
            url: format!("http://127.0.0.1:{port}"),
        }
    }
}

/// The browser's own program, with its whole path: chromedriver looks nothing up.
pub(crate) fn chromium() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(
        || {
            ["chromium", "chromium-browser", "google-chrome"]
                .into_iter()
                .find_map(on_path)
                .expect("a Chromium is on the PATH, or CHROMIUM names one")
        },
        PathBuf::from,
    )
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
