// Asks for an API key. It is kept in this tab alone, and leaves it only as a header to this API.

import { key, keepKey } from "./api.js";
import { h } from "./dom.js";

/** Resolves to true when a key was given, to false when the reader would not. */
export function askForKey(why) {
  return new Promise((resolve) => {
    const box = h("input", { id: "key-box", class: "box", type: "password", autocomplete: "off", spellcheck: "false" });
    box.value = key();
    const form = h("form", {},
      h("h2", { class: "title", id: "key-title" }, "API key"),
      h("p", {}, why),
      h("label", { class: "label", for: "key-box" }, "Key"), box,
      h("p", { class: "help" }, "It is kept in this tab and forgotten with it."),
      h("div", { class: "go" },
        h("button", { type: "submit", class: "primary" }, "Use it"),
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Not now")));
    const dialog = h("dialog", { class: "ask", "aria-labelledby": "key-title" }, form);
    let given = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      keepKey(box.value.trim());
      given = true;
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(given);
    });
    document.body.append(dialog);
    dialog.showModal();
    box.focus();
  });
}
