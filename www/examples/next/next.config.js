/** Next must not search for another root above this folder. */
export default { turbopack: { root: import.meta.dirname }, devIndicators: false };
