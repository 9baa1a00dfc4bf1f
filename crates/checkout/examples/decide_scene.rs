//! Reads User-Agent lines and prints the scene decision for each: environment, os, WeChat's version
//! (empty if there is none) and decision, separated by tabs.
//!
//! `cargo run -q -p checkout --example decide_scene < user-agents.txt`

use std::io::{self, BufRead, Write};

use checkout::{Facts, decide};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let facts = Facts {
            user_agent: line?,
            ..Facts::default()
        };
        let (environment, decision) = decide(&facts);
        writeln!(
            out,
            "{}\t{}\t{}\t{}",
            environment.kind.as_str(),
            environment.os.as_str(),
            environment.wechat_version.as_deref().unwrap_or_default(),
            decision.as_str()
        )?;
    }
    Ok(())
}
