//! A page's time if the test has no clock of its own: the machine's time, which only counts what
//! passes. A device that was put away has slept, and its sleep is added when the buyer takes it up
//! again.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::native_page::{Later, PageClock};

/// The machine's time since the device was switched on, and the time that the device has slept.
#[derive(Debug)]
pub struct MachineTime {
    began: Instant,
    slept_ms: watch::Sender<u64>,
}

impl Default for MachineTime {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            slept_ms: watch::Sender::new(0),
        }
    }
}

impl MachineTime {
    /// The device has slept for so long.
    pub fn skip_ms(&self, slept_ms: u64) {
        self.slept_ms.send_modify(|sum_ms| *sum_ms += slept_ms);
    }
}

impl PageClock for MachineTime {
    fn now_ms(&self) -> u64 {
        let awake_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        awake_ms + *self.slept_ms.borrow()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<()> {
        let (began, mut slept_ms) = (self.began, self.slept_ms.subscribe());
        Box::pin(async move {
            loop {
                let awake_ms = at_ms.saturating_sub(*slept_ms.borrow_and_update());
                let wakes_at = began + Duration::from_millis(awake_ms);
                tokio::select! {
                    () = tokio::time::sleep_until(wakes_at.into()) => return,
                    // The sender is gone with the page.
                    skipped = slept_ms.changed() => if skipped.is_err() { return },
                }
            }
        })
    }
}
