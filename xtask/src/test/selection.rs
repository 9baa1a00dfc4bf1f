//! The selection of a step's tests: by a part of their names, by their browser, or all.

use std::process::Command;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::{console, process};

/// Some tests, or all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// A part of the full name, modules and browser included.
    pub(super) name: Option<String>,
    pub(super) engine: Option<Engine>,
}

/// A browser that scenarios run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    Chromium,
    Firefox,
    Webkit,
}

impl Engine {
    /// The browser of a scenario. A scenario that runs in several browsers has a test for each,
    /// named after it; any other scenario runs in Chromium.
    fn of(test: &str) -> Self {
        match test.rsplit("::").next() {
            Some("firefox") => Self::Firefox,
            Some("webkit") => Self::Webkit,
            _ => Self::Chromium,
        }
    }
}

impl Selection {
    pub(super) const fn is_all(&self) -> bool {
        self.name.is_none() && self.engine.is_none()
    }

    /// Runs the selected tests of a cargo test command, with arguments for the test programs. An
    /// empty selection is a failure: otherwise a misspelt name would pass.
    pub(super) fn run(
        &self,
        cargo: impl Fn() -> Command,
        arguments: &[&str],
    ) -> Result<(), Failure> {
        if self.is_all() {
            return process::run_shown(cargo().arg("--").args(arguments));
        }
        let listed = process::read(cargo().args(["--", "--list", "--format", "terse"]))?;
        let tests = self.among(&listed);
        if tests.is_empty() {
            return Err(Failure::Findings(vec![format!(
                "no test of this step matches {self:?}"
            )]));
        }
        console::note(format!("selected tests: {}", tests.len()));
        process::run_shown(cargo().args(["--", "--exact"]).args(arguments).args(&tests))
    }

    /// The selected tests of a list in the format of test programs.
    fn among<'a>(&self, listed: &'a str) -> Vec<&'a str> {
        listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .filter(|test| self.name.as_ref().is_none_or(|name| test.contains(name)))
            .filter(|test| self.engine.is_none_or(|engine| engine == Engine::of(test)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, Selection};

    #[test]
    fn tests_are_selected_by_a_part_of_the_name_and_by_the_browser() {
        let listed = "h5::pays::chromium: test\nh5::pays::firefox: test\nh5::one_page: test\n\
                      tabs::pays::firefox: test\n\n4 tests, 0 benchmarks\n";
        for (name, engine, selected) in [
            (
                Some("h5::"),
                None,
                &["h5::pays::chromium", "h5::pays::firefox", "h5::one_page"][..],
            ),
            (Some("h5::"), Some(Engine::Firefox), &["h5::pays::firefox"]),
            (
                None,
                Some(Engine::Chromium),
                &["h5::pays::chromium", "h5::one_page"],
            ),
            (Some("refund"), None, &[]),
        ] {
            let name = name.map(str::to_owned);
            let selection = Selection { name, engine };
            assert_eq!(selection.among(listed), selected, "{selection:?}");
        }
    }
}
