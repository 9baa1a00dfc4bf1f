//! What a step of the test run is made of. The steps themselves are in [`super::steps`].

use super::selection::Selection;
use crate::failure::Failure;
use crate::setup::Need;

/// One step of the run.
pub(super) struct Step {
    /// What one types after `--only`.
    pub(super) name: &'static str,
    /// What it looks at, one line.
    pub(super) about: &'static str,
    /// What must be set up before.
    pub(super) needs: &'static [Need],
    /// The name of a step whose result it reads: without it, it cannot run.
    pub(super) after: Option<&'static str>,
    pub(super) run: Run,
}

/// How a step runs.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// As a whole.
    Whole(fn() -> Result<(), Failure>),
    /// Tests that have names, all or some of them.
    Tests(fn(&Selection) -> Result<(), Failure>),
}
