// Where a job's time went: a table whose rows have bars, stages one after the other, ComfyUI's nodes within the runtime's.

import { draw, h } from "./dom.js";
import { count, object, seconds } from "./format.js";

const STAGES = [["queued", "Waited"], ["prepare", "Inputs"], ["runtime", "Runtime"], ["store", "Stored"]];
const MOST_NODES = 8;

/** The table, or null when nothing is known. `names` has the class of each node by its id. */
export function waterfall(timings, names) {
  const known = STAGES.filter(([name]) => Number.isFinite(timings[name]));
  const total = known.reduce((sum, [name]) => sum + timings[name], 0);
  if (!known.length || total <= 0) return null;
  const rows = [];
  let start = 0;
  for (const [name, title] of known) {
    rows.push(row(name, title, start / total, timings[name] / total, timings[name]));
    if (name === "runtime") rows.push(...nodeRows(object(timings.nodes), names, start, total));
    start += timings[name];
  }
  return h("table", { class: "waterfall" },
    h("caption", {}, "Where the time went", h("span", { class: "sum" }, seconds(total))),
    h("thead", { class: "hidden" }, h("tr", {}, ...["Stage", "Share", "Time"].map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, ...rows));
}

function row(kind, title, from, part, time) {
  const bar = draw(h("div", { class: "span", "aria-hidden": "true" }), { from, part });
  return h("tr", { class: kind }, h("th", { scope: "row" }, title), h("td", { class: "track" }, bar), h("td", { class: "time" }, seconds(time)));
}

/** The longest nodes. Their order in time is not known, for the document names their seconds alone: all start at the left. */
function nodeRows(nodes, names, start, total) {
  const sorted = Object.entries(nodes).filter(([, time]) => Number.isFinite(time)).sort(([, one], [, other]) => other - one);
  const rows = sorted.slice(0, MOST_NODES).map(([id, time]) => row("node", nameOf(id, names), start / total, time / total, time));
  const rest = sorted.slice(MOST_NODES);
  if (rest.length) {
    const time = rest.reduce((sum, [, one]) => sum + one, 0);
    rows.push(row("node", `${count(rest.length, "other node")}`, start / total, time / total, time));
  }
  return rows;
}

const nameOf = (id, names) => (Object.hasOwn(names, id) && names[id] ? `${names[id]} · ${id}` : `Node ${id}`);
