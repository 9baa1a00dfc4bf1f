//! Payments end to end in a real browser, one file for each scenario.

mod appearance;
mod bad_input;
mod engines;
mod gallery;
mod h5;
mod harness;
mod hosted_page;
mod hosted_page_without_script;
mod jsapi;
mod manners;
mod native;
mod php;
mod policy;
mod stage;
mod teardown;
