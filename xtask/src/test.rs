//! All tests and checks, as CI runs them: in order, each one that can run, with a table at the end.
//!
//! A step that fails does not stop the others; the whole run fails, and names the step. No step is
//! retried.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use self::selection::{Engine, Selection};
use self::step::{Run, Step, When};
use crate::failure::Failure;
use crate::{console, setup};

mod compose;
mod examples;
mod made_pages;
mod package;
mod publish;
mod selection;
mod step;
mod steps;
mod supply_chain;

/// The tests to run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Run only this step; may be repeated
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Run also the steps that only a release needs
    #[arg(long)]
    release: bool,
    /// Print the names of the steps, and run none
    #[arg(long)]
    list: bool,
    /// Run those tests of the step whose full name contains this text
    #[arg(value_name = "NAME", requires = "only")]
    name: Option<String>,
    /// Run those browser scenarios that run in this browser
    #[arg(long, requires = "only")]
    engine: Option<Engine>,
}

/// The result of a step.
enum Outcome {
    Passed,
    Failed(Failure),
    /// The step could not run, because the named step failed.
    NotRun(&'static str),
}

/// Runs the selected steps.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    if options.list {
        for step in steps::ALL {
            let when = match step.when {
                When::Always => "",
                When::BeforeRelease => " (with --release)",
            };
            console::answer(format!("{}\t{}{when}", step.name, step.about));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen(&options.only, options.release)?;
    let selection = Selection {
        name: options.name.clone(),
        engine: options.engine,
    };
    ensure_selectable(&chosen, &selection)?;
    let mut rows = Vec::new();
    for step in chosen {
        let start = Instant::now();
        let outcome = outcome(step, &selection, &rows);
        if let Outcome::Failed(failure) = &outcome {
            console::note(failure.to_string());
        }
        rows.push(Row {
            step,
            outcome,
            took: start.elapsed(),
        });
    }
    Ok(report(&rows))
}

struct Row {
    step: &'static Step,
    outcome: Outcome,
    took: Duration,
}

fn chosen(only: &[String], is_before_release: bool) -> Result<Vec<&'static Step>, Failure> {
    if let Some(unknown) = only
        .iter()
        .find(|name| steps::ALL.iter().all(|step| step.name != *name))
    {
        return Err(Failure::Findings(vec![format!(
            "there is no step `{unknown}`: see `cargo xtask test --list`"
        )]));
    }
    Ok(steps::ALL
        .iter()
        .filter(|step| {
            if only.is_empty() {
                is_before_release || step.when == When::Always
            } else {
                only.iter().any(|name| step.name == name)
            }
        })
        .collect())
}

/// Refuses a test name for a step whose tests have no names; otherwise the whole step would run.
fn ensure_selectable(steps: &[&Step], selection: &Selection) -> Result<(), Failure> {
    let refused = steps.iter().find(|step| match step.run {
        Run::Whole(_) => !selection.is_all(),
        Run::Tests(_) => selection.engine.is_some() && step.name != steps::BROWSER,
    });
    match refused {
        None => Ok(()),
        Some(step) => Err(Failure::Findings(vec![format!(
            "the step `{}` cannot run a part of its tests by this name or browser",
            step.name
        )])),
    }
}

fn outcome(step: &'static Step, selection: &Selection, rows: &[Row]) -> Outcome {
    let broken = step.after.filter(|before| {
        rows.iter()
            .any(|row| row.step.name == *before && !matches!(row.outcome, Outcome::Passed))
    });
    if let Some(before) = broken {
        return Outcome::NotRun(before);
    }
    let run = || match step.run {
        Run::Whole(run) => run(),
        Run::Tests(run) => run(selection),
    };
    let done = setup::provide(step.needs)
        .and_then(|()| console::timed(&format!("test: {}", step.name), run));
    match done {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure),
    }
}

fn report(rows: &[Row]) -> ExitCode {
    console::note("\nstep\ttime\tresult");
    let mut total = Duration::ZERO;
    for Row {
        step,
        outcome,
        took,
    } in rows
    {
        total += *took;
        let result = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(_) => "FAILED".to_owned(),
            Outcome::NotRun(before) => format!("not run: `{before}` failed"),
        };
        console::note(format!(
            "{}\t{}\t{result}",
            step.name,
            console::seconds(*took)
        ));
    }
    console::note(format!("all\t{}", console::seconds(total)));
    let failed = rows.iter().filter_map(|row| match &row.outcome {
        Outcome::Failed(failure) => Some((row.step.name, failure)),
        _ => None,
    });
    let mut code = ExitCode::SUCCESS;
    for (name, failure) in failed {
        code = ExitCode::FAILURE;
        console::note(format!(
            "\n`{name}` failed; to run it alone: cargo xtask test --only {name}"
        ));
        for line in failure.last_lines() {
            console::note(format!("  | {line}"));
        }
        console::note(failure.to_string());
    }
    code
}

#[cfg(test)]
mod tests {
    use super::{Selection, chosen, ensure_selectable, steps};

    #[test]
    fn a_step_that_does_not_exist_is_refused_by_name() {
        let refusal = chosen(&["brwser".to_owned()], false);
        let refusal = refusal.err().unwrap().to_string();
        assert!(refusal.contains("`brwser`"), "{refusal}");
    }

    #[test]
    fn a_step_for_releases_runs_before_a_release_and_by_its_name() {
        let has = |only: &[&str], is_before_release| {
            let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
            let chosen = chosen(&only, is_before_release).unwrap();
            chosen.iter().any(|step| step.name == "reproducible")
        };
        assert!(!has(&[], false));
        assert!(has(&[], true));
        assert!(has(&["reproducible"], false));
        assert!(!has(&["fmt"], true));
    }

    #[test]
    fn a_name_is_refused_for_a_step_that_runs_as_a_whole() {
        let by_name = Selection {
            name: Some("paid".to_owned()),
            engine: None,
        };
        for (step, is_accepted) in [("browser", true), ("native", true), ("fmt", false)] {
            let chosen = chosen(&[step.to_owned()], false).unwrap();
            let accepted = ensure_selectable(&chosen, &by_name);
            assert_eq!(accepted.is_ok(), is_accepted, "{step}");
        }
    }

    #[test]
    fn a_step_runs_after_the_step_whose_result_it_reads() {
        for (place, step) in steps::ALL.iter().enumerate() {
            if let Some(before) = step.after {
                let earlier = steps::ALL[..place].iter().any(|step| step.name == before);
                assert!(earlier, "{} after {before}", step.name);
            }
        }
    }
}
