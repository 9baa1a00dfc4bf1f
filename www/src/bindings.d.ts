// What wasm-bindgen writes beside the loader at build time; only the parts that the loader uses.
declare module "*/bindings/wechat_pay_widget.js" {
  export function imports(): WebAssembly.Imports;
  export function start(instance: WebAssembly.Instance): void;
  export const mount: import("./wechat-pay").Bindings["mount"];
  export const theme: import("./wechat-pay").Bindings["theme"];
}
