// What pictures can be asked of: named workflows and runtimes, each as parameters for a form and a way to a request. Pure.

import { list, object, text } from "./format.js";

/**
 * @typedef {object} Source
 * @property {string} id `workflow:<name>` or `runtime:<name>`
 * @property {string} group heading in the list
 * @property {string} title
 * @property {string} description
 * @property {string} runtime
 * @property {Record<string, object> | null} parameters null until they are asked for
 * @property {(values: object) => object} request body of POST v1/jobs
 * @property {(name: string) => string} pointer of a parameter in that body
 */

const PROMPT = { type: "string", required: true, multiline: true, title: "Prompt", placeholder: "What should be in the picture?" };
const SIDE = { type: "integer", minimum: 64, maximum: 2048, step: 8, default: 512, plain: true };

const SDWEBUI = {
  prompt: PROMPT,
  negative_prompt: { type: "string", multiline: true, low: true, title: "Not in the picture" },
  image: { type: "image", title: "Start from a picture" },
  denoising_strength: {
    type: "number", minimum: 0, maximum: 1, default: 0.6, title: "Strength", needs: "image",
    help: "0 keeps the picture, 1 forgets it",
  },
  width: { ...SIDE, title: "Width" },
  height: { ...SIDE, title: "Height" },
  steps: { type: "integer", minimum: 1, maximum: 60, default: 20, title: "Steps" },
  cfg_scale: { type: "number", minimum: 1, maximum: 20, default: 7, title: "Guidance" },
  batch_size: { type: "integer", minimum: 1, maximum: 8, default: 1, title: "Pictures" },
  seed: { type: "integer", seed: true, minimum: 0, maximum: 4294967295, title: "Seed" },
};
const COMFYUI = { graph: { type: "graph", required: true, title: "Workflow" } };
const OPENAI = {
  prompt: PROMPT,
  image: { type: "image", title: "Start from a picture" },
  size: { type: "string", choices: ["512x512", "768x768", "1024x1024"], default: "1024x1024", title: "Size" },
  n: { type: "integer", minimum: 1, maximum: 8, default: 1, title: "Pictures" },
  seed: { type: "integer", seed: true, minimum: 0, maximum: 4294967295, title: "Seed" },
};
const TYPES = {
  sdwebui: { parameters: SDWEBUI, what: "WebUI", job: sdwebuiJob },
  comfyui: { parameters: COMFYUI, what: "ComfyUI", job: (values) => ({ task: "pipeline", input: values.graph }) },
  openai: { parameters: OPENAI, what: "OpenAI images", job: openaiJob, image: "image" },
};

/** A named workflow of `GET v1/workflows`, or `GET v1/workflows/<name>` with its parameters. */
export function workflowSource(workflow) {
  return {
    id: `workflow:${workflow.name}`,
    group: "Workflows",
    title: text(workflow.title) || workflow.name,
    description: text(workflow.description),
    runtime: workflow.runtime,
    parameters: workflow.parameters ?? null,
    request: (params) => ({ workflow: workflow.name, params }),
    pointer: (name) => `#/params/${name}`,
  };
}

/** A runtime of `GET v1/runtimes`, or null if its type is not known here. */
export function runtimeSource(runtime) {
  const type = TYPES[runtime.type];
  if (!type) return null;
  const places = { graph: "#/input", image: `#/input/${type.image ?? "init_images"}` };
  return {
    id: `runtime:${runtime.name}`,
    group: "Runtimes",
    title: runtime.name,
    description: "",
    runtime: runtime.name,
    what: type.what,
    parameters: type.parameters,
    request: (values) => ({ runtime: runtime.name, ...type.job(values) }),
    pointer: (name) => places[name] ?? `#/input/${name}`,
  };
}

function sdwebuiJob({ image, denoising_strength, ...values }) {
  const input = { seed: -1, ...values };
  if (!image) return { task: "text-to-image", input };
  return { task: "image-to-image", input: { ...input, init_images: [image], denoising_strength } };
}

function openaiJob({ image, ...input }) {
  if (!image) return { task: "text-to-image", input };
  return { task: "image-to-image", input: { ...input, image } };
}

const CONTEXT_BYTES = 7000; // a context may have 8 KiB

/** The settings as they travel with the job, so that whoever sees it can use them again; nothing if they are too long. */
export function settingsContext(source, values, more) {
  const context = { playground: { source: source.id, values, more } };
  return new TextEncoder().encode(JSON.stringify(context)).length <= CONTEXT_BYTES ? { context } : {};
}

/** The settings that a job was made with, as far as it tells: by its context, or by a WebUI's answer. */
export function settingsOf(job) {
  const said = object(object(job.context).playground);
  if (typeof said.source === "string") {
    return { source: said.source, values: object(said.values), more: object(said.more) };
  }
  const echoed = object(object(job.response).parameters);
  if (typeof echoed.prompt !== "string") return null;
  const values = Object.fromEntries(Object.keys(SDWEBUI).map((name) => [name, echoed[name]]).filter(([, value]) => value != null));
  if (values.seed === -1) delete values.seed;
  return { source: `runtime:${job.runtime}`, values, more: {} };
}

/** The words that a picture was asked for with, if they are known. */
export function promptOf(job) {
  const settings = settingsOf(job);
  if (!settings) return "";
  const { values } = settings;
  return text(values.prompt) || text(values.text) || promptOfGraph(object(values.graph));
}

/** Width by height as asked for, or what the first picture has, or a square. */
export function ratioOf(job) {
  const values = settingsOf(job)?.values ?? {};
  const size = text(values.size).split("x").map(Number);
  const [first] = list(job.artifacts);
  const latent = Object.values(object(values.graph)).map((node) => object(object(node).inputs)).find((one) => one.width > 0);
  const width = first?.width ?? values.width ?? latent?.width ?? size[0];
  const height = first?.height ?? values.height ?? latent?.height ?? size[1];
  return width > 0 && height > 0 ? Math.min(3, Math.max(1 / 2, width / height)) : 1;
}

/** Class of each node of a graph by its id, if the job's settings have the graph. */
export function nodeNames(job) {
  const graph = object(settingsOf(job)?.values.graph);
  return Object.fromEntries(Object.entries(graph).map(([id, node]) => [id, text(object(node).class_type)]));
}

function promptOfGraph(graph) {
  const texts = Object.values(graph).map((node) => text(object(object(node).inputs).text));
  return texts.find((one) => one.trim()) ?? "";
}
