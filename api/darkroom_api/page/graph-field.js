// A ComfyUI workflow in API format: pasted, dropped as JSON, or read out of a picture that ComfyUI made.

import { fill, h } from "./dom.js";
import { acceptFiles } from "./image-field.js";
import { count, object } from "./format.js";

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
  const show = () => {
    const read = readGraph(box.value);
    note.classList.toggle("mistake", Boolean(read.wrong));
    fill(note, read.wrong ?? read.summary);
  };
  const take = async (chosen) => {
    box.value = chosen.type === "image/png" ? ofPicture(await chosen.arrayBuffer()) : await chosen.text();
    box.dispatchEvent(new Event("input", { bubbles: true }));
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

/** The workflow in a PNG's `prompt` text chunk (PNG, 3rd edition, 11.3.3), or nothing. */
function ofPicture(buffer) {
  const view = new DataView(buffer);
  for (let at = 8; at + 12 <= buffer.byteLength; ) {
    const length = view.getUint32(at);
    const kind = latin(buffer, at + 4, 4);
    if (kind === "tEXt" && latin(buffer, at + 8, 7) === "prompt\0") return latin(buffer, at + 15, length - 7);
    at += length + 12;
  }
  return '"there is no workflow in this picture"';
}

const latin = (buffer, start, length) =>
  new TextDecoder("latin1").decode(new Uint8Array(buffer, start, Math.max(0, Math.min(length, buffer.byteLength - start))));
