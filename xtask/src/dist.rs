//! Builds `www/dist`: the files that a page loads from `/dist/wechat-pay.js`.
//!
//! There are two builds for the same addresses. The full build is small and takes minutes; the
//! quick build needs only cargo, and is for the demo. `www/dist` is replaced as a whole, and only
//! when the new build is complete.

use std::fs;
use std::path::{Path, PathBuf};

use bundler::Features;
use clap::Args;
use compiled::BINDINGS_NAME;
use javascript::Form;

use crate::failure::Failure;
use crate::setup::{self, Purpose};
use crate::{console, repository, size};

mod bundler;
mod compiled;
pub(crate) mod floor;
mod javascript;
pub(crate) mod licences;
mod package;
pub(crate) mod reproducible;
mod versions;
mod widget;
mod without_wasm;

/// The module that pages load, and the entry in `www/src`.
const LOADER: &str = "wechat-pay.js";
/// The widget itself, beside the loader, as the sources and the quick build name it.
const WASM: &str = "wechat-pay.wasm";
/// The widget as JavaScript, for browsers and pages without WebAssembly.
const SCRIPT: &str = "wechat-pay.nowasm.js";
/// The sentences of the languages that the widget does not have itself.
const WORDS: [&str; 2] = ["wechat-pay.en.json", "wechat-pay.zh-Hant.json"];
/// Files beside it, copied from `www/src`: its types, more layouts, and the page that explains its problems.
const COMPANIONS: &[&str] = &[
    "wechat-pay.d.ts",
    "jsx.d.ts",
    "vue.d.ts",
    "layouts.css",
    "problems.html",
    "problems.js",
    "problems.d.ts",
];
/// The folder in which the entry finds wasm-bindgen's glue, `{BINDINGS}/{BINDINGS_NAME}.js`.
const BINDINGS: &str = "bindings";

/// How to build.
#[derive(Clone, Copy, Default, Args)]
pub(crate) struct Options {
    /// Build quickly, with cargo alone and without optimisation: for the demo
    #[arg(long, conflicts_with = "top")]
    quick: bool,
    /// Print the ten biggest functions afterwards
    #[arg(long)]
    top: bool,
}

/// Builds, and prints the sizes of a full build.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    if options.quick {
        return quick();
    }
    full()?;
    console::answer(size::table()?);
    if options.top {
        console::answer(top()?);
    }
    Ok(())
}

/// Builds the page in `examples/leptos_page.rs` beside its HTML, as Trunk would in a package of its own.
pub(crate) fn leptos_page(folder: &Path) -> Result<(), Failure> {
    const NAME: &str = "leptos_page";
    let compiled = widget::compile_example(NAME)?;
    bundler::write_page(&compiled, folder, NAME)
}

