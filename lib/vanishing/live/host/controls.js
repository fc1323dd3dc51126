// What the reader can move (`live/controls`), and what a value means (reading.py).

/** @typedef {Record<string, number|string|boolean>} State  control values by name */
/**
 * @typedef {object} Control
 * @property {"slider"|"choice"|"toggle"|"seed"} kind
 * @property {string} name
 * @property {string} label
 * @property {any} value  the default
 * @property {boolean} restart
 * @property {Record<string, any[]>} when
 * @property {number} minimum
 * @property {number} maximum
 * @property {number} step
 * @property {number} decimals
 * @property {boolean} integer
 * @property {boolean} log
 * @property {[number, string][]} marks
 * @property {{name: string, index: number, low: number, high: number}|null} ahead
 * @property {string[]} options
 * @property {Record<string, string>} words  of options, for readers
 */

const clamp = (/** @type {number} */ x, /** @type {number} */ low, /** @type {number} */ high) =>
  Math.min(high, Math.max(low, x));

/** The number that a value names, NaN if none. */
function numeric(/** @type {unknown} */ value) {
  const written = /^\s*[+-]?(Infinity|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*$/i;
  if (typeof value === "string") {
    return written.test(value) ? Number(value.replace(/infinity/i, "Infinity")) : NaN;
  }
  return typeof value === "number" ? value : NaN;
}

/**
 * Any value (from a link, a script, an input) brought into the control's range; the default where
 * it means nothing there.
 * @param {Control} control @param {any} value
 */
function clean(control, value) {
  const { kind, minimum, maximum, step, decimals, options } = control;
  const word = String(value);
  if (kind === "choice") return options.includes(word) ? word : control.value;
  if (kind === "toggle") {
    if (/^(true|on|1)$/i.test(word)) return true;
    return /^(false|off|0)$/i.test(word) ? false : control.value;
  }
  const number = numeric(value);
  if (Number.isNaN(number)) return control.value;
  if (kind === "seed") return Math.floor(clamp(number, 0, 2 ** 31 - 1));
  const inside = clamp(number, minimum, maximum);
  if (control.log || control.marks.some(([at]) => at === inside)) return inside;
  const near = minimum + Math.floor((inside - minimum) / step + 0.5) * step;
  return Number(Math.min(near, maximum).toFixed(decimals));
}

/** The value of a control as a program takes it. @returns {number} */
function argument(/** @type {Control} */ control, /** @type {any} */ value) {
  return control.kind === "choice" ? control.options.indexOf(value) : Number(value);
}

function spoken(/** @type {Control} */ control, /** @type {any} */ value) {
  if (control.kind === "toggle") return value ? "on" : "off";
  if (control.kind === "choice") return control.words[value] ?? value;
  if (control.kind !== "slider") return String(value);
  const form = control.log ? { type: "s", digits: 3 } : { type: "f", digits: control.decimals };
  return format(value, form);
}

/**
 * Where a log slider stops: ends, default and marks exactly, and round numbers between them; so
 * the arrow keys lead back to every value that has a meaning.
 * @param {Control} control @returns {number[]}
 */
function stops({ minimum, maximum, value, marks }) {
  const count = 200;
  const exact = [minimum, maximum, value, ...marks.map(([at]) => at)];
  const all = new Set(exact);
  for (let k = 1; k < count; k++) {
    const at = Number((minimum * (maximum / minimum) ** (k / count)).toPrecision(3));
    const apart = (/** @type {number} */ other) => Math.abs(Math.log(at / other));
    const gap = Math.log(maximum / minimum) / count;
    if (exact.every((other) => apart(other) > gap / 3)) all.add(at);
  }
  return [...all].sort((a, b) => a - b);
}

/** @returns {number} where on its slider, from 0 to 1, a value lies */
function share(/** @type {Control} */ { minimum, maximum, log }, /** @type {number} */ value) {
  const f = log ? Math.log : Number;
  return (f(value) - f(minimum)) / (f(maximum) - f(minimum));
}

/** Index of the number in `list` that is nearest to `value`. */
const nearest = (/** @type {number[]} */ list, /** @type {number} */ value) =>
  list.reduce((best, at, i) => (Math.abs(at - value) < Math.abs(list[best] - value) ? i : best), 0);
