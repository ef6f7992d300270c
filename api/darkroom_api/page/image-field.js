// A picture to start from: dropped, pasted or chosen, uploaded at once; jobs get its s3:// address.

import { upload } from "./api.js";
import { draw, fill, h } from "./dom.js";
import { size, webAddress } from "./format.js";

const TYPES = ["image/png", "image/jpeg", "image/webp", "image/avif", "image/gif"];
const MOST_BYTES = 50_000_000;
const seen = new Map(); // s3:// addresses to what can be shown of them in this tab

/** Remember how a picture in the bucket can be shown, should it become an input. */
export function showAs(address, shown) {
  seen.set(address, shown);
}

export function imageField(parameter, id) {
  const input = h("input", { id, type: "file", accept: TYPES.join(","), class: "hidden" });
  const face = h("label", { class: "drop-face", for: id });
  const remove = h("button", { type: "button", class: "remove", "aria-label": `Remove: ${parameter.title}` }, "Remove");
  const element = h("div", { class: "drop" }, input, face, remove);
  const state = { address: undefined, busy: false, wrong: "", turn: 0 };
  const change = (facts) => {
    Object.assign(state, facts);
    showDrop(element, face, remove, state);
    element.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const take = (file) => send(file, element, state, change);
  const set = (address) => {
    state.turn++;
    input.value = "";
    change({ address: isAddress(address) ? address : undefined, busy: false, wrong: "" });
  };
  input.addEventListener("change", () => input.files[0] && take(input.files[0]));
  remove.addEventListener("click", () => { set(undefined); input.focus(); });
  acceptFiles(element, take);
  showDrop(element, face, remove, state);
  return { element, value: () => addressOf(state), set, take, wide: true, target: input };
}

/** Upload a file. One that is chosen later wins. */
async function send(file, element, state, change) {
  const turn = ++state.turn;
  const wrong = refusal(file);
  change({ address: undefined, wrong, busy: !wrong });
  if (wrong) return;
  try {
    const address = await upload(file, (part) => turn === state.turn && draw(element, { part }));
    if (turn !== state.turn) return;
    seen.set(address, URL.createObjectURL(file));
    change({ address, busy: false });
  } catch (problem) {
    if (turn === state.turn) change({ busy: false, wrong: problem.message });
  }
}

function addressOf({ busy, wrong, address }) {
  if (busy) throw new Error("The picture is still on its way.");
  if (wrong) throw new Error(wrong);
  return address;
}

/** Let files be dropped onto an element. */
export function acceptFiles(element, take) {
  const over = (on) => (event) => {
    event.preventDefault();
    element.classList.toggle("over", on);
  };
  element.addEventListener("dragover", over(true));
  element.addEventListener("dragleave", over(false));
  element.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}

const isAddress = (address) => typeof address === "string" && /^(s3|https?):\/\//.test(address);

function refusal(file) {
  if (!TYPES.includes(file.type)) return "Only PNG, JPEG, WebP, AVIF and GIF will do.";
  return file.size > MOST_BYTES ? `The picture has ${size(file.size)}; 50 MB are allowed.` : "";
}

function showDrop(element, face, remove, { address, busy, wrong }) {
  element.classList.toggle("busy", busy);
  element.classList.toggle("full", Boolean(address));
  remove.hidden = !address && !wrong;
  if (busy) return fill(face, h("span", {}, "Sending …"));
  if (wrong) return fill(face, h("span", { class: "mistake" }, wrong));
  if (!address) return fill(face, h("span", {}, h("b", {}, "Choose a picture"), " or drop it here"));
  const shown = seen.get(address) ?? webAddress(address);
  return fill(face, shown && h("img", { src: shown, alt: "" }), h("span", { class: "file" }, address.split("/").pop()));
}
