// A ComfyUI workflow in API format: pasted, dropped as JSON, or read out of a picture that ComfyUI made.

import { fill, h } from "./dom.js";
import { acceptFiles } from "./image-field.js";
import { count, object } from "./format.js";
import { pngText } from "./png.js";

const EDITOR = "This is the editor's own format. In ComfyUI choose Workflow → Export (API), and use that file.";

export function graphField(_, id) {
  const box = h("textarea", {
    id, class: "box code", rows: 8, spellcheck: "false", autocomplete: "off",
    placeholder: '{"3": {"class_type": "KSampler", "inputs": {…}}, …}',
  });
  const file = h("input", { type: "file", class: "hidden", id: `${id}-file`, accept: ".json,application/json,image/png" });
  const note = h("p", { class: "help", role: "status" });
  const element = h(
    "div", { class: "graph" }, box, note,
    h("p", { class: "help" }, file, h("label", { class: "link", for: `${id}-file` }, "Choose a file"), ", or drop one here: exported JSON, or a picture that ComfyUI made."),
  );
  const tell = ({ wrong, summary }) => {
    note.classList.toggle("mistake", Boolean(wrong));
    fill(note, wrong ?? summary);
  };
  const show = () => tell(readGraph(box.value));
  const take = async (chosen) => {
    const written = chosen.type === "image/png" ? pngText(await chosen.arrayBuffer(), "prompt") : await chosen.text();
    if (written === null) return tell({ wrong: "There is no workflow in this picture." });
    box.value = written;
    return box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  box.addEventListener("input", show);
  file.addEventListener("change", () => file.files[0] && take(file.files[0]));
  acceptFiles(element, take);
  const set = (graph) => {
    box.value = Object.keys(object(graph)).length ? JSON.stringify(graph, null, 2) : "";
    show();
  };
  const value = () => {
    const { graph, wrong } = readGraph(box.value);
    if (wrong) throw new Error(wrong);
    return graph;
  };
  return { element, set, value, wide: true, target: box };
}

/** What a text holds: `graph` and a `summary`, or what is `wrong`; neither if it is empty. */
export function readGraph(written) {
  if (!written.trim()) return { summary: "" };
  let value;
  try {
    value = JSON.parse(written);
  } catch (error) {
    return { wrong: `This is no JSON: ${error.message}` };
  }
  const graph = object(object(value).prompt ?? value);
  if (Array.isArray(graph.nodes) || Array.isArray(object(value).nodes)) return { wrong: EDITOR };
  const kinds = Object.values(graph).map((node) => object(node).class_type);
  if (!kinds.length || kinds.some((kind) => typeof kind !== "string")) {
    return { wrong: "This is no workflow in API format, in which every node has a class_type." };
  }
  const outputs = kinds.filter((kind) => /save|preview|combine/i.test(kind));
  const end = outputs.length ? `, ending in ${[...new Set(outputs)].join(", ")}` : "; none of them seems to save anything";
  return { graph: value, summary: count(kinds.length, "node") + end };
}
