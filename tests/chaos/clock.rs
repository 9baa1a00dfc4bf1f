//! The one time of a chaos run: the machine's, plus an offset that only grows. Both servers read it
//! through libfaketime, so that hours of retries and deadlines pass in minutes.
//!
//! Neither server knows of this clock. A hook of our own in the merchant server could set a wrong
//! time, even if production refused it; and the chaos run would test another program than
//! merchants run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// How old a missed reading can be when its message is checked, in seconds: the time that the
/// message took.
const MISSED_S: i64 = 15;

/// The time of the chaos run, for the chaos run itself and for every program that it starts.
pub(crate) struct ChaosClock {
    library: PathBuf,
    file: PathBuf,
    offset_s: watch::Sender<u32>,
}

impl ChaosClock {
    /// A clock that begins at the machine's time. `folder` keeps the file that the servers read.
    pub(crate) fn new(library: &Path, folder: &Path) -> Self {
        let clock = Self {
            library: library.to_owned(),
            file: folder.join("time"),
            offset_s: watch::Sender::new(0),
        };
        clock.write(0);
        clock
    }

    /// Makes a program see this time. The program's timers stay the machine's: they count the time
    /// that passes, and do not jump.
    pub(crate) fn rule(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
    }

    /// Milliseconds since 1970 in UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap() + i64::from(*self.offset_s.borrow()) * 1000
    }

    /// Whether a time in seconds is the machine's own and not the chaos run's. Once in some hundred
    /// thousand readings on a busy machine, libfaketime returns the machine's time, and the next
    /// reading is right again (0.9.10; the cause is not known). A server that read such a time has
    /// done nothing wrong.
    pub(crate) fn is_a_missed_reading(&self, time_s: i64) -> bool {
        let machine_s = self.now_ms() / 1000 - i64::from(*self.offset_s.borrow());
        (machine_s - time_s).abs() <= MISSED_S
    }

    /// Moves the time forward. It never moves back.
    pub(crate) fn advance(&self, seconds: u32) {
        self.offset_s.send_modify(|offset_s| {
            *offset_s = offset_s.saturating_add(seconds);
            self.write(*offset_s);
        });
    }

    /// Waits until this duration has passed on the chaos run's clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let until_ms = self.now_ms() + i64::try_from(duration.as_millis()).unwrap();
        let mut moved = self.offset_s.subscribe();
        loop {
            let left_ms = until_ms - self.now_ms();
            let Ok(left_ms @ 1..) = u64::try_from(left_ms) else {
                return;
            };
            // The wait ends by whichever comes first. The clock outlives the wait, because it is
            // borrowed.
            let _ = tokio::time::timeout(Duration::from_millis(left_ms), moved.changed()).await;
        }
    }

    /// Writes the file in one step, so that no reader sees half a number.
    fn write(&self, offset_s: u32) {
        let draft = self.file.with_extension("next");
        std::fs::write(&draft, format!("+{offset_s}\n")).unwrap();
        std::fs::rename(&draft, &self.file).unwrap();
    }
}

/// libfaketime keeps a record of each process in shared memory. A process that is killed cannot
/// remove its record.
pub(crate) fn clean_up_after(process_id: u32) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        // The file does not exist where the library keeps no record.
        let _ = std::fs::remove_file(format!("/dev/shm/{name}{process_id}"));
    }
}
