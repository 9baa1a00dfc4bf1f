// Builds the page by webpack without options: `node webpack.mjs WEBPACK OUT`.
const [, , webpack, out] = process.argv;
const { default: build } = await import(`${webpack}/lib/index.js`);

const options = {
  mode: "production",
  entry: "./main.js",
  context: process.cwd(),
  experiments: { outputModule: true },
  // The page loads its script under the name that it has in the sources.
  output: { path: out, filename: "main.js", assetModuleFilename: "assets/[name]-[hash][ext]", module: true },
};
build(options, (error, stats) => {
  if (!error && !stats.hasErrors()) return;
  console.error(String(error || stats));
  process.exit(1);
});
