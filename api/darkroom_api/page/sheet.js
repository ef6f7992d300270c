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
  const frames = new Map();
  const state = { cursor: null, filter: "", turn: 0, current: null };
  const film = h("ul", { class: "film" });
  const empty = h("p", { class: "empty" });
  const older = h("button", { type: "button", class: "quiet older", hidden: true }, "Older");
  const wrong = h("p", { class: "mistake", role: "alert" });
  fill(element, film, empty, wrong, older);
  const seen = new IntersectionObserver(([entry]) => entry.isIntersecting && load(), { rootMargin: "400px" });

  async function load() {
    const turn = state.turn;
    seen.unobserve(older);
    fill(wrong);
    try {
      const page = await jobsPage(state.cursor, state.filter);
      if (turn !== state.turn) return;
      for (const job of page.jobs) put(job, false);
      state.cursor = page.next;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (turn === state.turn) fill(wrong, problem.message);
      older.hidden = false;
      return; // a click on the button tries again
    }
    older.hidden = !state.cursor;
    showEmpty();
    if (state.cursor) seen.observe(older); // a short page leaves it in sight, and it is told so again
  }

  function put(job, first) {
    if (state.filter && job.state !== state.filter && !frames.has(job.id)) return;
    const there = frames.get(job.id);
    if (there) return there.update(job);
    const made = frame(job);
    made.mark(job.id === state.current);
    frames.set(job.id, made);
    film[first ? "prepend" : "append"](made.element);
    return showEmpty();
  }

  function showEmpty() {
    empty.textContent = frames.size || state.cursor ? "" : state.filter ? `No job is ${state.filter}.` : "Pictures gather here.";
  }

  function choose(filter) {
    state.turn++;
    Object.assign(state, { filter, cursor: null });
    frames.clear();
    fill(film);
    return load();
  }

  older.addEventListener("click", load);
  fill(filters, filterOf(choose));
  keepFresh(frames, (job) => put(job, false));
  return {
    load: () => choose(state.filter),
    put,
    /** Mark the frame of the job that is on the easel. */
    mark: (id) => {
      state.current = id;
      for (const [one, made] of frames) made.mark(one === id);
    },
  };
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
async function keepFresh(frames, put) {
  for (;;) {
    await pause(FRESH_MS);
    await untilSeen();
    if (![...frames.values()].some((one) => one.active())) continue;
    try {
      for (const job of (await jobsPage(null, "")).jobs) if (frames.has(job.id)) put(job);
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
