/**
 * Reads an object's own property, and never an inherited one: where `Object.prototype` was written
 * to, every object inherits a `state` or a `code` that nobody sent. `undefined` where there is none.
 */
module.exports = (object, name) =>
  Object.prototype.hasOwnProperty.call(Object(object), name) ? object[name] : undefined;
