// From numbers to SVG: positions, paths with gaps, colours (axes.py).

/** @typedef {number[]} Axis  [offset, slope, log, clip]: position = offset + slope * t(value) */

const FAR = 1e5; // points; beyond it the clip path hides everything, and floats stay exact

/** To a thousandth of a point: more is not seen, and weighs. */
const round = (/** @type {number} */ at) => Math.round(at * 1000) / 1000;

/** @param {Axis} axis @returns {number} position in points, NaN where there is nothing to draw */
function place(axis, value) {
  const [offset, slope, log, clip] = axis;
  let t = value ?? NaN;
  if (log) t = t > 0 ? Math.log10(t) : clip && t <= 0 ? -1000 : NaN;
  if (!Number.isFinite(t)) return NaN;
  return round(Math.max(-FAR, Math.min(FAR, offset + slope * t)));
}

const drawable = (point) => !Number.isNaN(point[0] + point[1]);
const join = (points) => points.map((p) => p.join(" ")).join("L");

/**
 * Split a list where `keep` fails, as matplotlib leaves a gap at numbers that are not finite.
 * @template T
 * @param {T[]} items @param {(item: T) => boolean} keep @returns {T[][]}
 */
function runs(items, keep) {
  /** @type {T[][]} */
  const result = [[]];
  for (const item of items) keep(item) ? result[result.length - 1].push(item) : result.push([]);
  return result.filter((run) => run.length);
}

const polyline = (points) => runs(points, drawable).map((run) => "M" + join(run)).join("");

/** Set an attribute that differs: what is set anew is laid out and painted anew. */
function put(/** @type {Element} */ node, /** @type {string} */ name, /** @type {any} */ value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Let an element say something, in the text node that it has: a new one would be styled anew. */
function write(/** @type {Element} */ node, /** @type {string} */ words) {
  const [text, ...others] = node.childNodes;
  if (!(text instanceof Text) || others.length) node.textContent = words;
  else if (text.data !== words) text.data = words;
}

/** The element whose style matplotlib gave to the artist. */
const template = (group) => group.querySelector(":scope > path, g > path, use");

/** Add copies of the first of `nodes` beside it until there are `count`. */
function copies(nodes, count) {
  const all = [...nodes];
  while (all.length < count) all.push(nodes[0].parentNode.appendChild(nodes[0].cloneNode()));
  return all;
}

/** Read one role of an artist: its output, or the coordinates that stay. */
const values = (artist, outputs, role) =>
  outputs[artist.shows[role]] || (artist.fixed && artist.fixed[role]);

/** Colours of `numbers` through matplotlib's norm and table, as RGBA bytes. */
function colours({ norm, table }, numbers) {
  const known = new Uint32Array(Uint8Array.from(atob(table), (c) => c.charCodeAt(0)).buffer);
  const count = known.length - 2;
  const rgba = new Uint32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const v = norm[2] ? Math.log10(numbers[i]) : numbers[i];
    const t = norm[0] + norm[1] * v;
    if (Number.isNaN(t)) continue; // transparent
    rgba[i] = known[t < 0 ? 0 : t > 1 ? count + 1 : 1 + Math.min(count - 1, Math.floor(t * count))];
  }
  return new Uint8ClampedArray(rgba.buffer);
}

const SVG = "http://www.w3.org/2000/svg";
/** Attributes that say where and what a mark is; all others say how it looks. */
const PLACES = new Set(["d", "href", "x", "y", "transform", "clip-path", "id"]);

/** Let `node` look as `other` does. @param {Element} node @param {Element} other */
function dress(node, other) {
  for (const { name, value } of other.attributes) {
    if (!PLACES.has(name)) node.setAttribute(name, value);
  }
}

/**
 * Take the marks out of a group: how they look, as a path, and the path data of each.
 * @param {Element} group @returns {{look: Element, outlines: string[]}}
 */
function unfold(group) {
  const mark = group.querySelector("defs path"); // shown by `use`, or each by a path
  const nodes = [...group.querySelectorAll(mark ? "use" : "path")];
  const look = document.createElementNS(SVG, "path");
  for (const other of [nodes[0], mark]) if (other) dress(look, other);
  const outlines = nodes.map((node) => {
    const place = ["x", "y"].map((name) => Number(node.getAttribute(name)));
    return shifted((mark ?? node).getAttribute("d") || "", place);
  });
  group.replaceChildren();
  return { look, outlines };
}

/** The same outline elsewhere: matplotlib's numbers are pairs of x and y, and none is relative. */
function shifted(/** @type {string} */ outline, /** @type {number[]} */ way) {
  let k = 0;
  return outline.replace(/-?\d+(\.\d+)?/g, (n) => String(round(Number(n) + way[k++ % 2])));
}

/** Replace what matplotlib drew in `group` by one path of the same look and clip. */
function plain(/** @type {Element} */ group) {
  const path = document.createElementNS(SVG, "path");
  dress(path, template(group));
  path.setAttribute("vector-effect", "non-scaling-stroke");
  const clip = group.querySelector("[clip-path]");
  const parent = document.createElementNS(SVG, "g");
  if (clip) parent.setAttribute("clip-path", clip.getAttribute("clip-path") || "");
  group.replaceChildren(parent);
  return parent.appendChild(path);
}

/**
 * Small triangles at the edge where a curve leaves its axes, one for each time.
 * @param {number[][]} points  x and y, NaN for gaps @param {number[]} box  of the axes
 * @returns {string} path data
 */
function exits(points, [left, top, right, bottom]) {
  const SIZE = 4; // points
  const out = (/** @type {number[]} */ [x, y]) =>
    (x < left || x > right || Number.isNaN(x + y) ? 0 : y < top ? -1 : y > bottom ? 1 : 0);
  const marks = [];
  for (let i = 0; i < points.length; i++) {
    const side = out(points[i]);
    const starts = side && (!i || out(points[i - 1]) !== side);
    const ends = side && (i === points.length - 1 || out(points[i + 1]) !== side);
    if (!starts && !ends) continue;
    const at = clampTo(points[i][0], left + SIZE, right - SIZE);
    const [tip, base] = side < 0 ? [top, top + 1.5 * SIZE] : [bottom, bottom - 1.5 * SIZE];
    marks.push(`M${at} ${tip}L${at - SIZE} ${base}L${at + SIZE} ${base}z`);
  }
  return marks.join("");
}

const clampTo = (/** @type {number} */ x, /** @type {number} */ low, /** @type {number} */ high) =>
  Math.min(high, Math.max(low, x));
