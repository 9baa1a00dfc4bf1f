//! The element's files as the server finds them at its start: in a folder, or in the program itself.
//! Nothing is served here.

use std::path::{Path, PathBuf};

/// The script that pages load.
pub(super) const SCRIPT: &str = "wechat-pay.js";

/// The source of the element's files, which are served at `/dist/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bundle {
    /// There are none: the configuration names no folder, and the program has no files.
    #[default]
    Absent,
    /// The folder that the configuration names.
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The name of the WebAssembly file, which pages preload; `None` if the script names none.
        wasm: Option<String>,
    },
    /// The files in the program.
    Embedded {
        /// All files, the compressed forms (`.br`, `.gz`) included.
        files: &'static [EmbeddedFile],
        /// As for a folder.
        wasm: Option<String>,
    },
}

/// A file that was compiled into the program.
#[derive(Debug, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// Its name in the bundle's folder, which has no folders in it.
    pub name: &'static str,
    /// Its bytes.
    pub content: &'static [u8],
}

impl Bundle {
    pub(super) fn in_folder(dir: PathBuf) -> Self {
        let script = std::fs::read_to_string(dir.join(SCRIPT)).ok();
        let wasm = script.as_deref().and_then(wasm_name);
        Self::Folder { dir, wasm }
    }

    /// These files, or [`Bundle::Absent`] if the script that pages load is not among them.
    pub(super) fn embedded(files: &'static [EmbeddedFile]) -> Self {
        let Some(script) = files.iter().find(|file| file.name == SCRIPT) else {
            return Self::Absent;
        };
        let script = std::str::from_utf8(script.content).ok();
        let wasm = script.and_then(wasm_name);
        Self::Embedded { files, wasm }
    }

    /// A sentence for people if pages get no element from this server.
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Absent => Some(
                "bundle_dir is not set and this program was built without the element, so /dist/ has nothing for your pages: set bundle_dir to a folder with the npm package wechat-pay-widget, or build the program again after `cargo xtask dist`"
                    .to_owned(),
            ),
            Self::Folder { dir, .. } if !dir.join(SCRIPT).is_file() => Some(format!(
                "bundle_dir: there is no wechat-pay.js in {}, so /dist/ has no element for your pages",
                dir.display()
            )),
            Self::Folder { .. } | Self::Embedded { .. } => None,
        }
    }

    /// The folder that the configuration names.
    pub fn dir(&self) -> Option<&Path> {
        match self {
            Self::Folder { dir, .. } => Some(dir),
            Self::Absent | Self::Embedded { .. } => None,
        }
    }

    /// The name of the WebAssembly file, if the script names one.
    pub fn wasm(&self) -> Option<&str> {
        match self {
            Self::Folder { wasm, .. } | Self::Embedded { wasm, .. } => wasm.as_deref(),
            Self::Absent => None,
        }
    }
}

/// The name of the WebAssembly that this script loads. The name has the digest of the content, so it
/// changes with each build.
fn wasm_name(script: &str) -> Option<String> {
    let (before, _) = script.split_once(".wasm\"")?;
    let (_, name) = before.rsplit_once("\"./")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.bytes().all(is_plain).then(|| format!("{name}.wasm"))
}

#[cfg(test)]
mod tests {
    use super::{Bundle, EmbeddedFile, SCRIPT};

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
            let bundle = Bundle::in_folder(folder.path().to_owned());
            assert_eq!(bundle.wasm(), expected, "{script}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(Bundle::in_folder(empty.path().to_owned()).wasm(), None);
    }
    #[test]
    fn files_in_the_program_count_only_with_the_script_that_pages_load() {
        static FILES: [EmbeddedFile; 2] = [
            EmbeddedFile {
                name: "index.js",
                content: b"",
            },
            EmbeddedFile {
                name: SCRIPT,
                content: b"new URL(\"./wechat-pay-0.1.0-1a2b3c4d.wasm\", import.meta.url)",
            },
        ];
        let wasm = Some("wechat-pay-0.1.0-1a2b3c4d.wasm");
        assert_eq!(Bundle::embedded(&FILES).wasm(), wasm);
        assert_eq!(Bundle::embedded(&FILES[..1]), Bundle::Absent);
        assert_eq!(Bundle::embedded(&[]), Bundle::Absent);
    }
}
