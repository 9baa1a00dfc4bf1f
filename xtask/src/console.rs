//! The output at the terminal: progress on standard error, answers on standard output.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::time::{Duration, Instant};

/// A line of progress, on standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // A closed terminal must not stop the work.
    let _ = writeln!(stderr(), "{}", text.as_ref());
}

/// A line of the task's answer, on standard output.
pub(crate) fn answer(text: impl AsRef<str>) {
    let _ = writeln!(stdout(), "{}", text.as_ref());
    let _ = stdout().flush();
}

/// Prints what begins, does the work, and prints how long it took.
pub(crate) fn timed<T, E>(name: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    note(format!("{} {name} …", mark("▶", "36")));
    let start = Instant::now();
    let done = work();
    let took = seconds(start.elapsed());
    match &done {
        Ok(_) => note(format!("{} {name} ({took})", mark("✔", "32"))),
        Err(_) => note(format!("{} {name} ({took})", mark("✘", "31"))),
    }
    done
}

/// `12.3 s`, or `4 min 05 s` from a hundred seconds on.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 100 {
        format!("{}.{} s", whole, duration.subsec_millis() / 100)
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

fn mark(sign: &str, colour: &str) -> String {
    if stderr().is_terminal() {
        format!("\x1b[{colour}m{sign}\x1b[0m")
    } else {
        sign.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::seconds;

    #[test]
    fn durations_are_shown_in_suitable_units() {
        for (milliseconds, said) in [
            (0, "0.0 s"),
            (12_345, "12.3 s"),
            (99_999, "99.9 s"),
            (100_000, "1 min 40 s"),
            (3_605_000, "60 min 05 s"),
        ] {
            assert_eq!(seconds(Duration::from_millis(milliseconds)), said);
        }
    }
}
