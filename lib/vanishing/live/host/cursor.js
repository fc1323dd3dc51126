// A cursor that several panels share: what is pointed at in one is marked in all (cursor.py).

/**
 * @typedef {object} CursorSpec
 * @property {string} word  what is counted
 * @property {number} first
 * @property {number} last
 * @property {any[]} say  the parts of what is said of a number
 * @property {Place[]} places
 * @property {Record<string, (number|null)[]>} outputs  of the first picture, as far as said here
 *
 * @typedef {object} Place  an axis, or the points of an artist
 * @property {number[]} box  of its axes, in points
 * @property {"x"|"y"} [role]
 * @property {Axis} [axis]
 * @property {number} [half]  how far a mark reaches to either side of the number
 * @property {boolean} [named]  whether numbers stand at the axis
 * @property {number[]} [lines]  rows of the artists whose values are shown
 * @property {number} [points]  row of the artist whose points count
 */

const LINE = 12; // points from one value to the next
const LETTER = 6.2; // points, of the widest

/** @returns {SVGElement} */
function shape(/** @type {string} */ tag, /** @type {object} */ attributes, words = "") {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.textContent = words;
  return node;
}

class Cursor {
  /** @type {number|null} what is marked */
  number = null;
  /** @type {HTMLInputElement[]} sliders laid over what takes the arrow keys */ #hands = [];
  /** @type {Map<Layout, SVGElement>} the marks of each layout */ #drawn = new Map();

