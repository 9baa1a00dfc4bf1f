//! The program as a process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Much longer than any step of the tests takes.
const PATIENCE: Duration = Duration::from_mins(1);

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_without_a_reader_blocks_nothing() {
    let state = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_wechat-pay-simulator"))
        .args(["--listen", "127.0.0.1:0", "--state"])
        .arg(state.path())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Program(child);
    // Kept open: the program writes more than its first line to it.
    let mut stdout = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let address = stdout
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned()))
        .unwrap();
    // Each request writes a line to the log; a pipe holds some hundreds.
    for number in 0..1_500 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = "GET /v3/certificates HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{number}: {answer}");
    }
}
