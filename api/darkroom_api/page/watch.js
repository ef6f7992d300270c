// Follows a job to its end: asks every second while it runs, less often while it waits, and not at all unseen.

import { Problem, ask, pause } from "./api.js";

export const FINAL = new Set(["completed", "failed", "cancelled", "expired"]);
const RUNNING_MS = 1000;
const SLOWEST_MS = 5000;
const GROWTH = 1.25;

/**
 * Tell of a job until it is final.
 *
 * @param {(job: object) => void} told
 * @param {(problem: Problem) => boolean} failed hears why a look failed; false gives up
 * @returns {() => void} stops it
 */
export function watch(id, told, failed) {
  const stop = new AbortController();
  follow(id, told, failed, stop.signal).catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
  return () => stop.abort();
}

async function follow(id, told, failed, signal) {
  let wait = RUNNING_MS;
  while (!signal.aborted) {
    await untilSeen();
    if (signal.aborted) return;
    try {
      const { body: job } = await ask(jobPath(id), { signal });
      if (signal.aborted) return;
      told(job);
      if (FINAL.has(job.state)) return;
      wait = job.state === "running" ? RUNNING_MS : Math.min(SLOWEST_MS, wait * GROWTH);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (!failed(problem)) return;
      wait = Math.min(SLOWEST_MS, wait * 2);
    }
    await pause(wait);
  }
}

export const jobPath = (id) => `v1/jobs/${encodeURIComponent(id)}`;

/** Resolves once the page can be seen. */
export function untilSeen() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", function seen() {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", seen);
      resolve();
    });
  });
}
