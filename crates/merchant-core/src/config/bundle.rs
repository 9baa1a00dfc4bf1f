//! The element's files as the server finds them at its start. Nothing is served here.

use std::path::Path;

/// The script that pages load.
pub(super) const SCRIPT: &str = "wechat-pay.js";

/// The name of the WebAssembly that the script of this folder loads. The name has the digest of the
/// content, so it changes with each build.
pub(super) fn wasm_name(folder: &Path) -> Option<String> {
    let script = std::fs::read_to_string(folder.join(SCRIPT)).ok()?;
    let (before, _) = script.split_once(".wasm\"")?;
    let (_, name) = before.rsplit_once("\"./")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.bytes().all(is_plain).then(|| format!("{name}.wasm"))
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, wasm_name};

    #[test]
    fn the_script_names_the_webassembly_that_it_loads() {
        for (script, expected) in [
            (
                r#"const a=new URL("./wechat-pay-0.1.0-1a2b3c4d.wasm",import.meta.url),b="./x.nowasm.js""#,
                Some("wechat-pay-0.1.0-1a2b3c4d.wasm"),
            ),
            (
                r#"new URL("./wechat-pay.wasm", import.meta.url)"#,
                Some("wechat-pay.wasm"),
            ),
            (r#"new URL("./a b.wasm", import.meta.url)"#, None),
            (r#"fetch("https://cdn.example/a.wasm")"#, None),
            ("", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(SCRIPT), script).unwrap();
            assert_eq!(wasm_name(folder.path()).as_deref(), expected, "{script}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(wasm_name(empty.path()), None);
    }
}
