// @ts-check
/**
 * Where WebAssembly is not: Lockdown Mode, a policy without `wasm-unsafe-eval`, a file that does not
 * arrive. There the same widget runs as JavaScript, which `cargo xtask dist` makes from the
 * WebAssembly. It is a classic script, because older browsers and Trusted Types know no other way
 * to load code later. It never changes what the widget does.
 */

/** How long the script may take. The buyer then sees another way to pay. */
const LIMIT_MS = 30_000;

/** @type {{ createScriptURL(address: string): any } | undefined} */
let policy;

/**
 * Loads the script and gives an instance, as `WebAssembly.instantiate` does.
 *
 * @param {string} address
 * @param {WebAssembly.Imports} imports
 * @returns {Promise<WebAssembly.Instance>}
 */
export function instantiateScript(address, imports) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const timer = setTimeout(() => settle("no answer"), LIMIT_MS);
    /** @param {string} [failure] */
    const settle = (failure) => {
      clearTimeout(timer);
      script.remove();
      // The script leaves its function on its own element, and nothing on the page.
      const instantiate = /** @type {any} */ (script).instantiate;
      if (instantiate) resolve(instantiate(imports));
      else reject(new Error(`${address}: ${failure || "not the widget"}`));
    };
    script.onload = () => settle();
    script.onerror = () => settle("not loaded");
    // The page's nonce also allows this script.
    script.nonce = (/** @type {HTMLElement | null} */ (document.querySelector("script[nonce]")) || script).nonce;
    script.crossOrigin = "anonymous";
    try {
      script.src = trusted(address);
    } catch (error) {
      return settle(String(error));
    }
    document.head.append(script);
  });
}

/**
 * The address in the form that Trusted Types require. A page that lists its policies has to list
 * ours, `wechat-pay`.
 *
 * @param {string} address
 * @returns {any}
 */
function trusted(address) {
  const { trustedTypes } = /** @type {any} */ (window);
  try {
    policy = policy || trustedTypes.createPolicy("wechat-pay", { createScriptURL: String });
    return policy && policy.createScriptURL(address);
  } catch {
    // No trusted types here, or not this policy. The text is enough where the page requires none.
    return address;
  }
}
