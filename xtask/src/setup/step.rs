//! The parts of a setup step. The steps themselves are in the modules beside this one.

use std::time::Duration;

use super::debian;
use super::tool_cache::ToolCache;
use crate::failure::{Failure, Source};

/// How long a download of some megabytes may take before it counts as stuck.
pub(super) const DOWNLOAD_LIMIT: Duration = Duration::from_mins(3);
/// How long a tool may take to be compiled on a small machine.
pub(super) const COMPILE_LIMIT: Duration = Duration::from_mins(30);

/// One step of the setup.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) is_done: fn(&ToolCache) -> bool,
    pub(super) action: Action,
    /// Where it comes from.
    pub(super) from: Source,
    pub(super) by_hand: String,
}

/// What a step does.
pub(super) enum Action {
    /// Install packages of Debian's.
    InstallPackages(&'static [&'static str]),
    /// Run a function.
    Run(fn(&ToolCache) -> Result<(), Failure>),
}

impl Step {
    pub(super) fn act(&self, cache: &ToolCache) -> Result<(), Failure> {
        match self.action {
            Action::InstallPackages(packages) => debian::install(packages),
            Action::Run(run) => run(cache),
        }
    }

    pub(super) fn failed(&self, failure: &Failure) -> Failure {
        Failure::Setup {
            step: self.name.to_owned(),
            why: failure.to_string(),
            from: self.from,
            by_hand: self.by_hand.clone(),
        }
    }
}
