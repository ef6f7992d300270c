// The form: choose what makes the picture, say how, submit; mistakes appear at the fields that they are in.

import { Problem, ask, submit } from "./api.js";
import { fill, h, newId, say } from "./dom.js";
import { field } from "./fields.js";
import { count, list, object, text } from "./format.js";
import { settingsContext } from "./sources.js";

const MORE = {
  format: {
    pointer: "#/output/format",
    parameter: { type: "string", title: "Format", choices: ["as made", "png", "jpeg", "webp", "avif"], default: "as made" },
  },
  bulk: { pointer: "#/priority", parameter: { type: "boolean", title: "No hurry", help: "Goes behind all other work" } },
};

/**
 * The form for these sources.
 *
 * @param {import("./sources.js").Source[]} sources
 * @param {(job: object, body: object) => void} submitted hears of each job that was accepted
 */
export function bench(element, sources, submitted) {
  const parts = partsOf(sources);
  const state = { source: null, fields: new Map() };
  const choose = (id, settings = {}) => show(parts, state, sources.find((one) => one.id === id) ?? sources[0], settings);
  fill(element, parts.form);
  parts.picker.addEventListener("change", () => choose(parts.picker.value));
  listen(parts.form, () => send(parts, state, submitted));
  document.onpaste = (event) => takePasted(event, state.fields);
  return {
    choose,
    knows: (id) => sources.some((one) => one.id === id),
    /** Put a picture of the bucket into an image field: this form's, or that of the first source known to have one. */
    startFrom: async (address) => {
      if (!imageIn(state.fields)) await choose(sources.find(hasImage)?.id ?? state.source.id);
      const image = imageIn(state.fields);
      if (!image) return say("Nothing here starts from a picture");
      image.set(address);
      return image.focus();
    },
    focus: () => [...state.fields.values()][0]?.focus(),
    source: () => state.source,
  };
}

/** What the form consists of; its fields are made when something is chosen. */
function partsOf(sources) {
  const picker = pickerOf(sources);
  const about = h("div", { class: "about" });
  const place = h("div", { class: "fields" });
  const wrong = h("div", { class: "alert", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, "Make the picture");
  const go = h("div", { class: "go" }, button, h("kbd", { class: "hint" }, "Ctrl Enter"));
  const form = h("form", { class: "form", novalidate: true }, picker.element, about, place, wrong, go);
  return { form, picker: picker.box, about, place, wrong, button };
}

/** Show a source's fields, filled with settings; what it asks for is asked of the API once. */
async function show({ picker, about, place, wrong }, state, source, settings) {
  picker.value = source.id;
  state.source = source;
  fill(wrong);
  if (!source.parameters) fill(place); // nothing is typed into a form that is about to go
  try {
    source.parameters ??= object((await ask(`v1/workflows/${encodeURIComponent(source.id.split(":")[1])}`)).body.parameters);
  } catch (problem) {
    return fill(wrong, problem.message);
  }
  if (state.source !== source) return undefined; // another one was chosen meanwhile
  state.fields = makeFields(place, source, settings);
  return fill(about, source.description && h("p", {}, source.description));
}

async function send({ button, wrong }, state, submitted) {
  if (button.ariaDisabled === "true") return; // a button that is really disabled would lose the focus
  fill(wrong);
  const asked = bodyOf(state);
  if (!asked) return;
  button.ariaDisabled = "true";
  try {
    submitted(await submit(asked.body), asked.body);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showProblem(problem, state, wrong);
  } finally {
    button.ariaDisabled = "false";
  }
}

function listen(form, go) {
  form.addEventListener("submit", (event) => { event.preventDefault(); go(); });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/** A picture that is pasted, wherever the focus is, goes into an image field. */
function takePasted(event, fields) {
  const [file] = event.clipboardData.files;
  const image = file?.type.startsWith("image/") && imageIn(fields);
  if (!image) return;
  event.preventDefault();
  image.take(file);
}

/** The image field that has the focus, or the first one, if there is any. */
function imageIn(fields) {
  const images = [...fields.values()].filter((one) => one.type === "image");
  return images.find((one) => one.element.contains(document.activeElement)) ?? images[0];
}

const hasImage = (source) => Object.values(source.parameters ?? {}).some((parameter) => parameter.type === "image");

function pickerOf(sources) {
  const id = newId("source");
  const groups = Map.groupBy(sources, (source) => source.group);
  const box = h("select", { id, class: "box big" }, ...[...groups].map(([name, some]) =>
    h("optgroup", { label: name }, ...some.map((source) => h("option", { value: source.id }, titleOf(source))))));
  return { box, element: h("div", { class: "field wide" }, h("label", { class: "label", for: id }, "Made by"), box) };
}

const titleOf = (source) => (source.what ? `${source.title} · ${source.what}` : source.title);

function makeFields(place, source, { values = {}, more = {} }) {
  const fields = new Map();
  const add = (name, parameter, pointer, value) => {
    const made = field(name, parameter);
    if (value !== undefined) made.set(value);
    fields.set(name, { ...made, pointer, type: parameter.type, needs: parameter.needs });
    return made.element;
  };
  const shown = Object.entries(source.parameters).map(([name, parameter]) => add(name, parameter, source.pointer(name), values[name]));
  const extra = Object.entries(MORE)
    .filter(([name]) => name !== "bulk" || source.bulk)
    .map(([name, { parameter, pointer }]) => add(`more.${name}`, parameter, pointer, more[name]));
  fill(place, ...shown, h("details", { class: "more wide" }, h("summary", {}, "More"), h("div", { class: "fields" }, ...extra)));
  const showNeeded = () => {
    for (const one of fields.values()) if (one.needs) one.element.hidden = !has(fields.get(one.needs));
  };
  place.oninput = showNeeded;
  showNeeded();
  return fields;
}

function has(one) {
  try { return one.value() !== undefined; } catch { return false; }
}

/** The request, or null with the mistakes shown. */
function bodyOf({ source, fields }) {
  const values = {};
  const more = {};
  let first = null;
  for (const [name, one] of fields) {
    one.fail("");
    if (one.element.hidden) continue;
    try {
      const value = one.value();
      if (value !== undefined) (name.startsWith("more.") ? more : values)[name.replace("more.", "")] = value;
    } catch (error) {
      one.fail(error.message);
      first ??= one;
    }
  }
  first?.focus();
  if (first) return null;
  const body = { ...source.request(values), ...settingsContext(source, values, more) };
  if (more.format && more.format !== "as made") body.output = { format: more.format };
  if (more.bulk) body.priority = "bulk";
  return { body };
}

/** Put each mistake at its field; what has none goes above the button. */
function showProblem(problem, { fields }, wrong) {
  const rest = [];
  let first = null;
  for (const { pointer, parameter, detail } of list(problem.errors)) {
    const at = text(pointer);
    const one = [...fields.values()].find((each) => at === each.pointer || at.startsWith(`${each.pointer}/`));
    if (!one) {
      rest.push(`${at || text(parameter)}: ${text(detail)}`);
      continue;
    }
    const inside = at.slice(one.pointer.length + 1);
    one.element.closest("details")?.setAttribute("open", "");
    one.fail(inside && one.type === "graph" ? `At ${inside.replaceAll("/", " › ")}: ${text(detail)}` : text(detail));
    first ??= one;
  }
  const said = first || rest.length ? rest : [problem.message];
  fill(wrong, ...said.map((line) => h("p", {}, line)));
  say(first ? `Not accepted: ${count(problem.errors.length, "mistake")} in the form` : "");
  first?.focus();
}
