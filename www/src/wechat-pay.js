// @ts-check
/**
 * What a page loads: defines `<wechat-pay>` and fetches the widget beside this file, from the
 * same origin and no other.
 */
import init, { mount, theme } from "./bindings/wechat_pay_widget.js";
import { define } from "./element.js";

/** @type {Promise<import("./wechat-pay").Bindings> | undefined} */
let loading;

function loadBindings() {
  if (!loading) {
    loading = init({ module_or_path: new URL("./wechat-pay.wasm", import.meta.url) }).then(
      () => ({ mount, theme }),
      (error) => {
        // The next element tries again.
        loading = undefined;
        throw error;
      },
    );
  }
  return loading;
}

// Not on a server that renders pages, and not where another copy of this file came first.
if (typeof customElements === "object" && !customElements.get("wechat-pay")) {
  // The page wants to be paid: the widget comes while the rest of the page is still being read.
  loadBindings().catch(() => {});
  define({ loadBindings });
}
