// Renders the pages to files, as a shop's server does: `node server.js FOLDER`.
import { writeFileSync } from "node:fs";
import { createElement, version } from "react";
import { renderToString } from "react-dom/server";
import { App } from "./app.js";

const folder = process.argv[2];
const major = version.split(".")[0];
for (const page of ["own", "bare", "api"]) {
  // The test puts these two in, in the browser's copy too.
  const properties = { page, merchantApi: "MERCHANT_API", token: "ORDER_TOKEN" };
  const html = `<div id="root">${renderToString(createElement(App, properties))}</div>
    <script>window.heardByReact = []; window.properties = ${JSON.stringify(properties)}; window.reactVersion = "${version}"</script>
    <script type="module" src="react-${major}.js"></script>`;
  writeFileSync(`${folder}/react-${major}-${page}.html`, html);
}