  /** @param {LiveFigure} live */
  constructor(live) {
    this.live = live;
    this.spec = /** @type {CursorSpec} */ (live.layouts[0].spec.cursor);
    if (!this.spec) return;
    const { signal } = live.closed;
    const picture = live.find(".live-picture");
    live.layouts.forEach((layout) => this.#listen(layout, signal));
    this.take(picture);
    addEventListener("keydown", ({ key }) => key === "Escape" && this.mark(null), { signal });
    document.addEventListener("click", ({ target }) => {
      if (!picture.contains(target)) this.mark(null); // a finger has no other way to leave
    }, { signal });
    signal.addEventListener("abort", () => this.#hands.forEach((hand) => hand.remove()));
  }

  /** @param {Layout} layout @param {AbortSignal} signal */
  #listen(layout, signal) {
    const { svg } = layout;
    const mark = (/** @type {MouseEvent} */ event) => this.mark(this.#under(layout, event));
    const hover = (/** @type {(event: PointerEvent) => void} */ act) =>
      (/** @type {PointerEvent} */ event) => event.pointerType !== "touch" && act(event);
    svg.addEventListener("click", mark, { signal });
    svg.addEventListener("pointermove", hover(mark), { signal });
    svg.addEventListener("pointerleave", hover(() => this.mark(null)), { signal });
  }

  /**
   * Lay a slider over a picture or a formula, so that the focus and the arrow keys reach it.
   * @param {HTMLElement} place
   */
  take(place) {
    const { word, first, last } = this.spec;
    const hand = document.createElement("input");
    Object.assign(hand, { type: "range", className: "live-hand", min: first, max: last });
    hand.value = String(first);
    hand.setAttribute("aria-label", `mark a ${word}`);
    hand.setAttribute("aria-valuetext", `${word} ${first}`);
    const mark = () => this.mark(Number(hand.value));
    hand.addEventListener("input", mark);
    hand.addEventListener("focus", mark);
    hand.addEventListener("blur", () => this.mark(null));
    hand.addEventListener("keydown", (event) => { // the keys are not those of the slides around
      if (event.key !== "Escape") event.stopPropagation();
    });
    place.append(hand);
    this.#hands.push(hand);
  }

  /** Mark a number, or the nearest that is there, in all places; null marks nothing. */
  mark(/** @type {number|null} */ wanted) {
    if (!this.spec) return;
    const number = wanted === null ? null : this.#nearest(wanted);
    if (number === this.number) return;
    this.number = number;
    if (number !== null) {
      for (const hand of this.#hands) {
        hand.value = String(number);
        hand.setAttribute("aria-valuetext", `${this.spec.word} ${number}`);
      }
    }
    this.draw();
    this.live.voice.remark(capital(this.words));
    this.live.element.dispatchEvent(new Event("live-cursor"));
  }

  /** The last outputs; before there are any, those of the first picture. @returns {any} */
  get outputs() {
    const { outputs } = this.live;
    return Object.keys(outputs).length ? outputs : this.spec.outputs;
  }

  /** The largest number that is there: a network may be less deep than its axes are wide. */
  get last() {
    return this.#nearest(this.spec.last);
  }

  /** What is said of the marked number. */
  get words() {
    const { number, spec } = this;
    if (number === null) return "";
    if (!spec.say.length) return `${spec.word} ${number}`;
    const parts = spec.say.map((part) => (part.type ? { ...part, index: this.#index(part) } : part));
    return `${spec.word} ${number}: ${sentence(parts, this.outputs, {}, null)}`;
  }

  /** Where in an output the value of the marked number is: one value has no others. */
  #index(/** @type {{name: string, index: number}} */ { name, index }) {
    const { first, last } = this.spec;
    const each = this.outputs[name].length === last - first + 1;
    return each ? Number(this.number) - first : index;
  }

  #nearest(/** @type {number} */ wanted) {
    const { first, last } = this.spec;
    const [layout] = this.live.layouts;
    const rows = this.#rows(layout);
    const there = (/** @type {number} */ number) =>
      !rows.length || rows.some((row) => this.#value(layout, row, number));
    let number = clampTo(Math.round(wanted), first, last);
    while (number > first && !there(number)) number--;
    return number;
  }

  /** Rows of the lines whose values are shown. */
  #rows(/** @type {Layout} */ layout) {
    return this.#places(layout).flatMap((place) => place.lines ?? []);
  }

  #places(/** @type {Layout} */ layout) {
    return /** @type {CursorSpec} */ (layout.spec.cursor).places;
  }

  /** Of a line: its value at a number, and that in points; null where there is none. */
  #value(/** @type {Layout} */ layout, /** @type {number} */ row, /** @type {number} */ number) {
    const artist = layout.spec.artists[row];
    const i = Array.from(values(artist, this.outputs, "x")).indexOf(number);
    const value = values(artist, this.outputs, "y")[i] ?? NaN;
    return Number.isNaN(value) ? null : { value, y: place(artist.axes.y, value), artist };
  }

  /** Points of an artist, one for each number, as far as they can be drawn. */
  #points(/** @type {Layout} */ layout, /** @type {number} */ row) {
    const artist = layout.spec.artists[row];
    const { outputs } = this.live;
    if (!Object.keys(outputs).length) return [];
    const [xs, ys] = ["x", "y"].map((role) => Array.from(values(artist, outputs, role)));
    return xs.map((x, i) => [place(artist.axes.x, x), place(artist.axes.y, ys[i])]);
  }

