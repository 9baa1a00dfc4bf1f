//! Circles between the modules of a crate, found from the paths that its files name.
//!
//! A module is a file. File A depends on file B if A names an item of B: in a `use`, or by a path
//! in its code. If A names an item through a re-export, A depends on the file that defines the
//! item. A `pub use` alone is not a dependency, because a parent may re-export what its children
//! define. `mod child;` is not a dependency either, and tests (`#[cfg(test)]`) are left out.
//!
//! The rule never sees a method call, because a call does not name the file of the method.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::repository;
use crate::tidy::rust_tokens::{Token, tokens};

/// The largest number of modules in the root of a crate that a reader can keep apart.
const MOST_TOP_MODULES: usize = 20;

pub(super) fn findings() -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for folder in crate_folders()? {
        for (root, sources) in crates_in(&folder)? {
            let graph = Graph::of(&sources);
            let top = sources.keys().filter(|name| is_top(name)).count();
            let name = if folder.is_empty() { "src" } else { &folder };
            if top > MOST_TOP_MODULES {
                findings.push(format!(
                    "{name}/{root}: {top} modules side by side, at most {MOST_TOP_MODULES}: group them by domain"
                ));
            }
            findings.extend(
                graph
                    .circles()
                    .iter()
                    .map(|circle| format!("{name}: {}", circle.describe())),
            );
        }
    }
    Ok(findings)
}

/// Every folder of the workspace that holds a crate, as text from the root; the root is empty.
fn crate_folders() -> Result<Vec<String>, Failure> {
    let mut folders = vec![
        String::new(),
        "xtask".to_owned(),
        "xtask/bundler".to_owned(),
    ];
    let crates = repository::root().join("crates");
    for entry in fs::read_dir(&crates).map_err(Failure::file(&crates))? {
        let entry = entry.map_err(Failure::file(&crates))?;
        if entry.path().join("Cargo.toml").exists() {
            folders.push(format!("crates/{}", entry.file_name().to_string_lossy()));
        }
    }
    folders.sort();
    Ok(folders)
}

/// The files of one library or program: the module's path (empty for the root) and its text.
type Sources = BTreeMap<Vec<String>, String>;

/// The library and the programs in a folder, each with the name of its root file.
fn crates_in(folder: &str) -> Result<Vec<(String, Sources)>, Failure> {
    let source = repository::root().join(folder).join("src");
    let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
    let programs = source.join("bin");
    if programs.is_dir() {
        for entry in fs::read_dir(&programs).map_err(Failure::file(&programs))? {
            roots.push(
                entry
                    .map_err(Failure::file(&programs))?
                    .path()
                    .join("main.rs"),
            );
        }
    }
    let mut found = Vec::new();
    for root in roots.into_iter().filter(|root| root.exists()) {
        let mut sources = Sources::new();
        let children = root.parent().unwrap_or(&source).to_path_buf();
        read_module(&root, &children, Vec::new(), &mut sources)?;
        let name = root.strip_prefix(repository::root().join(folder));
        found.push((
            name.unwrap_or(&root).to_string_lossy().into_owned(),
            sources,
        ));
    }
    Ok(found)
}

/// Reads a module's file and those of its children, which lie in the folder `children`.
fn read_module(
    file: &Path,
    children: &Path,
    name: Vec<String>,
    sources: &mut Sources,
) -> Result<(), Failure> {
    let text = fs::read_to_string(file).map_err(Failure::file(file))?;
    for child in Module::read(&name, &text).children {
        let path: PathBuf = children.join(format!("{child}.rs"));
        if path.exists() {
            let below = name.iter().cloned().chain([child.clone()]).collect();
            read_module(&path, &children.join(&child), below, sources)?;
        }
    }
    sources.insert(name, text);
    Ok(())
}

fn is_top(name: &[String]) -> bool {
    name.len() == 1
}

