// The contact sheet: recent jobs as frames of film, more of them as one scrolls, and the ones in work kept up to date.

import { Problem, ask, pause } from "./api.js";
import { draw, fill, h } from "./dom.js";
import { list, moment, text, webAddress } from "./format.js";
import { isPicture } from "./pictures.js";
import { promptOf } from "./sources.js";
import { FINAL, untilSeen } from "./watch.js";

const PAGE = 24;
const FRESH_MS = 4000;
const STATES = ["queued", "running", "completed", "failed", "cancelled", "expired"];

/** The sheet in `element`, with its choice of states in `filters`. */
export function sheet(element, filters) {
  const roll = rollOf();
  fill(element, roll.film, roll.empty, roll.wrong, roll.older);
  roll.older.addEventListener("click", () => load(roll));
  fill(filters, filterOf((filter) => begin(roll, filter)));
  keepFresh(roll);
  return {
    load: () => begin(roll, roll.filter),
    put: (job, first) => put(roll, job, first),
    /** Mark the frame of the job that is on the easel. */
    mark: (id) => {
      roll.current = id;
      for (const [one, made] of roll.frames) made.mark(one === id);
    },
  };
}

/** What the sheet consists of, and what it knows: frames by job, how far the list is read (`turn` counts its beginnings). */
function rollOf() {
  const roll = {
    film: h("ul", { class: "film" }),
    empty: h("p", { class: "empty" }),
    wrong: h("p", { class: "mistake", role: "alert" }),
    older: h("button", { type: "button", class: "quiet older", hidden: true }, "Older"),
    frames: new Map(),
    cursor: null, filter: "", turn: 0, current: null,
  };
  roll.seen = new IntersectionObserver(([entry]) => entry.isIntersecting && load(roll), { rootMargin: "400px" });
  return roll;
}

function begin(roll, filter) {
  roll.turn++;
  Object.assign(roll, { filter, cursor: null });
  roll.frames.clear();
  fill(roll.film);
  return load(roll);
}

/** Put the next page on the sheet. */
async function load(roll) {
  const { turn, older, wrong } = roll;
  roll.seen.unobserve(older);
  fill(wrong);
  try {
    const page = await jobsPage(roll.cursor, roll.filter);
    if (turn !== roll.turn) return;
    for (const job of page.jobs) put(roll, job, false);
    roll.cursor = page.next;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (turn === roll.turn) fill(wrong, problem.message);
    older.hidden = false;
    return; // a click on the button tries again
  }
  older.hidden = !roll.cursor;
  showEmpty(roll);
  if (roll.cursor) roll.seen.observe(older); // a short page leaves it in sight, and it is told so again
}

function put(roll, job, first) {
  const there = roll.frames.get(job.id);
  if (there) return there.update(job);
  if (roll.filter && job.state !== roll.filter) return undefined;
  const made = frame(job);
  made.mark(job.id === roll.current);
  roll.frames.set(job.id, made);
  roll.film[first ? "prepend" : "append"](made.element);
  return showEmpty(roll);
}

function showEmpty({ empty, frames, cursor, filter }) {
  empty.textContent = frames.size || cursor ? "" : filter ? `No job is ${filter}.` : "Pictures gather here.";
}

async function jobsPage(cursor, filter) {
  const query = new URLSearchParams({ limit: PAGE });
  if (cursor) query.set("cursor", cursor);
  if (filter) query.set("state", filter);
  const { body } = await ask(`v1/jobs?${query}`);
  return { jobs: list(body.jobs), next: body.next ?? null };
}

function filterOf(choose) {
  const box = h("select", { class: "box small", "aria-label": "Show jobs that are" }, h("option", { value: "" }, "all"),
    ...STATES.map((name) => h("option", { value: name }, name)));
  box.addEventListener("change", () => choose(box.value));
  return box;
}

/** Look again at the newest jobs while any of the frames is in work. */
async function keepFresh(roll) {
  for (;;) {
    await pause(FRESH_MS);
    await untilSeen();
    if (![...roll.frames.values()].some((one) => one.active())) continue;
    try {
      for (const job of (await jobsPage(null, "")).jobs) if (roll.frames.has(job.id)) put(roll, job, false);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem; // a lost look is made up for by the next
    }
  }
}

function frame(job) {
  const link = h("a", { class: "frame", href: `#/jobs/${encodeURIComponent(job.id)}` });
  const element = h("li", {}, link);
  let shown = "";
  let now = job;
  const update = (next) => {
    now = next;
    draw(link, { part: next.progress ?? 0 });
    if (shown === next.state) return;
    shown = next.state;
    link.className = `frame ${next.state}`;
    fill(link, ...faceOf(next));
  };
  update(job);
  const mark = (on) => (on ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  return { element, update, mark, active: () => !FINAL.has(now.state) };
}

function faceOf(job) {
  const files = list(job.artifacts).map((file) => ({ ...file, address: webAddress(file.download_url) }));
  const picture = files.find(isPicture);
  const prompt = promptOf(job) || job.id;
  const kind = text(files[0]?.content_type).split("/")[0];
  const face = picture
    ? h("img", { src: picture.address, alt: "", loading: "lazy", decoding: "async" })
    : h("span", { class: "no-print", "aria-hidden": "true" }, job.state === "completed" && kind ? kind : job.state);
  const many = files.length > 1 ? `${files.length}×` : "";
  return [
    h("span", { class: "edge" }, h("span", {}, moment(job.submitted_at)), h("span", {}, many)),
    h("span", { class: "window" }, face),
    h("span", { class: "edge" }, h("span", { class: "edge-name" }, job.runtime)),
    h("span", { class: "hidden" }, `, ${job.state}: ${prompt}`),
  ];
}
