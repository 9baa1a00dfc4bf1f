//! `cargo xtask`: the one way to run things.

fn main() {}
