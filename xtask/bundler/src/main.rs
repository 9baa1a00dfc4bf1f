//! The heavy half of `cargo xtask dist`, in a program of its own so that xtask itself compiles
//! in seconds: wasm-bindgen as a library (no CLI to install), compressors, a WebAssembly reader.
//!
//! Called by xtask only, and by rustc as its linker (`link`). It reads and writes the files it is given.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

mod biggest;
mod bindings;
#[cfg(feature = "weights")]
mod digests;
#[cfg(feature = "weights")]
mod floor;
mod foreign_exports;
mod link;
mod short_names;
#[cfg(feature = "weights")]
mod weights;

/// What xtask asks for; every path is absolute or relative to the caller's folder.
#[derive(Parser)]
enum Task {
    /// Write the JavaScript bindings and the finished WebAssembly of a compiled crate.
    Bindings {
        /// The `.wasm` that rustc wrote.
        wasm: PathBuf,
        /// The folder for `{name}.js`, `{name}.d.ts` and `{name}_bg.wasm`.
        out_dir: PathBuf,
        /// The stem of the files written.
        #[arg(long)]
        name: String,
        /// Give short names to what passes between the two.
        #[arg(long)]
        short: bool,
    },
    #[cfg(feature = "weights")]
    /// Compress files to `FILE.gz` and `FILE.br`, and print a JSON manifest of all sizes.
    Weigh {
        /// The files of the bundle's default path.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Files that a page loads in place of those, or beside them.
        #[arg(long, num_args = 1..)]
        others: Vec<PathBuf>,
    },
    #[cfg(feature = "weights")]
    /// Print the part of a file's name that says which content it has.
    Fingerprint {
        /// The file.
        file: PathBuf,
    },
    #[cfg(feature = "weights")]
    /// Print a JSON object with the value of `integrity` for each file.
    Integrity {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    #[cfg(feature = "weights")]
    /// Fail if a WebAssembly file needs more than the first version of WebAssembly.
    Floor {
        /// The file.
        wasm: PathBuf,
    },
    /// Print the biggest functions and data segments, as tab-separated rows.
    Biggest {
        /// A `.wasm` that still has its name section.
        wasm: PathBuf,
        /// How many rows.
        #[arg(long, default_value_t = 10)]
        count: usize,
    },
}

fn main() -> ExitCode {
    let done = match link::arguments() {
        Some(arguments) => link::run(arguments),
        None => carry_out(Task::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn carry_out(task: Task) -> Result<(), String> {
    match task {
        Task::Bindings {
            wasm,
            out_dir,
            name,
            short,
        } => bindings::write(&wasm, &out_dir, &name, short),
        #[cfg(feature = "weights")]
        Task::Weigh { files, others } => {
            weights::manifest(&files, &others).map(|text| print(&text))
        }
        #[cfg(feature = "weights")]
        Task::Fingerprint { file } => digests::fingerprint(&file).map(|text| print(&text)),
        #[cfg(feature = "weights")]
        Task::Integrity { files } => digests::integrity(&files).map(|text| print(&text)),
        #[cfg(feature = "weights")]
        Task::Floor { wasm } => floor::check(&wasm),
        Task::Biggest { wasm, count } => biggest::table(&wasm, count).map(|text| print(&text)),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the answer goes to the caller by standard output"
)]
fn print(answer: &str) {
    println!("{answer}");
}

#[expect(
    clippy::print_stderr,
    reason = "a command-line program says there why it failed"
)]
fn complain(message: &str) {
    eprintln!("bundler: {message}");
}
