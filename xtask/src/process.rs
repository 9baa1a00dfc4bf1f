//! Runs other programs: with a time limit, and with errors that show the command line.
//!
//! Standard output of helpers goes to standard error, because a task's own standard output is its
//! answer; only test runners (`run_shown`) keep theirs.

mod echo;

use std::io::{IsTerminal as _, stderr, stdout};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use self::echo::Echo;
use crate::failure::Failure;

/// Runs a helper to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    finish(command.stdin(Stdio::null()).stdout(stderr()))
}

/// Runs a test runner to its end; its standard output is not redirected. Where nobody watches, a
/// failure carries the last lines of what was printed, because a log may be cut.
pub(crate) fn run_shown(command: &mut Command) -> Result<(), Failure> {
    command.stdin(Stdio::null());
    if stdout().is_terminal() {
        return finish(command);
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| unstarted(command, &error))?;
    let echo = Echo::new();
    if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
        echo.pass_on(out, stdout());
        echo.pass_on(err, stderr());
    }
    let status = child.wait().map_err(|error| unstarted(command, &error))?;
    let last_lines = echo.last_lines();
    judge(command, status).map_err(|failure| failure.with_last_lines(last_lines))
}

/// Becomes the program: it has this process's terminal and signals, and its exit code is this
/// process's. Returns only if the program cannot be started.
#[cfg(unix)]
pub(crate) fn become_program(command: &mut Command) -> Failure {
    let error = std::os::unix::process::CommandExt::exec(command);
    unstarted(command, &error)
}

/// The same where a process cannot be replaced: it waits for the program.
#[cfg(not(unix))]
pub(crate) fn become_program(command: &mut Command) -> Failure {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => unstarted(command, &error),
    }
}

/// Runs a helper, and kills it when it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<(), Failure> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stderr())
        .spawn()
        .map_err(|error| unstarted(command, &error))?;
    loop {
        match child
            .try_wait()
            .map_err(|error| unstarted(command, &error))?
        {
            Some(status) => return judge(command, status),
            None if start.elapsed() > limit => {
                // The process may have exited in between: then there is nothing left to kill.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failure::TimedOut {
                    command: shown(command),
                    limit,
                });
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// What a helper prints on standard output.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| unstarted(command, &error))?;
    judge(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a helper prints, or nothing if it cannot be run: for questions about machines that may lack
/// the helper.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The path of a program, if it is on the PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let file_name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file_name))
        .find(|file| file.is_file())
}

fn finish(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| unstarted(command, &error))?;
    judge(command, status)
}

fn judge(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::Command {
        command: shown(command),
        status: status.to_string(),
        last_lines: Vec::new(),
    })
}

fn unstarted(command: &Command, error: &std::io::Error) -> Failure {
    Failure::Command {
        command: shown(command),
        status: error.to_string(),
        last_lines: Vec::new(),
    }
}

/// The command line as a user would type it, with the program's name but not its folder.
fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Failure, ask, on_path, read, run_within};

    #[test]
    fn a_command_that_hangs_is_killed_at_its_limit() {
        let ended = run_within(Command::new("sleep").arg("30"), Duration::from_millis(10));
        assert!(matches!(ended, Err(Failure::TimedOut { .. })), "{ended:?}");
    }

    #[test]
    fn a_failing_command_is_named_without_its_folder() {
        let failed = read(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(failed.to_string(), "`sh -c exit 3` failed: exit status: 3");
    }

    #[test]
    fn a_missing_program_gives_no_output() {
        assert_eq!(ask(&mut Command::new("no-such-program-of-ours")), None);
        assert_eq!(on_path("no-such-program-of-ours"), None);
        assert!(on_path("cargo").is_some());
    }
}
