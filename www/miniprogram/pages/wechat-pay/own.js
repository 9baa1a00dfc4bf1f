/**
 * Reads an object's own property, never an inherited one: if a script has changed `Object.prototype`,
 * every object inherits a `state` or a `code` that the backend did not send. `undefined` if there is no own property.
 */
module.exports = (object, name) =>
  Object.prototype.hasOwnProperty.call(Object(object), name) ? object[name] : undefined;
