// Turns values of the API into words, and doubts each of them. Pure.

/** Seconds as people say them. */
export function seconds(value) {
  if (!Number.isFinite(value)) return "–";
  if (value < 0.1) return `${Math.max(0, Math.round(value * 1000))} ms`;
  if (value < 10) return `${value.toFixed(2)} s`;
  if (value < 100) return `${value.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(value) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(value) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Seconds of an estimate, which has no more digits than it deserves. */
export function about(value) {
  if (value < 55) return `${Math.max(1, Math.round(value))} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  return `${Math.round(value / 3600)} h`;
}

/** Bytes as people say them. */
export function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A moment in the reader's own words, or nothing. */
export function moment(text) {
  const time = new Date(text ?? NaN);
  if (Number.isNaN(time.valueOf())) return "";
  const today = time.toDateString() === new Date().toDateString();
  const clock = { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(undefined, today ? clock : { day: "numeric", month: "short", ...clock }).format(time);
}

/** The address if it is http(s) and may be followed, else null. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** `3 pictures`, `1 picture`. */
export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** A value if it is an object (and no list), else an empty one. */
export const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

/** A value if it is a list, else an empty one. */
export const list = (value) => (Array.isArray(value) ? value : []);

/** A value if it is text, else none. */
export const text = (value) => (typeof value === "string" ? value : "");
