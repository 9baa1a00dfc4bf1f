// Hides from the element's files what Chrome 57 and Safari 11 did not have, as far as a page can.
// The browser's driver and the pages of our simulator, which use newer functions, still find them.
// Runs before the element's script.
(() => {
  // The stack begins with this function and the getter. The caller is the third.
  const isAskedByElement = () => {
    const { stack } = new Error();
    const [, , caller = ""] = stack.split("\n").filter((line) => /:\d+:\d+/.test(line));
    return /wechat-pay[\w.-]*\.(js|wasm)/.test(caller);
  };
  const hide = (owner, names) => {
    for (const name of names.split(" ")) {
      if (!owner || !(name in owner)) continue;
      const there = Object.getOwnPropertyDescriptor(owner, name);
      const value = (object) => (there && there.get ? there.get.call(object) : there ? there.value : undefined);
      window.hidden = (window.hidden || 0) + 1;
      Object.defineProperty(owner, name, {
        configurable: true,
        get() {
          return isAskedByElement() ? undefined : value(this);
        },
        set(value) {
          Object.defineProperty(this, name, { value, configurable: true, writable: true });
        },
      });
    }
  };
  hide(Array.prototype, "at flat flatMap findLast findLastIndex toReversed toSorted toSpliced with");
  hide(Array, "fromAsync");
  hide(String.prototype, "at matchAll replaceAll trimStart trimEnd isWellFormed toWellFormed");
  hide(Object, "fromEntries groupBy hasOwn");
  hide(Promise.prototype, "finally");
  hide(Promise, "allSettled any try withResolvers");
  hide(ArrayBuffer.prototype, "detached resizable transfer transferToFixedLength");
  for (const { prototype } of [Element, Document, DocumentFragment]) hide(prototype, "replaceChildren moveBefore");
  hide(Element.prototype, "checkVisibility getAttributeNames getHTML part setHTMLUnsafe toggleAttribute");
  hide(HTMLElement.prototype, "attachInternals hidePopover inert popover showPopover togglePopover");
  hide(Request.prototype, "signal bytes");
  hide(Response.prototype, "bytes");
  hide(URL, "canParse parse");
  hide(URLSearchParams.prototype, "size");
  hide(
    window,
    "AbortController AbortSignal BigInt BroadcastChannel FinalizationRegistry ResizeObserver WeakRef globalThis queueMicrotask requestIdleCallback scheduler structuredClone trustedTypes visualViewport",
  );
  // These are asked for with `in`, and nothing else on the page needs them.
  delete TextEncoder.prototype.encodeInto;
  delete WebAssembly.instantiateStreaming;
  // It existed, and could not be constructed.
  window.CSSStyleSheet = function CSSStyleSheet() {
    throw new TypeError("Illegal constructor");
  };
})();
