// One control for each parameter: text, number, slider, choice, switch; images and graphs have files of their own.

import { draw, h, newId } from "./dom.js";
import { graphField } from "./graph-field.js";
import { imageField } from "./image-field.js";

const MOST_PILLS = 4;
const ROW = 32; // letters that fit into pills of one width, side by side
const HALF_ROW = 12;
const MOST_STOPS = 400;

/**
 * A parameter's control.
 *
 * @returns {{element: HTMLElement, value: () => unknown, set: (value: unknown) => void, fail: (why: string) => void,
 *   focus: () => void, take?: (file: File) => void}} `value()` is undefined where nothing was said, and may throw an Error that says what is wrong.
 */
export function field(name, parameter) {
  const id = newId(name);
  const title = parameter.title || name.replaceAll("_", " ");
  const control = controlOf(parameter)({ ...parameter, title }, id);
  const error = h("p", { class: "mistake", id: `${id}-error`, role: "alert" });
  const help = parameter.help ? h("p", { class: "help", id: `${id}-help` }, parameter.help) : null;
  const label = labelOf(control, id, title, parameter);
  const group = control.group ? { role: "group", "aria-labelledby": `${id}-label` } : {};
  const element = h("div", { class: `field ${control.wide ? "wide" : ""}`, ...group }, label, control.element, help, error);
  const target = control.target ?? control.element;
  const described = [help?.id, error.id].filter(Boolean).join(" ");
  target.setAttribute("aria-describedby", described);
  const fail = (why) => {
    error.textContent = why;
    element.classList.toggle("wrong", Boolean(why));
    if (why) target.setAttribute("aria-invalid", "true");
    else target.removeAttribute("aria-invalid");
  };
  element.addEventListener("input", () => fail(""));
  const value = () => required(control, parameter);
  return { element, value, set: control.set, take: control.take, fail, focus: () => target.focus() };
}

function labelOf(control, id, title, parameter) {
  const optional = parameter.required || parameter.default != null || parameter.seed || parameter.type === "boolean";
  const note = optional || control.group ? null : h("span", { class: "note" }, "optional");
  const words = [title, note, control.beside];
  return control.group
    ? h("div", { class: "label", id: `${id}-label` }, ...words)
    : h("label", { class: "label", for: id }, ...words);
}

function required(control, parameter) {
  const value = control.value();
  if (value === undefined && parameter.required && parameter.default == null) throw new Error("This is needed.");
  return value;
}

function controlOf(parameter) {
  if (parameter.type === "image") return imageField;
  if (parameter.type === "graph") return graphField;
  if (parameter.type === "boolean") return switchField;
  if (parameter.choices?.length) return areShort(parameter.choices) ? pillsField : choiceField;
  if (parameter.type === "string") return textField;
  return isSlider(parameter) ? sliderField : numberField;
}

const widthOf = (choices) => Math.max(...choices.map((choice) => String(choice).length)) * choices.length;
const areShort = (choices) => choices.length <= MOST_PILLS && widthOf(choices) <= ROW;

function isSlider({ minimum, maximum, plain, seed, type }) {
  if (plain || seed || minimum == null || maximum == null || maximum <= minimum) return false;
  return type === "number" || maximum - minimum <= MOST_STOPS;
}

function textField(parameter, id) {
  const facts = { id, class: "box", maxlength: parameter.max_length, placeholder: parameter.placeholder, "aria-required": parameter.required };
  const box = parameter.multiline
    ? h("textarea", { ...facts, rows: parameter.low ? 2 : 4 })
    : h("input", { ...facts, type: "text", autocomplete: "off" });
  const set = (value) => { box.value = typeof value === "string" ? value : ""; };
  set(parameter.default);
  const wide = parameter.multiline || !parameter.max_length || parameter.max_length > 40;
  return { element: box, set, wide, value: () => (box.value.trim() || parameter.default ? box.value : undefined) };
}

function numberField(parameter, id) {
  const step = parameter.step ?? (parameter.type === "integer" ? 1 : "any");
  const box = h("input", {
    id, class: "box", type: "number", step, min: parameter.minimum, max: parameter.maximum, inputmode: "decimal",
    placeholder: parameter.seed ? "a new one each time" : null,
  });
  const set = (value) => { box.value = Number.isFinite(value) ? value : ""; };
  set(parameter.default);
  const value = () => {
    if (box.validity.badInput) throw new Error("This is no number.");
    return box.value === "" ? undefined : checked(Number(box.value), parameter);
  };
  return { element: box, set, value, wide: parameter.seed };
}

function checked(number, { type, minimum, maximum }) {
  if (type === "integer" && !Number.isInteger(number)) throw new Error("Only a whole number will do.");
  if (minimum != null && number < minimum) throw new Error(`No less than ${minimum} will do.`);
  if (maximum != null && number > maximum) throw new Error(`No more than ${maximum} will do.`);
  return number;
}

function sliderField(parameter, id) {
  const { minimum, maximum } = parameter;
  const middle = parameter.type === "integer" ? Math.round((minimum + maximum) / 2) : (minimum + maximum) / 2;
  let said = Number.isFinite(parameter.default);
  const range = h("input", { id, type: "range", class: "slider", min: minimum, max: maximum, step: stepOf(parameter) });
  const output = h("output", { for: id, class: "amount" });
  const show = () => {
    output.textContent = said ? range.value : "as it stands";
    draw(range, { part: (range.valueAsNumber - minimum) / (maximum - minimum) });
  };
  const set = (value) => {
    said = Number.isFinite(value);
    range.value = said ? value : middle;
    show();
  };
  range.addEventListener("input", () => { said = true; show(); });
  set(parameter.default);
  return { element: range, beside: output, set, value: () => (said ? range.valueAsNumber : undefined) };
}

function stepOf({ type, minimum, maximum, default: start }) {
  if (type === "integer") return 1;
  const fine = maximum - minimum <= 2 ? 0.05 : maximum - minimum <= 40 ? 0.1 : 0.5;
  const stops = (((start ?? minimum) - minimum) / fine);
  return Math.abs(stops - Math.round(stops)) < 1e-6 ? fine : 0.01;
}

function choiceField(parameter, id) {
  const { choices } = parameter;
  const none = parameter.default == null ? h("option", { value: "" }, "as it stands") : null;
  const box = h("select", { id, class: "box" }, none, ...choices.map((choice, index) => h("option", { value: index }, String(choice))));
  const set = (value) => { box.value = choices.includes(value) ? choices.indexOf(value) : ""; };
  set(parameter.default);
  return { element: box, set, value: () => (box.value === "" ? undefined : choices[Number(box.value)]) };
}

function pillsField(parameter, id) {
  const { choices } = parameter;
  const radios = choices.map((choice, index) => h("input", { type: "radio", name: id, value: index, id: `${id}-${index}`, "aria-describedby": `${id}-error` }));
  const pills = radios.map((radio, index) => h("label", { class: "pill" }, radio, h("span", {}, String(choices[index]))));
  const element = h("div", { class: "pills" }, ...pills);
  const set = (value) => radios.forEach((radio, index) => { radio.checked = choices[index] === value; });
  set(parameter.default);
  const value = () => choices[radios.findIndex((radio) => radio.checked)];
  return { element, set, value, group: true, target: radios[0], wide: widthOf(choices) > HALF_ROW };
}

function switchField(parameter, id) {
  const box = h("input", { id, type: "checkbox", class: "switch", role: "switch" });
  const set = (value) => { box.checked = value === true; };
  set(parameter.default);
  return { element: box, set, value: () => box.checked };
}
