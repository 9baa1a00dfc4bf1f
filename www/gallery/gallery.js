// @ts-check
/** The gallery's index: a frame for each state. */
import { STATES } from "./states.js";

const form = document.forms[0];
const main = /** @type {HTMLElement} */ (document.querySelector("main"));

function show() {
  const settings = new FormData(form);
  main.replaceChildren(
    ...STATES.map(({ name, about }) => {
      const query = new URLSearchParams(location.search);
      query.set("state", name);
      query.set("locale", String(settings.get("locale")));
      query.set("theme", String(settings.get("theme")));
      query.set("layout", String(settings.get("layout")));
      const frame = document.createElement("iframe");
      frame.title = name;
      frame.width = String(settings.get("width"));
      frame.loading = "lazy";
      // Scripts without navigation: a state that navigates to WeChat stays visible.
      frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
      frame.src = `state.html?${query}`;
      const caption = document.createElement("figcaption");
      const strong = document.createElement("strong");
      strong.textContent = name;
      caption.append(strong, ` ${about}`);
      const figure = document.createElement("figure");
      figure.append(caption, frame);
      return figure;
    }),
  );
}

form.addEventListener("change", show);
show();
