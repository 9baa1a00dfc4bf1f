// @ts-check
/**
 * A classic script's own address. The build puts it in place of `import.meta.url` in the script for
 * pages without modules, and in no other file.
 */

export const OWN_ADDRESS = (/** @type {HTMLScriptElement | null} */ (document.currentScript) || { src: document.baseURI }).src;
