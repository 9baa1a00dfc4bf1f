//! A program of an example as a process of its own, on a loopback port. It ends with its value. If the test fails, what
//! the program printed comes with the report.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::port::Port;
use crate::wait::until;

const OUTPUT: &str = "output.txt";

/// The running program.
pub struct ExampleProgram {
    process: Child,
    address: String,
    /// What it printed, and the files that it keeps.
    folder: TempDir,
}

impl ExampleProgram {
    /// Starts a program and waits until it listens. `command` gets the number of the port, and an empty folder for
    /// files that the program keeps.
    pub async fn start(port: Port, command: impl FnOnce(u16, &std::path::Path) -> Command) -> Self {
        let address = port.origin.clone();
        let folder = tempfile::tempdir().unwrap();
        let number = port.release();
        let output = File::create(folder.path().join(OUTPUT)).unwrap();
        let process = command(number, folder.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        let mut started = Self {
            process: process.expect("the program starts"),
            address,
            folder,
        };
        until("the program to listen", async || {
            let ended = started.process.try_wait().unwrap();
            assert!(ended.is_none(), "the program has ended: {ended:?}");
            let connected = tokio::net::TcpStream::connect(("127.0.0.1", number)).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
        started
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for ExampleProgram {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if std::thread::panicking() {
            let output = std::fs::read(self.folder.path().join(OUTPUT)).unwrap_or_default();
            println!("-- printed by {}:", self.address);
            println!("{}", String::from_utf8_lossy(&output));
        }
    }
}

/// Runs a program that must refuse to start. Returns how it ended, and what it printed.
pub async fn refused_start(command: &mut Command) -> (ExitStatus, String) {
    let mut command = tokio::process::Command::from(std::mem::replace(command, Command::new("")));
    let output = command.kill_on_drop(true).output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status,
        String::from_utf8_lossy(&printed).into_owned(),
    )
}
