//! The parts of a step of the test run. The steps themselves are in [`super::steps`].

use super::selection::Selection;
use crate::failure::Failure;
use crate::setup::Need;

/// One step of the run.
pub(super) struct Step {
    /// The name for `--only`.
    pub(super) name: &'static str,
    /// What the step checks, in one line.
    pub(super) about: &'static str,
    /// What must be set up before.
    pub(super) needs: &'static [Need],
    /// The name of a step whose result this step reads: without that result it cannot run.
    pub(super) after: Option<&'static str>,
    pub(super) when: When,
    pub(super) run: Run,
}

/// The runs that a step is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Every run.
    Always,
    /// The run before a release (`--release`): what it checks changes seldom, and it takes minutes.
    BeforeRelease,
}

/// The way in which a step runs.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// Always as a whole.
    Whole(fn() -> Result<(), Failure>),
    /// Tests with names, of which all or some can run.
    Tests(fn(&Selection) -> Result<(), Failure>),
}
