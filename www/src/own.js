// @ts-check
/** Objects without what a polluted `Object.prototype` adds to them. */

/**
 * The objects' own properties in one object, and not those that a polluted `Object.prototype` adds
 * to every object. (Chrome knows the syntax for this since version 60.)
 *
 * @param {any[]} objects
 * @returns {any}
 */
export function own(...objects) {
  return Object.assign(Object.create(null), ...objects);
}
