//! The program as a process.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Much longer than any step of the tests takes.
const PATIENCE: Duration = Duration::from_mins(1);

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Starts it in its own empty folder; returns the address too.
    fn start(folder: &TempDir) -> (Self, Lines<BufReader<ChildStdout>>, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wechat-pay-simulator"))
            .args(["--listen", "127.0.0.1:0", "--state", "state"])
            .current_dir(folder.path())
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = stdout
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned()))
            .unwrap();
        (Self(child), stdout, address)
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// As an installed program, which has no repository around it.
#[test]
fn every_page_comes_from_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let (_program, _stdout, address) = Program::start(&folder);
    for (path, part) in [
        ("/", "<!DOCTYPE html>"),
        ("/phone", "<!DOCTYPE html>"),
        ("/assets/simulator.css", "{"),
        ("/assets/phone.js", "fetch"),
        ("/_simulator/openapi.json", "\"openapi\""),
    ] {
        let answer = get(&address, path);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
    }
}

/// What the program says before it ends without having started.
fn refusal(folder: &TempDir, listen: &str, state: &str) -> String {
    let ended = Command::new(env!("CARGO_BIN_EXE_wechat-pay-simulator"))
        .args(["--listen", listen, "--state", state])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    String::from_utf8(ended.stderr).unwrap()
}

#[test]
fn a_taken_port_and_a_folder_that_is_none_are_named_with_the_option_that_changes_them() {
    let folder = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let said = refusal(&folder, &taken, "state");
    assert!(said.contains(&taken), "{said}");
    assert!(said.contains("choose another port with --listen"), "{said}");
    // A file in the folder's place, which root cannot write into either.
    std::fs::write(folder.path().join("file"), "").unwrap();
    let said = refusal(&folder, "127.0.0.1:0", "file");
    assert!(said.contains("file/"), "{said}");
    assert!(said.contains("--state must be a folder"), "{said}");
}

#[test]
fn a_log_without_a_reader_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Kept open: the program writes more than its first line to it.
    let (_program, _stdout, address) = Program::start(&folder);
    // Each request writes a line to the log; a pipe holds some hundreds.
    for number in 0..1_500 {
        let answer = get(&address, "/v3/certificates");
        assert!(answer.starts_with("HTTP/1.1 400"), "{number}: {answer}");
    }
}
