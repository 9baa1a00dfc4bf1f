// @ts-check
/**
 * What a page loads: this file defines `<wechat-pay>` and fetches the widget from beside this file,
 * from the same origin and no other.
 */
import { imports, mount, start, theme } from "./bindings/wechat_pay_widget.js";
import { define } from "./element.js";

/** @type {Promise<import("./wechat-pay").Bindings> | undefined} */
let loading;

function loadBindings() {
  if (!loading) {
    loading = load().catch((error) => {
      // The next element tries again.
      loading = undefined;
      throw error;
    });
  }
  return loading;
}

async function load() {
  const response = await fetch(new URL("./wechat-pay.wasm", import.meta.url));
  if (!response.ok) throw new Error(`wechat-pay.wasm: ${response.status}`);
  // Safari streams since version 15, and no browser streams a response with another content type.
  const isStreamed =
    WebAssembly.instantiateStreaming && response.headers.get("content-type") === "application/wasm";
  const { instance, module } = await (isStreamed
    ? WebAssembly.instantiateStreaming(response, imports())
    : WebAssembly.instantiate(await response.arrayBuffer(), imports()));
  start(instance, module);
  return { mount, theme };
}

// Not on a server that renders pages, and not if another copy of this file was loaded first.
if (typeof customElements === "object" && !customElements.get("wechat-pay")) {
  // The page will need the widget, so it loads while the rest of the page is still being read.
  loadBindings().catch(() => {});
  define({ loadBindings });
}
