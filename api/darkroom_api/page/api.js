// Speaks to the API beside the page: relative addresses alone, for a stage's path may precede them.

const KEY = "darkroom.key";
const TRIES = 3;

/** A refusal: what the problem document says, or what can be said without one. */
export class Problem extends Error {
  constructor(status, detail, errors = [], title = "") {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.title = title;
  }
}

let askForKey = async () => false;
let asking = null;
let declined = false;

/** Who asks the reader for a key when the API refuses: an async function; true when there is one to try. */
export function onRefused(ask) {
  askForKey = ask;
}

export function key() {
  try { return sessionStorage.getItem(KEY) ?? ""; } catch { return ""; }
}

export function keepKey(value) {
  declined = false;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch { /* storage is off: the key is asked for again */ }
}

/** Ask the API; its JSON. A refusal for want of a key asks the reader for one, once for all that wait. */
export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const response = await send(path, method, body, headers, signal);
  if ((response.status === 401 || response.status === 403) && !declined) {
    asking ??= askForKey().finally(() => { asking = null; });
    if (await asking) return ask(path, { method, body, headers, signal });
    declined = true;
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, answer);
  return { status: response.status, body: answer };
}

/** Submit a job. The same key goes with every try, so that a lost answer makes no second picture. */
export async function submit(body) {
  const headers = { "Idempotency-Key": token() };
  for (let tries = 1; ; tries++) {
    try {
      return (await ask("v1/jobs", { method: "POST", body, headers })).body;
    } catch (problem) {
      const passing = problem instanceof Problem && (problem.status === 0 || problem.status === 503);
      if (!passing || tries >= TRIES) throw problem;
      await pause(500 * 2 ** tries);
    }
  }
}

/** Upload an image; its address for jobs. `told` hears the part that is sent, 0 … 1. */
export async function upload(file, told = () => {}) {
  const { body } = await ask("v1/inputs", { method: "POST", body: { content_type: file.type, bytes: file.size } });
  const { method, url, headers } = body.upload;
  await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how far an upload is
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Problem(request.status, "the bucket refused the image")));
    request.onerror = () => reject(new Problem(0, "the image could not be sent to the bucket (its CORS rules must allow this page)"));
    request.send(file);
  });
  return body.url;
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function send(path, method, body, headers, signal) {
  const all = { ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (key()) all["x-api-key"] = key();
  try {
    return await fetch(path, { method, headers: all, body: body && JSON.stringify(body), signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "the API cannot be reached");
  }
}

function problemOf(response, answer) {
  const said = answer && typeof answer === "object" ? answer : {};
  const detail = said.detail ?? said.message ?? `the API answered ${response.status}`;
  const errors = Array.isArray(said.errors) ? said.errors : [];
  return new Problem(response.status, String(detail), errors, String(said.title ?? ""));
}

function token() {
  // randomUUID exists only on https and loopback
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