/// The bundle that buyers download.
pub(crate) fn full() -> Result<(), Failure> {
    setup::provide(Purpose::Dist.needs())?;
    let stage = Stage::empty("full")?;
    let compiled = console::timed("dist: the widget, for size", widget::compile_for_size)?;
    console::timed("dist: bindings", || {
        bundler::write_bindings(&compiled, &stage.bindings(), Features::All)
    })?;
    let [wasm, script] = [WASM, SCRIPT].map(|name| stage.folder.join(name));
    console::timed("dist: wasm-opt", || {
        widget::optimise(&stage.bound_wasm(), &wasm)?;
        bundler::check_floor(&wasm)
    })?;
    console::timed("dist: the widget without WebAssembly", || {
        without_wasm::write(&wasm, &script)
    })?;
    let wasm = versions::copy(&wasm, &stage.out())?;
    let script = versions::copy(&script, &stage.out())?;
    let mut renamed = vec![(WASM, wasm.clone()), (SCRIPT, script.clone())];
    for name in WORDS {
        let words = javascript::sources().join(name);
        renamed.push((name, versions::copy(&words, &stage.out())?));
    }
    let form = |form: Form| stage.out().join(form.name());
    console::timed("dist: JavaScript", || {
        javascript::copy_sources(&stage.folder)?;
        let entry = stage.folder.join(LOADER);
        versions::name_in(&entry, &renamed)?;
        for each in Form::ALL {
            javascript::bundle(&entry, each, &form(each))?;
        }
        Ok(())
    })?;
    for name in COMPANIONS {
        copy(&javascript::sources().join(name), &stage.out().join(name))?;
    }
    console::timed("dist: sizes and package", || {
        let default = [form(Form::Module), stage.out().join(&wasm)];
        let mut others = vec![form(Form::Classic), form(Form::Package)];
        let beside = renamed.iter().filter(|(plain, _)| *plain != WASM);
        others.extend(beside.map(|(_, name)| stage.out().join(name)));
        // No browser loads types.
        let loaded = COMPANIONS.iter().filter(|name| !name.ends_with(".d.ts"));
        others.extend(loaded.map(|name| stage.out().join(name)));
        let manifest = bundler::weigh(&default, &others)?;
        let file = stage.out().join(size::MANIFEST);
        fs::write(&file, manifest).map_err(Failure::file(file))?;
        let loaded = [&default[..], &others].concat();
        package::complete(&stage.out(), &loaded, &renamed)
    })?;
    stage.publish()
}

/// The widget without optimisation: separate ES modules, and the standard library that rustup
/// ships.
fn quick() -> Result<(), Failure> {
    make_quickly()?.publish()
}

/// The same in a folder of its own, so that a demo never replaces the output of `dist`.
pub(crate) fn quick_beside_the_shipped() -> Result<PathBuf, Failure> {
    make_quickly().map(|stage| stage.out())
}

fn make_quickly() -> Result<Stage, Failure> {
    setup::provide(Purpose::Demo.needs())?;
    let compiled = console::timed("dist: the widget, quickly", widget::compile_quickly)?;
    let stage = Stage::empty("quick")?;
    console::timed("dist: bindings", || {
        bundler::write_bindings(&compiled, &stage.bindings(), Features::BindingsAlone)
    })?;
    let out = stage.out();
    javascript::copy_sources(&out)?;
    copy(&stage.bound_wasm(), &out.join(WASM))?;
    fs::remove_file(stage.bound_wasm()).map_err(Failure::file(stage.bound_wasm()))?;
    javascript::copy_tree(&stage.bindings(), &out.join(BINDINGS))?;
    Ok(stage)
}

/// The ten biggest functions of the last full build, from its variant with names.
fn top() -> Result<String, Failure> {
    let stage = Stage::at("full");
    let named = stage.folder.join("named.wasm");
    widget::optimise_keeping_names(&stage.bound_wasm(), &named)?;
    bundler::biggest(&named)
}

/// A folder in which one build is assembled.
struct Stage {
    folder: PathBuf,
}

impl Stage {
    fn at(way: &str) -> Self {
        Self {
            folder: repository::web_target_dir().join("stage").join(way),
        }
    }

    fn empty(way: &str) -> Result<Self, Failure> {
        let stage = Self::at(way);
        if stage.folder.exists() {
            fs::remove_dir_all(&stage.folder).map_err(Failure::file(&stage.folder))?;
        }
        fs::create_dir_all(stage.out()).map_err(Failure::file(stage.out()))?;
        Ok(stage)
    }

    fn bindings(&self) -> PathBuf {
        self.folder.join(BINDINGS)
    }

    fn bound_wasm(&self) -> PathBuf {
        self.bindings().join(format!("{BINDINGS_NAME}_bg.wasm"))
    }

    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    fn publish(&self) -> Result<(), Failure> {
        let dist = repository::dist_dir();
        if dist.exists() {
            fs::remove_dir_all(&dist).map_err(Failure::file(&dist))?;
        }
        // Copied, not moved: the target folder may lie on another disk.
        javascript::copy_tree(&self.out(), &dist)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::copy(from, to).map_err(Failure::file(from))?;
    Ok(())
}
