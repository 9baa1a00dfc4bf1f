//! Short names for the imports and exports between the WebAssembly and its glue.
//!
//! wasm-bindgen names each import after a function and a hash, `__wbg_abort_f8d1589eb0c65ee2`, and
//! each closure after its type with more hashes, once in each of the two files. A compressor cannot
//! shorten hashes. Names that pages call stay; the shortened names are used by the two files only.

use std::collections::BTreeMap;

use walrus::Module;

/// New names by old ones.
#[derive(Default)]
pub(crate) struct Names {
    modules: BTreeMap<String, String>,
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
}

/// Renames in the WebAssembly, and returns the renames that the glue must follow.
pub(crate) fn shorten(module: &mut Module) -> Names {
    let mut names = Names::default();
    for import in module.imports.iter_mut() {
        rename(&mut import.module, &mut names.modules);
        rename(&mut import.name, &mut names.imports);
    }
    for export in module.exports.iter_mut() {
        rename(&mut export.name, &mut names.exports);
    }
    names
}

impl Names {
    /// The glue with the new names: imports are keys of an object, exports properties of `wasm`.
    pub(crate) fn in_glue(&self, glue: &str) -> String {
        let mut renamed = String::with_capacity(glue.len());
        let mut rest = glue;
        while let Some(start) = rest.find(is_of_name) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|character| !is_of_name(character));
            let (name, after) = from.split_at(end.unwrap_or(from.len()));
            renamed.push_str(before);
            let names = if before == "." && renamed.ends_with("wasm.") {
                self.exports.get(name)
            } else if after.starts_with(": function") {
                self.imports.get(name)
            } else {
                None
            };
            renamed.push_str(names.map_or(name, String::as_str));
            rest = after;
        }
        renamed.push_str(rest);
        for (old, new) in &self.modules {
            renamed = renamed.replace(&format!("\"{old}\":"), &format!("\"{new}\":"));
        }
        renamed
    }
}

fn rename(name: &mut String, names: &mut BTreeMap<String, String>) {
    let number = names.len();
    let new = names.entry(name.clone()).or_insert_with(|| short(number));
    name.clone_from(new);
}

/// `a` to `z`, then `a1` and so on.
fn short(number: usize) -> String {
    let letter = b"abcdefghijklmnopqrstuvwxyz"[number % 26];
    let mut name = String::from(char::from(letter));
    if number >= 26 {
        name.push_str(&(number / 26).to_string());
    }
    name
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Names, short};

    #[test]
    fn only_names_between_the_two_files_are_shortened() {
        let names = |old: &str, new: &str| BTreeMap::from([(old.to_owned(), new.to_owned())]);
        let names = Names {
            modules: names("./w_bg.js", "a"),
            imports: names("__wbg_get_1f", "b"),
            exports: names("mount", "c"),
        };
        let glue = r#"export function mount() { wasm.mount(0); mount.x; }
            const import0 = { __wbg_get_1f: function() {}, __wbg_get_1fe: function() {} };
            return { "./w_bg.js": import0, "x": "./w_bg.js" };"#;
        let expected = r#"export function mount() { wasm.c(0); mount.x; }
            const import0 = { b: function() {}, __wbg_get_1fe: function() {} };
            return { "a": import0, "x": "./w_bg.js" };"#;
        assert_eq!(names.in_glue(glue), expected);
    }

    #[test]
    fn no_two_names_are_the_same() {
        let names: std::collections::BTreeSet<String> = (0..1_000).map(short).collect();
        assert_eq!(names.len(), 1_000);
    }
}