  /** The number under the pointer. @param {Layout} layout @param {MouseEvent} event */
  #under(layout, event) {
    const at = layout.at(event);
    for (const { box, role, axis, points } of this.#places(layout)) {
      const [left, top, right, bottom] = box;
      if (at.x < left || at.x > right || at.y < top || at.y > bottom) continue;
      if (role && axis) return (at[role] - axis[0]) / axis[1];
      const far = this.#points(layout, Number(points)).map(([x, y]) => Math.hypot(x - at.x, y - at.y));
      const near = Math.min(...far.filter((d) => !Number.isNaN(d)));
      if (Number.isFinite(near)) return this.spec.first + far.indexOf(near);
    }
    return null;
  }

  /** Draw the marks of every layout where they belong now. */
  draw() {
    if (!this.spec || (this.number === null && !this.#drawn.size)) return;
    for (const layout of this.live.layouts) {
      const group = this.#drawn.get(layout) ?? shape("g", { class: "live-cursor" });
      if (!group.parentNode) layout.svg.append(group);
      this.#drawn.set(layout, group);
      const marks = this.number === null ? [] : this.#places(layout).flatMap((there) =>
        (there.role ? this.#across(layout, there) : this.#ring(layout, there)));
      group.replaceChildren(...marks);
    }
  }

  /** A hairline or a frame at the number, the number at the axis, and values beside their lines. */
  #across(/** @type {Layout} */ layout, /** @type {Place} */ there) {
    const { box, role, axis, half, named, lines } = there;
    const [left, top, right, bottom] = box;
    const [offset, slope] = /** @type {Axis} */ (axis);
    const number = Number(this.number);
    const at = offset + slope * number;
    const width = 2 * Math.abs(slope) * (half ?? 0);
    const frame = role === "x"
      ? { x: at - width / 2, y: top, width, height: bottom - top }
      : { x: left, y: at - width / 2, width: right - left, height: width };
    const chip = role === "x" ? this.#chip(at, bottom + LINE - 3) : this.#chip(left - LINE, at);
    const mark = half // on a dark picture a dark frame is seen by the paler one around it
      ? [shape("rect", { ...frame, rx: 2, class: "live-halo" }), shape("rect", { ...frame, rx: 2 })]
      : [shape("path", { d: `M${at} ${top}V${bottom}` })];
    const seen = (lines ?? []).flatMap((row) => this.#value(layout, row, number) ?? [])
      .filter((one) => !Number.isNaN(one.y)); // a zero has no place on a log axis
    return [...mark, ...(named ? [chip] : []), ...this.#labels(seen, at, box)];
  }

  /** Values beside their dots, none over another. */
  #labels(/** @type {any[]} */ seen, /** @type {number} */ at, /** @type {number[]} */ box) {
    const [left, top, right, bottom] = box;
    const side = at > (left + right) / 2 ? -1 : 1;
    let below = top + LINE / 2;
    const most = bottom - LINE / 2 - LINE * (seen.length - 1);
    return seen.sort((a, b) => a.y - b.y).flatMap(({ value, y, artist }, i) => {
      const form = this.spec.say.find((part) => part.name === artist.shows.y);
      const height = clampTo(y - 7, below, Math.max(below, most + LINE * i));
      below = height + LINE;
      const anchor = side < 0 ? "end" : "start";
      const words = { x: at + 6 * side, y: height, dy: "0.35em", "text-anchor": anchor };
      const inside = y >= top && y <= bottom ? [shape("circle", { cx: at, cy: y, r: 3 })] : [];
      return [...inside, shape("text", words, format(value, form))];
    });
  }

  /** A ring around a point, the number beside it. */
  #ring(/** @type {Layout} */ layout, /** @type {Place} */ { points, box }) {
    const [left, top, right, bottom] = box;
    const all = this.#points(layout, Number(points));
    const [x, y] = all[Number(this.number) - this.spec.first] ?? [NaN, NaN];
    if (!(x >= left && x <= right && y >= top && y <= bottom)) return [];
    const side = x > (left + right) / 2 ? -1 : 1;
    return [shape("circle", { class: "live-ring", cx: x, cy: y, r: 5 }), this.#chip(x + 16 * side, y)];
  }

  /** The number on a ground of its own. @param {number} x @param {number} y  its middle */
  #chip(x, y) {
    const words = String(this.number);
    const width = LETTER * words.length + 8;
    const centre = Math.max(x, width / 2); // inside of the picture
    const chip = shape("g", { class: "live-chip" });
    const ground = { x: centre - width / 2, y: y - 7, width, height: 14, rx: 3 };
    const middle = { x: centre, y, dy: "0.35em", "text-anchor": "middle" };
    chip.append(shape("rect", ground), shape("text", middle, words));
    return chip;
  }
}
