//! The oldest engines that can run a WebAssembly file: those that know the first version of
//! WebAssembly and nothing that came later. Chrome has it since version 57, Safari since 11.

use std::fs;
use std::path::Path;

use wasmparser::{Validator, WasmFeatures};

/// Fails if the file needs a feature that came later, mutable globals among the exports included.
pub(crate) fn check(wasm: &Path) -> Result<(), String> {
    let failed = |why: String| format!("{}: {why}", wasm.display());
    let content = fs::read(wasm).map_err(|error| failed(error.to_string()))?;
    needs_mvp_alone(&content).map_err(failed)
}

fn needs_mvp_alone(content: &[u8]) -> Result<(), String> {
    Validator::new_with_features(WasmFeatures::MVP)
        .validate_all(content)
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::needs_mvp_alone;

    /// A module with one function type `() -> i32` and one body.
    fn module(body: &[u8]) -> Vec<u8> {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([1, 5, 1, 0x60, 0, 1, 0x7f]);
        module.extend([3, 2, 1, 0]);
        let length = u8::try_from(body.len()).unwrap();
        module.extend([10, length + 2, 1, length]);
        module.extend(body);
        module
    }

    #[test]
    fn later_features_are_refused() {
        // No locals; i32.const 1; [i32.extend8_s of the sign-extension proposal]; end.
        assert_eq!(needs_mvp_alone(&module(&[0, 0x41, 1, 0x0b])), Ok(()));
        let error = needs_mvp_alone(&module(&[0, 0x41, 1, 0xc0, 0x0b])).unwrap_err();
        assert!(error.contains("sign extension"), "{error}");
    }

    #[test]
    fn an_exported_mutable_global_is_refused() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        // (global (mut i32) (i32.const 0)) and (export "g" (global 0))
        module.extend([6, 6, 1, 0x7f, 1, 0x41, 0, 0x0b]);
        module.extend([7, 5, 1, 1, b'g', 3, 0]);
        let error = needs_mvp_alone(&module).unwrap_err();
        assert!(error.contains("mutable global"), "{error}");
    }
}