/// Which module depends on which.
struct Graph {
    arrows: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn of(sources: &Sources) -> Self {
        let modules: BTreeMap<&[String], Module> = sources
            .iter()
            .map(|(name, text)| (name.as_slice(), Module::read(name, text)))
            .collect();
        let mut arrows = BTreeMap::new();
        for (name, module) in &modules {
            let mut targets = BTreeSet::new();
            for path in module.used_paths(&modules) {
                if let Some(target) = definer(&modules, &path, 0)
                    && target != *name
                {
                    targets.insert(shown(target));
                }
            }
            arrows.insert(shown(name), targets);
        }
        Self { arrows }
    }

    /// The groups of modules in which each module leads to each other module.
    fn circles(&self) -> Vec<Circle> {
        let reach: BTreeMap<&str, BTreeSet<&str>> = self
            .arrows
            .keys()
            .map(|from| (from.as_str(), self.reached_from(from)))
            .collect();
        let mut placed = BTreeSet::new();
        let mut circles = Vec::new();
        for (from, reached) in &reach {
            if placed.contains(from) || !reached.contains(from) {
                continue;
            }
            let members: BTreeSet<&str> = reached
                .iter()
                .copied()
                .filter(|other| reach[other].contains(from))
                .collect();
            placed.extend(members.iter().copied());
            let shortest = members
                .iter()
                .filter_map(|start| self.way_back(start))
                .min_by_key(Vec::len)
                .unwrap_or_default();
            circles.push(Circle {
                size: members.len(),
                shortest,
            });
        }
        circles
    }

    fn reached_from<'a>(&'a self, from: &str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = vec![from];
        while let Some(next) = open.pop() {
            for target in self.arrows.get(next).into_iter().flatten() {
                if reached.insert(target.as_str()) {
                    open.push(target);
                }
            }
        }
        reached
    }

    /// The shortest path from a module back to itself, with the module at both ends.
    fn way_back(&self, start: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(next) = open.pop_front() {
            for target in self.arrows.get(next).into_iter().flatten() {
                if target == start {
                    let mut way = vec![start.to_owned(), next.to_owned()];
                    let mut at = next;
                    while at != start {
                        at = came_from[at];
                        way.push(at.to_owned());
                    }
                    if next == start {
                        way.truncate(2);
                    }
                    way.reverse();
                    return Some(way);
                }
                if !came_from.contains_key(target.as_str()) {
                    came_from.insert(target, next);
                    open.push_back(target);
                }
            }
        }
        None
    }
}

/// A group of modules in which each module leads to each other module.
struct Circle {
    size: usize,
    shortest: Vec<String>,
}

impl Circle {
    fn describe(&self) -> String {
        format!(
            "{} modules in one circle, for example {}",
            self.size,
            self.shortest.join(" -> ")
        )
    }
}

fn shown(name: &[String]) -> String {
    if name.is_empty() {
        "crate".to_owned()
    } else {
        name.join("::")
    }
}

/// The module that defines what a path names: through modules, then through re-exports.
fn definer<'a>(
    modules: &BTreeMap<&'a [String], Module>,
    path: &[String],
    depth: usize,
) -> Option<&'a [String]> {
    // Deeper than any chain of re-exports; a glob that names itself ends here.
    const MOST_REEXPORTS: usize = 16;
    let length = (0..=path.len()).rfind(|length| modules.contains_key(&path[..*length]))?;
    let (name, module) = modules.get_key_value(&path[..length])?;
    let Some(item) = path.get(length) else {
        return Some(name);
    };
    if depth == MOST_REEXPORTS || module.definitions.contains(item) {
        return Some(name);
    }
    let rest = &path[length + 1..];
    if let Some(import) = module.imports.iter().find(|import| import.name == *item) {
        let target = import.path.as_ref()?;
        let target: Vec<String> = target.iter().chain(rest).cloned().collect();
        return definer(modules, &target, depth + 1);
    }
    let through_glob = module
        .imports
        .iter()
        .filter(|import| import.name == "*")
        .filter_map(|import| import.path.as_ref())
        .filter_map(|target| {
            let target: Vec<String> = target.iter().chain(&path[length..]).cloned().collect();
            definer(modules, &target, depth + 1)
        })
        .find(|found| modules[found].definitions.contains(item));
    Some(through_glob.unwrap_or(name))
}

