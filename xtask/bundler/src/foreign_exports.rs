//! Removes the exports to JavaScript that dependencies make and that no page of ours calls.
//!
//! An export keeps its code alive through every optimiser, and gets a class in the glue. leptos
//! depends on wasm-streams, whose stream sources cost five kilobytes (brotli) in an empty page.
//! `link` keeps the code out, and this module keeps the classes out of the glue. Nothing is removed
//! on a guess: if a removed item is still referenced, the build stops in wasm-bindgen.

use walrus::{ExportId, Module, ModuleConfig, RawCustomSection};

/// wasm-bindgen's custom section for its own use: pairs of a schema and a program, each after its
/// length.
const SECTION: &str = "__wasm_bindgen_unstable";

/// Parts of the names of these exports and classes, in lower case.
const UNUSED: &[&str] = &[
    "intounderlyingbytesource",
    "intounderlyingsource",
    "intounderlyingsink",
];

/// The module without these exports.
pub(crate) fn without_unused(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let mut module = ModuleConfig::new()
        .strict_validate(false)
        .parse(wasm)
        .map_err(|error| format!("{error:#}"))?;
    remove_exports(&mut module);
    let mut kept = Vec::new();
    while let Some(section) = module.customs.remove_raw(SECTION) {
        kept.push(RawCustomSection {
            name: section.name,
            data: used_programs(&section.data)?,
        });
    }
    for section in kept {
        module.customs.add(section);
    }
    Ok(module.emit_wasm())
}

fn remove_exports(module: &mut Module) {
    let unused: Vec<ExportId> = module
        .exports
        .iter()
        .filter(|export| is_unused(export.name.as_bytes()))
        .map(walrus::Export::id)
        .collect();
    for id in unused {
        module.exports.delete(id);
    }
}

fn used_programs(section: &[u8]) -> Result<Vec<u8>, String> {
    let mut kept = Vec::with_capacity(section.len());
    let mut rest = section;
    while !rest.is_empty() {
        let pair = rest;
        let (_schema, after) = split_chunk(rest)?;
        let (program, after) = split_chunk(after)?;
        if !is_unused(program) {
            kept.extend_from_slice(&pair[..pair.len() - after.len()]);
        }
        rest = after;
    }
    Ok(kept)
}

/// A chunk and the bytes after it; a chunk begins with its length, four bytes, little-endian.
fn split_chunk(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let unknown = || format!("{SECTION} is not laid out as wasm-bindgen 0.2.130 does it");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(unknown)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| unknown())?;
    rest.split_at_checked(length).ok_or_else(unknown)
}

/// Whether a name, or a program of many names, belongs to one of these exports.
pub(crate) fn is_unused(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    UNUSED
        .iter()
        .any(|name| text.windows(name.len()).any(|part| part == name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::used_programs;

    fn chunk(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap();
        [&length.to_le_bytes()[..], text.as_bytes()].concat()
    }

    #[test]
    fn only_programs_of_unused_classes_are_removed() {
        let ours = [chunk("{schema}"), chunk("mount")].concat();
        let theirs = [chunk("{schema}"), chunk("..IntoUnderlyingSource..")].concat();
        let section = [ours.clone(), theirs, ours.clone()].concat();
        assert_eq!(
            used_programs(&section).unwrap(),
            [ours.clone(), ours].concat()
        );
    }

    #[test]
    fn another_layout_is_refused() {
        for section in [&[1, 0][..], &chunk("schema alone"), &[9, 0, 0, 0, 1]] {
            assert!(used_programs(section).is_err());
        }
    }
}
