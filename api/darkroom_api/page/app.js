// Starts the page: brings form, easel and contact sheet together, and follows the address (`#/jobs/<id>`).

import { Problem, ask, key, onRefused, pause } from "./api.js";
import { bench } from "./bench.js";
import { fill, h, say } from "./dom.js";
import { easel, showMissing, showNothing } from "./easel.js";
import { count, list, object, seconds } from "./format.js";
import { askForKey } from "./key-dialog.js";
import { sheet } from "./sheet.js";
import { runtimeSource, workflowSource } from "./sources.js";
import { FINAL, jobPath, untilSeen, watch } from "./watch.js";

const QUEUES_MS = 15_000;
const at = (id) => document.getElementById(id);
const film = sheet(at("sheet"), at("filters"));
const submitted = new Map(); // what this tab asked for, until the API tells it itself
let form = null;
let stop = () => {};
let shown = null; // id of the job on the easel

onRefused(() => askForKey(key() ? "The API does not take this key." : "This API wants a key.").then(showKey));
at("key").addEventListener("click", async () => (await askForKey("For requests of this page.")) && start());
window.addEventListener("hashchange", () => follow(true));
start();

async function start() {
  showKey();
  follow(false);
  await Promise.all([makeForm(), film.load()]);
}

function showKey(given) {
  at("key").textContent = key() ? "Key set" : "Key";
  return given;
}

async function makeForm() {
  try {
    const [runtimes, workflows] = await Promise.all([ask("v1/runtimes"), ask("v1/workflows")]);
    const installed = list(runtimes.body.runtimes);
    const sources = [...list(workflows.body.workflows).map(workflowSource), ...installed.map(runtimeSource)].filter(Boolean);
    if (!sources.length) {
      fill(at("bench"), h("p", { class: "empty" }, "No runtime is installed, and there is no named workflow yet."));
      return;
    }
    for (const source of sources) source.bulk = installed.some((one) => one.name === source.runtime && one.bulk);
    form = bench(at("bench"), sources, accepted);
    await form.choose(sources[0].id);
    showQueues(installed);
    keepQueues();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const again = h("button", { type: "button", class: "quiet", onclick: start }, "Try again");
    fill(at("bench"), h("div", { class: "alert", role: "alert" }, h("p", {}, problem.message)), again);
  }
}

let keeping = false;
async function keepQueues() {
  if (keeping) return;
  keeping = true;
  for (;;) {
    await pause(QUEUES_MS);
    await untilSeen();
    try {
      showQueues(list((await ask("v1/runtimes")).body.runtimes));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }
}

function showQueues(runtimes) {
  const queues = runtimes.map((one) => object(one.queue));
  const sum = (name) => queues.reduce((total, queue) => total + (Number(queue[name]) || 0), 0);
  const [waiting, working] = [sum("waiting"), sum("in_flight")];
  at("queues").textContent = `${count(runtimes.length, "runtime")} · ${waiting} waiting · ${working} in work`;
  document.documentElement.classList.toggle("at-work", working > 0);
}

function accepted(job, body) {
  submitted.set(job.id, body);
  const known = { ...body, ...job, runtime: body.runtime ?? form.source().runtime, submitted_at: new Date().toISOString() };
  film.put(known, true);
  say("Accepted, queued");
  location.hash = `#/jobs/${encodeURIComponent(job.id)}`;
}

/** Show what the address names. `moved`: the reader chose it, so attention goes there. */
function follow(moved) {
  const [, id] = location.hash.match(/^#\/jobs\/([^/]+)$/) ?? [];
  stop();
  stop = () => {};
  shown = id ? decoded(id) : null;
  film.mark(shown);
  if (!shown) return showNothing(at("easel"));
  return showJob(shown, moved && !submitted.has(shown));
}

function showJob(id, moved) {
  const view = easel(at("easel"), {
    cancel: () => cancel(id, view),
    again: (settings) => use(settings),
    startFrom: (address) => form?.startFrom(address),
  });
  let state = null;
  const told = (job) => {
    view.trouble("");
    view.update(job);
    film.put(job, false);
    if (state && state !== job.state) say(changeOf(job));
    if (!state && moved) view.focus();
    state = job.state;
  };
  const failed = (problem) => {
    const passing = problem.status === 0 || problem.status === 429 || problem.status >= 500;
    if (passing) view.trouble(`${problem.message}; trying again`);
    else showMissing(at("easel"), problem);
    return passing;
  };
  const end = watch(id, told, failed);
  stop = () => { end(); view.stop(); };
  if (moved || submitted.has(id)) at("easel").scrollIntoView({ block: "nearest" });
}

function changeOf(job) {
  if (job.state !== "completed") return `${job.state}${job.error ? `: ${object(job.error).message}` : ""}`;
  const took = (new Date(job.finished_at) - new Date(job.submitted_at)) / 1000;
  return `Completed: ${count(list(job.artifacts).length, "file")}${took >= 0 ? ` in ${seconds(took)}` : ""}`;
}

async function cancel(id, view) {
  try {
    const { status, body } = await ask(jobPath(id), { method: "DELETE" });
    if (shown === id && FINAL.has(body.state)) { view.update(body); film.put(body, false); }
    say(status === 202 ? "Asked to stop" : "Cancelled");
    if (status === 202) view.trouble("Asked to stop; it takes a few seconds.");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    view.trouble(problem.message);
  }
}

async function use(settings) {
  if (!form?.knows(settings.source)) return say("What made this picture is not installed any more");
  await form.choose(settings.source, settings);
  at("bench-title").scrollIntoView({ block: "nearest" });
  return form.focus();
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