/// What one `use` binds.
#[derive(Debug)]
struct Import {
    /// The name in this file; `*` for a glob.
    name: String,
    /// The path from the crate's root; none for another crate's.
    path: Option<Vec<String>>,
    is_reexport: bool,
}

/// What one file names of other modules.
#[derive(Debug, Default)]
struct Module {
    children: Vec<String>,
    definitions: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths in the code that begin at the crate's root, here, or above.
    paths: Vec<Vec<String>>,
    /// Paths in the code that begin with a name: it may be a child or an imported module.
    relative: Vec<Vec<String>>,
    /// Every name in the code outside of `use`.
    names: BTreeSet<String>,
}

impl Module {
    fn read(name: &[String], text: &str) -> Self {
        let tokens = without_tests(&tokens(text));
        let mut reader = Reader {
            tokens: &tokens,
            at: 0,
            file: name,
            inline: Vec::new(),
            depth: 0,
            module: Self::default(),
        };
        reader.read();
        reader.module
    }

    /// The paths that make this file depend on others.
    fn used_paths(&self, modules: &BTreeMap<&[String], Self>) -> Vec<Vec<String>> {
        let is_module = |path: &[String]| modules.contains_key(path);
        let mut used = self.paths.clone();
        for import in &self.imports {
            let Some(path) = &import.path else {
                continue;
            };
            let is_offered_only = import.is_reexport && !self.names.contains(&import.name);
            if !is_offered_only && (import.name == "*" || !is_module(path)) {
                used.push(path.clone());
            }
        }
        for path in &self.relative {
            let bound = self.imports.iter().find(|import| import.name == path[0]);
            if let Some(target) = bound.and_then(|import| import.path.as_ref())
                && is_module(target)
            {
                used.push(target.iter().chain(&path[1..]).cloned().collect());
            }
        }
        used
    }
}

