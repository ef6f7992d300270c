// A job's files as they are: pictures, film, sound, or a link; and a close look at one picture in a dialog.

import { h } from "./dom.js";
import { count, list, size, text, webAddress } from "./format.js";
import { showAs } from "./image-field.js";
import { promptOf } from "./sources.js";

/** All files of a job. `fresh` lets pictures develop. */
export function picturesOf(job, acts, fresh) {
  const files = list(job.artifacts).map((artifact) => ({ ...artifact, address: webAddress(artifact.download_url) }));
  const pictures = files.filter((file) => isPicture(file));
  const alt = (file) => `${promptOf(job) || "Picture"}${pictures.length > 1 ? `, ${pictures.indexOf(file) + 1} of ${pictures.length}` : ""}`;
  const look = (file) => lookAt(pictures, pictures.indexOf(file), alt);
  const figures = files.map((file) => h("figure", { class: fresh ? "fresh" : null }, body(file, alt, look), caption(file, acts)));
  return h("div", { class: `prints n${Math.min(files.length, 5)}` }, ...figures);
}

export const isPicture = (file) => Boolean(file.address) && text(file.content_type).startsWith("image/");

function body(file, alt, look) {
  const kind = text(file.content_type).split("/")[0];
  if (!file.address) return h("p", { class: "help" }, "This file has no address that can be opened.");
  if (kind === "image") {
    const image = h("img", { src: file.address, alt: alt(file), width: file.width, height: file.height, decoding: "async" });
    return h("button", { type: "button", class: "print", "aria-label": `Look closer: ${alt(file)}`, onclick: () => look(file) }, image);
  }
  if (kind === "video") return h("video", { src: file.address, controls: true, loop: true, preload: "metadata", "aria-label": "Video" });
  if (kind === "audio") return h("audio", { src: file.address, controls: true, preload: "metadata", "aria-label": "Sound" });
  return h("p", { class: "help" }, `A file of type ${text(file.content_type) || "unknown"}`);
}

function caption(file, acts) {
  const pixels = file.width && file.height ? `${file.width} × ${file.height}` : "";
  const kind = text(file.content_type).split("/").pop().toUpperCase();
  const start = h("button", { type: "button", class: "link" }, "Start from this");
  start.addEventListener("click", () => {
    showAs(file.url, file.address);
    acts.startFrom(file.url);
  });
  return h("figcaption", {},
    h("span", {}, [pixels, kind, size(file.bytes)].filter(Boolean).join(" · ")),
    isPicture(file) ? start : null,
    file.address && h("a", { class: "link", href: file.address, target: "_blank", rel: "noopener noreferrer" }, "Open"));
}

function lookAt(pictures, first, alt) {
  let at = first;
  const image = h("img", {});
  const words = h("p", { class: "hidden", role: "status" });
  const turn = (by) => {
    at = (at + by + pictures.length) % pictures.length;
    image.src = pictures[at].address;
    image.alt = alt(pictures[at]);
    if (by) words.textContent = `${at + 1} of ${count(pictures.length, "picture")}`;
  };
  const button = (name, label, act) => h("button", { type: "button", class: `turn ${name}`, "aria-label": label, onclick: act }, { back: "‹", on: "›", close: "×" }[name]);
  const many = pictures.length > 1;
  const dialog = h("dialog", { class: "close-up", "aria-label": "Picture" }, image, words,
    many && button("back", "Previous", () => turn(-1)), many && button("on", "Next", () => turn(1)),
    button("close", "Close", () => dialog.close()));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  turn(0);
  document.body.append(dialog);
  dialog.showModal();
}
