// From numbers to SVG: positions, paths with gaps, colours (axes.py).
/** @typedef {number[]} Axis  [offset, slope, log, clip]: position = offset + slope * t(value) */

const FAR = 1e5; // points; beyond it the clip path hides everything, and floats stay exact

/** @param {Axis} axis @returns {number} position in points, NaN where there is nothing to draw */
function place(axis, value) {
  const [offset, slope, log, clip] = axis;
  let t = value ?? NaN;
  if (log) t = t > 0 ? Math.log10(t) : clip && t <= 0 ? -1000 : NaN;
  if (!Number.isFinite(t)) return NaN;
  return Math.round(Math.max(-FAR, Math.min(FAR, offset + slope * t)) * 1000) / 1000;
}

const drawable = (point) => !Number.isNaN(point[0] + point[1]);
const join = (points) => points.map((p) => p.join(" ")).join("L");

/** Split a list where `keep` fails, as matplotlib leaves a gap at numbers that are not finite. */
function runs(items, keep) {
  const result = [[]];
  for (const item of items) keep(item) ? result[result.length - 1].push(item) : result.push([]);
  return result.filter((run) => run.length);
}

const polyline = (points) => runs(points, drawable).map((run) => "M" + join(run)).join("");

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
  const bytes = atob(table);
  const count = bytes.length / 4 - 2;
  const rgba = new Uint8ClampedArray(4 * numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const v = norm[2] ? Math.log10(numbers[i]) : numbers[i];
    const t = norm[0] + norm[1] * v;
    if (Number.isNaN(t)) continue; // transparent
    const k = t < 0 ? 0 : t > 1 ? count + 1 : 1 + Math.min(count - 1, Math.floor(t * count));
    for (let c = 0; c < 4; c++) rgba[4 * i + c] = bytes.charCodeAt(4 * k + c);
  }
  return rgba;
}

/** Replace what matplotlib drew in `group` by one path of the same style and clip. */
function plain(group) {
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("style", template(group).getAttribute("style") || "");
  path.setAttribute("vector-effect", "non-scaling-stroke");
  const clip = group.querySelector("[clip-path]");
  const parent = document.createElementNS("http://www.w3.org/2000/svg", "g");
  if (clip) parent.setAttribute("clip-path", clip.getAttribute("clip-path"));
  group.replaceChildren(parent);
  return parent.appendChild(path);
}
