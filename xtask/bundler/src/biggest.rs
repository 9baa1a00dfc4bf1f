//! The biggest functions and data segments of a WebAssembly file: where its bytes are.
//!
//! Reads names from the name section; it never guesses a name that is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// Rows `bytes <tab> name`, biggest first, then a row with the sum of all the others.
pub(crate) fn table(wasm: &Path, count: usize) -> Result<String, String> {
    let content = fs::read(wasm).map_err(|error| format!("{}: {error}", wasm.display()))?;
    let mut items = items(&content).map_err(|error| format!("{}: {error}", wasm.display()))?;
    items.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    let rest = items.split_off(count.min(items.len()));
    let mut rows: Vec<String> = items
        .iter()
        .map(|item| format!("{}\t{}", item.bytes, item.name))
        .collect();
    let rest_bytes: usize = rest.iter().map(|item| item.bytes).sum();
    rows.push(format!("{rest_bytes}\t({} others)", rest.len()));
    Ok(rows.join("\n"))
}

struct Item {
    bytes: usize,
    name: String,
}

fn items(content: &[u8]) -> wasmparser::Result<Vec<Item>> {
    let mut imported_functions = 0_u32;
    let mut bodies = Vec::new();
    let mut items = Vec::new();
    let mut names = BTreeMap::new();
    for payload in Parser::new(0).parse_all(content) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import?.ty, TypeRef::Func(_)) {
                        imported_functions += 1;
                    }
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
            Payload::DataSection(segments) => {
                for (index, segment) in segments.into_iter().enumerate() {
                    items.push(Item {
                        bytes: segment?.data.len(),
                        name: format!("data segment {index}"),
                    });
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(section) = section.as_known() {
                    for subsection in section {
                        if let Name::Function(functions) = subsection? {
                            for naming in functions {
                                let naming = naming?;
                                names.insert(naming.index, naming.name.to_owned());
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    for (index, bytes) in (imported_functions..).zip(bodies) {
        let name = names
            .remove(&index)
            .unwrap_or_else(|| format!("function {index}"));
        items.push(Item { bytes, name });
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::items;

    /// A module with one function of a name and one data segment, written byte by byte.
    const MODULE: &[u8] = &[
        0, b'a', b's', b'm', 1, 0, 0, 0, // header
        1, 4, 1, 0x60, 0, 0, // one type: () -> ()
        3, 2, 1, 0, // one function of it
        5, 3, 1, 0, 1, // one memory
        10, 5, 1, 3, 0, 1, 0x0b, // its body: nop, end
        11, 9, 1, 0, 0x41, 0, 0x0b, 3, b'p', b'a', b'y', // one segment
        0, 13, 4, b'n', b'a', b'm', b'e', 1, 6, 1, 0, 3, b'q', b'r', b'c', // its name
    ];

    #[test]
    fn functions_are_named_and_segments_are_counted() {
        let found: Vec<_> = items(MODULE)
            .unwrap()
            .into_iter()
            .map(|item| (item.bytes, item.name))
            .collect();
        assert_eq!(
            found,
            [(3, "data segment 0".to_owned()), (3, "qrc".to_owned())]
        );
    }

    #[test]
    fn a_file_that_is_not_wasm_is_refused() {
        assert!(items(b"<!doctype html>").is_err());
    }
}
