// Runs before the element's module: `?before=` is a script of the test's.
const before = new URLSearchParams(location.search).get("before");
if (before) new Function(before)();
