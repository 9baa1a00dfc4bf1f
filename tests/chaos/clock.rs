//! The one time of a storm: the machine's, plus an offset that only grows. Both servers read it
//! through libfaketime, so that hours of retries and deadlines pass in minutes.
//!
//! Neither server knows of this. A hook of our own in the merchant server, however well refused in
//! production, would be one more way to be told a wrong time; and the storm would test a program
//! that is not the one that merchants run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// How far a reading that was missed can lie back when it is looked at, in seconds: the time that
/// its message took.
const MISSED_S: i64 = 15;

/// How the storm, and every program that it starts, knows what time it is.
pub(crate) struct StormClock {
    library: PathBuf,
    file: PathBuf,
    offset_s: watch::Sender<u32>,
}

impl StormClock {
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

    /// Has a program see this time. Its timers stay the machine's: they count what passes, and do
    /// not jump.
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

    /// Whether a time in seconds is the machine's own and not the storm's. Once in some hundred
    /// thousand readings on a busy machine libfaketime gives that one, and the next is right again
    /// (0.9.10; why is not known). A server that read it has done nothing wrong.
    pub(crate) fn is_a_missed_reading(&self, time_s: i64) -> bool {
        let machine_s = self.now_ms() / 1000 - i64::from(*self.offset_s.borrow());
        (machine_s - time_s).abs() <= MISSED_S
    }

    /// Moves on. There is no way back.
    pub(crate) fn advance(&self, seconds: u32) {
        self.offset_s.send_modify(|offset_s| {
            *offset_s = offset_s.saturating_add(seconds);
            self.write(*offset_s);
        });
    }

    /// Waits until so much of this time has passed.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let until_ms = self.now_ms() + i64::try_from(duration.as_millis()).unwrap();
        let mut moved = self.offset_s.subscribe();
        loop {
            let left_ms = until_ms - self.now_ms();
            let Ok(left_ms @ 1..) = u64::try_from(left_ms) else {
                return;
            };
            // Whichever comes first; the clock cannot be gone while it is borrowed.
            let _ = tokio::time::timeout(Duration::from_millis(left_ms), moved.changed()).await;
        }
    }

    /// In one step, so that no reader sees half a number.
    fn write(&self, offset_s: u32) {
        let draft = self.file.with_extension("next");
        std::fs::write(&draft, format!("+{offset_s}\n")).unwrap();
        std::fs::rename(&draft, &self.file).unwrap();
    }
}

/// libfaketime keeps a note of each process in shared memory, which a process that is killed
/// cannot take away itself.
pub(crate) fn clean_up_after(process_id: u32) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        // Not there where the library keeps none.
        let _ = std::fs::remove_file(format!("/dev/shm/{name}{process_id}"));
    }
}
