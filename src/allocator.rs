//! The bundle's allocator. The standard library's allocator weighs 1,469 bytes more (brotli).

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
