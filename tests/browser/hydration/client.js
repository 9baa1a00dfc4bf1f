// What the browser runs: takes the server's page over, when the test says so.
import { createElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { App } from "./app.js";

window.hydrate = () => {
  const complain = (error) => window.heardByReact.push(String(error));
  const root = document.getElementById("root");
  hydrateRoot(root, createElement(App, window.properties), { onRecoverableError: complain });
};
