// Reads what is written in a PNG: ComfyUI leaves the workflow of a picture there. Pure.

/**
 * The text under a keyword in an uncompressed text chunk (PNG, 3rd edition, 11.3.3), or null.
 *
 * @param {ArrayBuffer} buffer
 * @param {string} keyword
 */
export function pngText(buffer, keyword) {
  const view = new DataView(buffer);
  for (let at = 8; at + 12 <= buffer.byteLength; ) {
    const length = view.getUint32(at);
    const kind = latin(new Uint8Array(buffer, at + 4, 4));
    const data = new Uint8Array(buffer, at + 8, Math.min(length, buffer.byteLength - at - 8));
    const text = kind === "tEXt" ? plain(data, keyword) : kind === "iTXt" ? international(data, keyword) : null;
    if (text !== null) return text;
    at += length + 12;
  }
  return null;
}

/** tEXt: keyword, 0, Latin-1. */
function plain(data, keyword) {
  const end = data.indexOf(0);
  return latin(data.subarray(0, end)) === keyword ? latin(data.subarray(end + 1)) : null;
}

/** iTXt: keyword, 0, whether compressed, how, language, 0, keyword translated, 0, UTF-8. */
function international(data, keyword) {
  const end = data.indexOf(0);
  if (latin(data.subarray(0, end)) !== keyword || data[end + 1] !== 0) return null;
  const language = data.indexOf(0, end + 3);
  return new TextDecoder().decode(data.subarray(data.indexOf(0, language + 1) + 1));
}

const latin = (bytes) => new TextDecoder("latin1").decode(bytes);