/// Reads the tokens of one file.
struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    file: &'a [String],
    /// The inline modules around the current place, each with the depth of its brace.
    inline: Vec<(String, usize)>,
    depth: usize,
    module: Module,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut is_public = false;
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Name(name) => match name.as_str() {
                    "pub" => {
                        is_public = true;
                        self.at += 1;
                        self.skip_visibility();
                        continue;
                    }
                    "use" => self.import(is_public),
                    "mod" => self.declare(),
                    _ => self.path(),
                },
                Token::Sign('{') => {
                    self.depth += 1;
                    self.at += 1;
                }
                Token::Sign('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                    if self.inline.last().is_some_and(|(_, at)| *at == self.depth) {
                        self.inline.pop();
                    }
                }
                _ => self.at += 1,
            }
            is_public = false;
        }
        // A child is also a name that paths may begin with.
        for child in &self.module.children {
            self.module.imports.push(Import {
                name: child.clone(),
                path: Some(self.file.iter().cloned().chain([child.clone()]).collect()),
                is_reexport: true,
            });
        }
    }

    /// `(crate)`, `(super)`, `(in crate::a)`
    fn skip_visibility(&mut self) {
        if self.sign(0) == Some('(')
            && matches!(self.name(1), Some("crate" | "super" | "self" | "in"))
        {
            while self.at < self.tokens.len() && self.sign(0) != Some(')') {
                self.at += 1;
            }
            self.at += 1;
        }
    }

    fn declare(&mut self) {
        let Some(name) = self.name(1).map(str::to_owned) else {
            self.at += 1;
            return;
        };
        match self.sign(2) {
            Some(';') if self.inline.is_empty() => self.module.children.push(name),
            Some('{') => {
                self.module.definitions.insert(name.clone());
                self.inline.push((name, self.depth));
            }
            _ => {}
        }
        self.at += 2;
    }

    fn import(&mut self, is_public: bool) {
        self.at += 1;
        // `::std::…` is another crate's.
        self.import_tree(&[], is_public);
    }

    fn import_tree(&mut self, start: &[String], is_reexport: bool) {
        let mut path = start.to_vec();
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Name(name)) if name == "as" => {
                    let name = self.name(1).unwrap_or_default().to_owned();
                    self.at += 2;
                    self.bind(name, &path, is_reexport);
                    return;
                }
                Some(Token::Name(name)) => {
                    path.push(name.clone());
                    self.at += 1;
                }
                Some(Token::PathSign) => self.at += 1,
                Some(Token::Sign('*')) => {
                    self.at += 1;
                    self.bind("*".to_owned(), &path, is_reexport);
                    return;
                }
                Some(Token::Sign('{')) => {
                    self.at += 1;
                    while self.at < self.tokens.len() && self.sign(0) != Some('}') {
                        let before = self.at;
                        self.import_tree(&path, is_reexport);
                        if self.sign(0) == Some(',') || self.at == before {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                _ => {
                    if path.len() > start.len() {
                        let mut path = path;
                        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                            path.pop();
                        }
                        let name = path.last().cloned().unwrap_or_default();
                        self.bind(name, &path, is_reexport);
                    }
                    return;
                }
            }
        }
    }

    fn bind(&mut self, name: String, path: &[String], is_reexport: bool) {
        let path = self.absolute(path);
        self.module.imports.push(Import {
            name,
            path,
            is_reexport,
        });
    }

    /// A name in the code, with the names that follow it after `::`.
    fn path(&mut self) {
        let mut path = Vec::new();
        while let Some(name) = self.name(0) {
            path.push(name.to_owned());
            self.at += 1;
            if self.tokens.get(self.at) != Some(&Token::PathSign) {
                break;
            }
            self.at += 1;
        }
        if matches!(
            path[0].as_str(),
            "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "macro_rules"
        ) {
            if path[0] == "macro_rules" {
                self.at += 1;
            }
            if let Some(name) = self.name(0) {
                self.module.definitions.insert(name.to_owned());
            }
            return;
        }
        self.module.names.insert(path[0].clone());
        if path.len() > 1 {
            if matches!(path[0].as_str(), "crate" | "self" | "super") {
                self.module.paths.extend(self.absolute(&path));
            } else {
                self.module.relative.push(path);
            }
        }
    }

    /// The path from the crate's root. None if it begins in another crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let here = self
            .file
            .iter()
            .chain(self.inline.iter().map(|(name, _)| name));
        let mut absolute: Vec<String> = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => here.cloned().collect(),
            first if self.is_child(first) => here.cloned().chain([first.to_owned()]).collect(),
            _ => return None,
        };
        let mut rest = path.iter().peekable();
        while rest.peek().is_some_and(|part| *part == "super") {
            rest.next();
            absolute.pop();
        }
        if !path[0].eq("super") {
            rest.next();
        }
        absolute.extend(rest.filter(|part| *part != "self").cloned());
        Some(absolute)
    }

    /// Whether the file declares this child, above or below the current place.
    fn is_child(&self, name: &str) -> bool {
        self.tokens.windows(3).any(|three| {
            three[0] == Token::Name("mod".to_owned())
                && three[1] == Token::Name(name.to_owned())
                && three[2] == Token::Sign(';')
        })
    }

    fn name(&self, ahead: usize) -> Option<&str> {
        match self.tokens.get(self.at + ahead) {
            Some(Token::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn sign(&self, ahead: usize) -> Option<char> {
        match self.tokens.get(self.at + ahead) {
            Some(Token::Sign(sign)) => Some(*sign),
            _ => None,
        }
    }
}

/// The tokens without each item under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mark: Vec<Token> = super::rust_tokens::tokens("#[cfg(test)]");
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].starts_with(&mark) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += mark.len();
        // To the end of the item: its `;`, or the brace that closes its body.
        let mut depth = 0_usize;
        while at < tokens.len() {
            let token = &tokens[at];
            at += 1;
            match token {
                Token::Sign('{' | '(' | '[') => depth += 1,
                Token::Sign(')' | ']') => depth = depth.saturating_sub(1),
                Token::Sign('}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                Token::Sign(';') if depth == 0 => break,
                _ => {}
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{Graph, Sources};

    fn sources(files: &[(&str, &str)]) -> Sources {
        files
            .iter()
            .map(|(name, text)| {
                let name = name.split("::").filter(|part| !part.is_empty());
                (name.map(str::to_owned).collect(), (*text).to_owned())
            })
            .collect()
    }

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        Graph::of(&sources(files))
            .circles()
            .iter()
            .map(|circle| format!("{}: {}", circle.size, circle.shortest.join(" ")))
            .collect()
    }

    #[test]
    fn each_kind_of_module_path_makes_a_circle() {
        for (a, b) in [
            ("use crate::b::B;", "use crate::a::A;"),
            ("use super::b::B;", "fn f() { crate::a::g(); }"),
            (
                "use crate::{b::{self, B}, c::C};",
                "use super::a::{A, D as E};",
            ),
            ("use crate::b;\nfn f() { b::g(); }", "use crate::a::*;"),
            (
                "fn f(x: crate::b::B) {}",
                "mod inner { use super::super::a::A; }",
            ),
            (
                "pub(crate) use crate::b::B;\nfn f(b: B) {}",
                "use crate::a::A;",
            ),
        ] {
            let found = circles(&[("", "mod a; mod b; mod c;"), ("a", a), ("b", b), ("c", "")]);
            assert_eq!(found, ["2: a b a"], "{a} {b}");
        }
    }

    #[test]
    fn a_child_that_needs_its_parent_is_in_a_circle_if_the_parent_needs_the_child() {
        let child = ("a::b", "use super::A;");
        for parent in [
            "mod b; use b::B; struct A;",
            "mod b; struct A; fn f() { b::g(); }",
            "mod b; use self::b::B; struct A(B);",
        ] {
            let found = circles(&[("", "mod a;"), ("a", parent), child]);
            assert_eq!(found, ["2: a a::b a"], "{parent}");
        }
        for parent in ["mod b; struct A;", "mod b; pub use b::B; struct A;"] {
            assert_eq!(circles(&[("", "mod a;"), ("a", parent), child]), [""; 0]);
        }
    }

    #[test]
    fn a_reexport_counts_for_the_file_that_defines_the_item() {
        let root = "mod a; mod b; pub use a::A; pub use b::*;";
        // Through the root to `b`, which a name in `a` makes a circle; `A` alone makes none.
        let circle = circles(&[
            ("", root),
            ("a", "use crate::B; pub struct A;"),
            ("b", "use crate::A; pub struct B;"),
        ]);
        assert_eq!(circle, ["2: a b a"]);
        let none = circles(&[
            ("", root),
            ("a", "pub struct A;"),
            ("b", "use crate::A; pub struct B;"),
        ]);
        assert_eq!(none, [""; 0]);
    }

    #[test]
    fn tests_comments_and_strings_are_no_dependency() {
        for a in [
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "#[cfg(test)]\nuse crate::b::B;\nfn f() {}",
            "// use crate::b::B;",
            "/* use crate::b::B; /* */ use crate::b::B; */",
            "//! [`crate::b::B`]",
            "const A: &str = \"crate::b::B\";",
            "const A: &str = r#\"\" use crate::b::B;\"#;",
            "const A: char = '\"'; // crate::b::B \"",
            "pub(in crate::b) fn f() {}",
        ] {
            let found = circles(&[("", "mod a; mod b;"), ("a", a), ("b", "use crate::a::A;")]);
            assert_eq!(found, [""; 0], "{a}");
        }
    }

    #[test]
    fn the_shortest_circle_is_shown_and_circles_are_counted_separately() {
        let found = circles(&[
            ("", "mod a; mod b; mod c; mod d; mod e;"),
            ("a", "use crate::b::B;"),
            ("b", "use crate::c::C; use crate::d::D;"),
            ("c", "use crate::a::A; use crate::b::B;"),
            ("d", "use crate::e::E;"),
            ("e", "use crate::d::D;"),
        ]);
        assert_eq!(found, ["3: b c b", "2: d e d"]);
    }
}
