//! Payments end to end in a real browser, one file for each scenario.

mod harness;
