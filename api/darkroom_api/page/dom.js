// Makes elements. Text goes in as text, never as markup, for all of it may come from strangers.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} facts `on…` are listeners, `class` and the rest attributes; null and false leave out.
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function h(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...shown(children));
  return element;
}

/** Put other children in place of those of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
  return element;
}

/** Set numbers that the style sheet draws with (`--part`). The CSSOM is allowed where style attributes are not. */
export function draw(element, numbers) {
  for (const [name, value] of Object.entries(numbers)) element.style.setProperty(`--${name}`, String(value));
  return element;
}

/** Tell screen readers, once. */
export function say(text) {
  const live = document.getElementById("live");
  if (live.textContent !== text) live.textContent = text;
}

const shown = (children) => children.filter((child) => child !== null && child !== undefined && child !== false);

let made = 0;
/** An id that no other element has. */
export const newId = (stem) => `${stem}-${++made}`;
