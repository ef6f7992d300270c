// The picture and its story: blank paper while it waits and runs, then what was made, or why it was not.

import { draw, fill, h } from "./dom.js";
import { about, count, list, moment, object, seconds, text } from "./format.js";
import { picturesOf } from "./pictures.js";
import { nodeNames, promptOf, ratioOf, settingsOf } from "./sources.js";
import { FINAL } from "./watch.js";
import { waterfall } from "./waterfall.js";

const WORDS = {
  queued: "Queued", running: "Running", completed: "Completed", failed: "Failed", cancelled: "Cancelled", expired: "Expired",
};

/** What is shown before there is any job. */
export function showNothing(element) {
  fill(element, h("div", { class: "paper blank" }, h("div", { class: "paper-words" },
    h("p", { class: "figure" }, "Blank paper"),
    h("p", { class: "caption" }, "Say what you would like to see. It is made on a GPU that starts for it and stops after it."))));
}

/** What is shown in place of a job that cannot be had. */
export function showMissing(element, problem) {
  const title = problem.status === 404 ? "There is no such job" : "The job cannot be shown";
  fill(element, h("div", { class: "paper blank" }, h("div", { class: "paper-words", role: "alert" },
    h("p", { class: "figure" }, title), h("p", { class: "caption" }, problem.message))));
}

/**
 * Show one job, and then what becomes of it.
 *
 * @param {{cancel: () => Promise<void>, again: (settings: object) => void, startFrom: (address: string) => void}} acts
 * @returns {{update: (job: object) => void, trouble: (words: string) => void, focus: () => void, stop: () => void}}
 */
export function easel(element, acts) {
  let state = null;
  let job = null;
  let since = Date.now();
  const trouble = h("p", { class: "trouble", role: "status" });
  const status = h("p", { class: "status" });
  const paper = h("div", { class: "paper" });
  const head = h("header", { class: "easel-head" });
  const story = h("div", { class: "story" });
  fill(element, paper, head, trouble, story);
  const tick = () => job && !FINAL.has(job.state) && showProgress(paper, status, job, (Date.now() - since) / 1000);
  const clock = setInterval(tick, 1000);

  function update(next) {
    job = next;
    if (job.state === state) return tick();
    const inside = head.contains(document.activeElement);
    const fresh = state !== null; // it changed before the reader's eyes, so the picture may develop
    state = job.state;
    since = Date.now();
    draw(element, { ratio: ratioOf(job) });
    showHead(head, status, job, acts);
    showPaper(paper, job, acts, fresh);
    fill(story, ...(FINAL.has(state) ? storyOf(job) : []));
    tick();
    if (inside) head.querySelector("h2").focus();
  }

  return {
    update,
    trouble: (words) => { if (trouble.textContent !== words) trouble.textContent = words; },
    focus: () => head.querySelector("h2")?.focus(),
    stop: () => clearInterval(clock),
  };
}

function showHead(head, status, job, acts) {
  const settings = settingsOf(job);
  const prompt = promptOf(job);
  const final = FINAL.has(job.state);
  fill(status, final ? endOf(job) : "");
  const cancel = h("button", { type: "button", class: "quiet" }, "Cancel");
  cancel.addEventListener("click", async () => {
    if (cancel.ariaDisabled === "true") return; // a button that is really disabled would lose the focus
    cancel.ariaDisabled = "true";
    await acts.cancel();
    cancel.ariaDisabled = "false";
  });
  fill(
    head,
    h("div", { class: "easel-words" },
      h("h2", { class: "prompt", tabindex: "-1" }, prompt || job.id),
      h("div", { class: "line" }, h("span", { class: `state ${job.state}` }, WORDS[job.state] ?? text(job.state)), status)),
    h("div", { class: "acts" },
      final ? null : cancel,
      settings && h("button", { type: "button", class: "quiet", onclick: () => acts.again(settings) }, "Use these settings again")),
  );
}

function endOf(job) {
  const parts = [job.runtime, moment(job.finished_at)];
  const made = list(job.artifacts).length;
  if (made) parts.push(count(made, "file"));
  const took = (new Date(job.finished_at) - new Date(job.submitted_at)) / 1000;
  if (took >= 0) parts.push(seconds(took));
  return parts.filter(Boolean).join(" · ");
}

function showPaper(paper, job, acts, fresh) {
  const made = job.state === "completed" ? list(job.artifacts) : [];
  paper.className = `paper ${made.length ? "made" : "blank"} ${job.state}`;
  if (made.length) return fill(paper, picturesOf(job, acts, fresh));
  const [figure, caption] = wordsOf(job);
  const bar = FINAL.has(job.state) ? null : h("div", { class: "bar", role: "progressbar", "aria-label": "Progress" });
  return fill(paper, h("div", { class: "paper-words" }, h("p", { class: "figure" }, figure), h("p", { class: "caption" }, caption)), bar);
}

function wordsOf(job) {
  const { code, message, retryable } = object(job.error);
  if (job.state === "failed") {
    const hint = retryable ? " It may well go better another time." : "";
    return ["It did not come out", `${text(message) || "No reason was given."}${hint}${code ? ` (${text(code)})` : ""}`];
  }
  if (job.state === "cancelled") return ["Cancelled", "Nothing was made."];
  if (job.state === "expired") return ["Too late", text(message) || "It waited longer than it was allowed to."];
  if (job.state === "completed") return ["Done", "It made no files."];
  return ["", ""];
}

/** The numbers of a job that waits or runs; nothing is made anew, so that focus and animation stay. */
function showProgress(paper, status, job, elapsed) {
  const [figure, caption] = paper.querySelectorAll(".figure, .caption");
  const bar = paper.querySelector(".bar");
  if (!figure || !bar) return;
  const part = job.state === "running" && Number.isFinite(job.progress) ? job.progress : null;
  const { waiting, in_flight, wait_seconds } = object(job.queue);
  const known = Number.isFinite(waiting);
  const put = (place, words) => { if (place.textContent !== words) place.textContent = words; };
  if (job.state === "running") {
    put(figure, part === null ? seconds(Math.floor(elapsed)) : `${Math.round(part * 100)} %`);
    put(caption, job.attempt > 1 ? `developing, attempt ${job.attempt}` : "developing");
  } else {
    put(figure, Number.isFinite(wait_seconds) ? `about ${about(wait_seconds)}` : "Waiting");
    put(caption, known ? `${waiting} in the queue, ${in_flight} in work` : "in the queue");
  }
  put(status, `${job.runtime} · ${about(Math.max(1, elapsed))}`);
  draw(paper, { part: part ?? 0 });
  if (part === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", String(Math.round(part * 100)));
}

function storyOf(job) {
  const facts = [
    ["Job", job.id], ["Runtime", job.runtime], ["Task", job.task], ["Attempts", job.attempt || null],
    ["Submitted", moment(job.submitted_at)], ["Cost", Number.isFinite(job.cost) ? job.cost.toFixed(5) : null],
    ["Trace", job.trace_id],
  ].filter(([, value]) => value);
  const answer = job.response == null ? null : JSON.stringify(job.response, null, 2);
  return [
    waterfall(object(job.timings), nodeNames(job)),
    h("details", { class: "facts" }, h("summary", {}, "Details"),
      h("dl", {}, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))])),
      answer && h("h3", {}, "The runtime's answer"), answer && h("pre", { tabindex: "0" }, answer.slice(0, 50_000))),
  ];
}
