// You draw it: the reader's prediction on a picture whose measurement waits (prediction.py).

/**
 * @typedef {object} GuessPicture
 * @property {{x: number[], y: number[]}} axes  offset, slope, log, clip
 * @property {number[]} box  left, top, right, bottom of the axes, in points
 * @property {number[]} ends  of the y axis, as its scale counts (log₁₀ on a log axis)
 * @property {number} width  of a bar, in data units
 * @property {number} base  where bars begin, in data units
 */
/**
 * @typedef {object} GuessSpec
 * @property {string} name
 * @property {string} uid
 * @property {NumberForm} form
 * @property {string} unit
 * @property {{label: string, series: number, x: number, truth: number}[]} handles
 * @property {{label: string, colour: string, joined: boolean, known: number[][]}[]} series
 * @property {boolean} bars
 * @property {GuessPicture[]} pictures
 */

const REACH = 12; // points: a stroke that ends so near to a handle is meant to reach it
const SHAPES = "http://www.w3.org/2000/svg";
const EMPTY = "The axes, still empty. Set the sliders below to what you expect.";

/** @typedef {{drawn: (number|null)[], done: boolean}} Drawn  what a reader drew, and compared */

/**
 * @typedef {object} Store  where it is kept
 * @property {(name: string) => Drawn|null} read
 * @property {(name: string, value: Drawn|null) => void} write
 */

/** The reader's own browser (memory.js). @type {Store} */
const browser = {
  read: (name) => recall()[placeOf(`guess-${name}`)] ?? null,
  write: (name, value) => note(placeOf(`guess-${name}`), value),
};

/** On slides a guess is the class's, and the next class begins afresh. @type {Store} */
const nowhere = { read: () => null, write: () => {} };

class Guess {
  /** @type {(number|null)[]} one number a handle, as the y axis counts; null: not drawn */ drawn;
  done = false;
  pen = 0; // the series that a stroke draws
  /** @type {{picture: GuessPicture, svg: SVGSVGElement, lines: Element[], dots: Element[],
   *   paper: Element}[]} */
  #views = [];
  /** @type {string} what the finished picture shows */ #alt = "";

  /** @param {HTMLElement} root @param {Store} store @param {() => void} changed */
  constructor(root, store, changed) {
    this.root = root;
    this.store = store;
    this.changed = changed;
    /** @type {GuessSpec} */
    this.spec = JSON.parse(this.#find(".guess-spec").textContent || "");
    this.drawn = this.spec.handles.map(() => null);
    /** @type {HTMLInputElement[]} */
    this.inputs = [...root.querySelectorAll(/** @type {"input"} */ ("input[type=range]"))];
    this.inputs.forEach((input, k) =>
      input.addEventListener("input", () => this.#put({ [k]: Number(input.value) })));
    /** @type {HTMLInputElement[]} */
    this.pens = [...root.querySelectorAll(/** @type {"input"} */ ("input[type=radio]"))];
    this.pens.forEach((pen, k) => {
      pen.addEventListener("change", () => this.#take(k));
      pen.parentElement?.style.setProperty("--guess", this.spec.series[k].colour);
    });
    root.querySelectorAll(".guess-picture svg").forEach((svg, k) =>
      this.#prepare(/** @type {SVGSVGElement} */ (svg), this.spec.pictures[k]));
    this.#take(0);
    this.#find("form").addEventListener("submit", (event) => event.preventDefault());
    this.#find(".guess-compare").addEventListener("click", () => this.compare());
    this.#find(".guess-again").addEventListener("click", () =>
      this.done ? this.again() : this.compare());
    this.load();
  }

  /** Show what the store holds, if it fits. */
  load() {
    const { handles, name, pictures } = this.spec;
    const [low, high] = pictures[0].ends;
    const before = this.store.read(name);
    const drawn = before?.drawn;
    const fits = Array.isArray(drawn) && drawn.length === handles.length
      && drawn.every((value) => value === null || Number.isFinite(value));
    this.done = Boolean(fits && before?.done);
    this.drawn = handles.map((_, k) => {
      const value = fits ? drawn[k] : null;
      return value === null ? null : Math.min(high, Math.max(low, value));
    });
    this.show();
  }

  /** @param {string} selector @returns {HTMLElement} */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /** @param {SVGSVGElement} svg @param {GuessPicture} picture */
  #prepare(svg, picture) {
    const make = (/** @type {string} */ tag, /** @type {string} */ kind, /** @type {number} */ k) => {
      const node = document.createElementNS(SHAPES, tag);
      node.setAttribute("class", kind);
      if (this.spec.series[k]) node.style.setProperty("--guess", this.spec.series[k].colour);
      return svg.appendChild(node);
    };
    const { bars, series, handles } = this.spec;
    this.#alt ||= svg.getAttribute("aria-label") || "";
    const lines = series.map((_, k) => make("path", "guess-line", k));
    const dots = handles.map((handle) =>
      make(bars ? "rect" : "circle", "guess-mark", bars ? 0 : handle.series));
    const paper = make("rect", "guess-paper", -1);
    const [left, top, right, bottom] = picture.box;
    set(paper, { x: left, y: top, width: right - left, height: bottom - top });
    this.#views.push({ picture, svg, lines, dots, paper });
    this.#listen(/** @type {SVGRectElement} */ (paper), svg, picture);
  }

  /** A stroke sets every handle of its pen that it passes; one that passes none, the nearest. */
  #listen(
    /** @type {SVGRectElement} */ paper, /** @type {SVGSVGElement} */ svg,
    /** @type {GuessPicture} */ picture,
  ) {
    /** @type {{x: number, y: number}|null} */
    let last = null;
    let hit = false;
    const [offset, slope] = picture.axes.y;
    const at = (/** @type {PointerEvent} */ event) => {
      const point = new DOMPoint(event.clientX, event.clientY);
      return point.matrixTransform(svg.getScreenCTM()?.inverse());
    };
    const mine = () => this.spec.handles
      .map(({ series, x }, k) => ({ series, k, x: across(picture.axes.x, x) }))
      .filter(({ series }) => series === this.pen);
    const draw = (/** @type {PointerEvent} */ event) => {
      if (this.done || !(event.buttons & 1)) return;
      const now = at(event);
      const from = last ?? now;
      /** @type {Record<number, number>} */
      const passed = {};
      for (const { k, x } of mine()) {
        const between = (x - from.x) * (x - now.x) <= 0 && from.x !== now.x;
        if (!between && Math.abs(x - now.x) >= REACH) continue;
        const part = between ? (x - from.x) / (now.x - from.x) : 1;
        passed[k] = (from.y + part * (now.y - from.y) - offset) / slope;
      }
      hit ||= Object.keys(passed).length > 0;
      this.#put(passed);
      last = now;
    };
    paper.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      paper.setPointerCapture(event.pointerId);
      last = null;
      hit = false;
      draw(event);
    });
    paper.addEventListener("pointermove", draw);
    paper.addEventListener("pointerup", () => {
      if (last && !hit && !this.done) {
        const { x, y } = last;
        const [near] = mine().sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x));
        this.#put({ [near.k]: (y - offset) / slope });
      }
      if (last) this.#next();
      last = null;
    });
  }

  /** Once a curve is drawn, the pen is that of the next one that is not. */
  #next() {
    const open = (/** @type {number} */ pen) =>
      this.spec.handles.some(({ series }, k) => series === pen && this.drawn[k] === null);
    if (open(this.pen)) return;
    const next = this.pens.findIndex((_, k) => open(k));
    if (next < 0) return;
    this.#take(next);
    this.pens[next].checked = true;
  }

  /** Draw another curve; where several begin at one place, its marks are the ones to be seen. */
  #take(/** @type {number} */ pen) {
    this.pen = pen;
    for (const { svg, dots, paper } of this.#views) {
      dots.filter((_, k) => this.spec.handles[k].series === pen)
        .forEach((dot) => svg.insertBefore(dot, paper));
    }
  }

  /** @param {Record<number, number>} values  handle → value */
  #put(values) {
    const [low, high] = this.spec.pictures[0].ends;
    for (const [k, value] of Object.entries(values)) {
      this.drawn[Number(k)] = Math.min(high, Math.max(low, value));
    }
    if (!Object.keys(values).length) return;
    this.show();
    this.store.write(this.spec.name, { drawn: this.drawn, done: this.done });
  }

  /** Whether the y axis counts powers of ten. */
  get log() {
    return Boolean(this.spec.pictures[0].axes.y[2]);
  }

  /** How many handles the reader has set. */
  get set() {
    return this.drawn.filter((value) => value !== null).length;
  }

  /** A number as the y axis counts, in words. */
  #words(/** @type {number} */ value) {
    return format(this.log ? 10 ** value : value, this.spec.form) + this.spec.unit;
  }

  show() {
    const { handles, form, unit } = this.spec;
    const [low, high] = this.spec.pictures[0].ends;
    this.root.dataset.state = this.done ? "done" : "asks";
    this.inputs.forEach((input, k) => {
      const value = this.drawn[k];
      input.value = String(value ?? (low + high) / 2);
      const said = value === null ? [] : [this.#words(value)];
      if (this.done) said.push(`is ${format(handles[k].truth, form)}${unit}`);
      input.setAttribute("aria-valuetext", said.join("; ") || "not drawn yet");
      const short = unit.length > 2 ? said.map((words) => words.replace(unit, "")) : said;
      /** @type {HTMLOutputElement} */ (input.nextElementSibling).value = short.join("; ");
      input.disabled = this.done;
    });
    for (const pen of this.pens) pen.disabled = this.done;
    for (const view of this.#views) {
      view.svg.setAttribute("aria-label", this.done ? this.#alt : EMPTY);
      this.#draw(view);
    }
    const full = this.set === handles.length;
    const [compare, again] = [".guess-compare", ".guess-again"].map((name) =>
      /** @type {HTMLButtonElement} */ (this.#find(name)));
    compare.disabled = !full || this.done;
    again.textContent = this.done ? "Draw again" : String(again.dataset.first);
    this.#find(".guess-words").textContent = this.verdict();
  }

  /** @param {{picture: GuessPicture, lines: Element[], dots: Element[]}} view */
  #draw({ picture, lines, dots }) {
    const { handles, bars, series } = this.spec;
    const [offset, slope] = picture.axes.y;
    const middle = (picture.ends[0] + picture.ends[1]) / 2;
    const points = handles.map(({ x }, k) =>
      [across(picture.axes.x, x), offset + slope * (this.drawn[k] ?? middle)]);
    lines.forEach((line, s) => {
      const given = series[s].known.map(([x, y]) =>
        [across(picture.axes.x, x), across(picture.axes.y, y)]);
      const own = points.filter((_, k) => handles[k].series === s && this.drawn[k] !== null);
      const path = [...given, ...own].sort((a, b) => a[0] - b[0]);
      const joined = series[s].joined && path.length > 1;
      line.setAttribute("d", joined ? "M" + path.map((p) => p.join(" ")).join("L") : "");
    });
    dots.forEach((mark, k) => {
      const [x, y] = points[k];
      const half = Math.abs(picture.axes.x[1] * picture.width) / 2;
      const base = across(picture.axes.y, picture.base);
      const bar = { x: x - half, y: Math.min(y, base), width: 2 * half, height: Math.abs(base - y) };
      set(mark, bars ? bar : { cx: x, cy: y, r: 5 });
      mark.classList.toggle("guess-none", this.drawn[k] === null);
    });
  }

  /** How far apart, in words: where it is most, and on the whole; before, what is missing. */
  verdict() {
    const { handles, form, unit } = this.spec;
    if (!this.done) {
      const count = `${this.set} of ${handles.length} set.`;
      return this.set ? count : "";
    }
    if (this.set < handles.length) return "Here is what was measured.";
    const log = this.log;
    const apart = handles.map(({ truth }, k) =>
      Math.abs(Number(this.drawn[k]) - (log ? Math.log10(truth) : truth)));
    const far = apart.indexOf(Math.max(...apart));
    const { label, truth } = handles[far];
    const measured = format(truth, form) + unit;
    const number = (/** @type {number} */ d) => {
      if (!Number.isFinite(d)) return "out of any scale";
      return log ? format(d, { type: "f", digits: d < 3 ? 1 : 0 }) : format(d, form);
    };
    const most = number(apart[far]);
    const points = unit.replace("%", " points"); // 3% from 2% is one point
    const size = !log ? points : most === "1" ? " power of ten" : " powers of ten";
    const first = `${label}: you expected ${this.#words(Number(this.drawn[far]))}, `
      + `it is ${measured}, ${most}${Number.isFinite(apart[far]) ? size : ""} apart`;
    if (handles.length === 1) return `${first}.`;
    const mean = apart.reduce((a, b) => a + b, 0) / apart.length;
    return `Farthest at ${first}; on average ${number(mean)}.`;
  }

  compare() {
    this.done = true;
    this.store.write(this.spec.name, { drawn: this.drawn, done: true });
    this.show();
    this.changed();
  }

  again() {
    this.done = false;
    this.drawn.fill(null);
    this.#take(0);
    if (this.pens[0]) this.pens[0].checked = true;
    this.store.write(this.spec.name, null);
    this.show();
    this.inputs[0]?.focus();
    this.changed();
  }

  /** What the reader expected, for the summary of the chapter; null before it was compared. */
  get recalled() {
    if (!this.done || this.set < this.spec.handles.length) return null;
    return { question: this.#find(".guess-question").textContent || "", says: this.verdict() };
  }
}

/** @param {Element} node @param {Record<string, number>} attributes */
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}

/** Position of a number along an axis, in points. */
function across(/** @type {number[]} */ [offset, slope, log], /** @type {number} */ value) {
  return offset + slope * (log ? Math.log10(value) : value);
}

/** Tell at the end of the chapter's summary what the reader expected. @param {Guess[]} guesses */
function summarise(guesses) {
  const summary = document.querySelector("section#summary");
  if (!summary) return;
  const items = guesses.flatMap(({ root, recalled }) => {
    if (!recalled) return [];
    const link = Object.assign(document.createElement("a"), {
      href: `#${root.id}`, textContent: recalled.question,
    });
    const item = document.createElement("li");
    item.append(link, ` ${recalled.says}`);
    return [item];
  });
  summary.querySelector(".guess-recall")?.remove();
  if (!items.length) return;
  const box = Object.assign(document.createElement("div"), { className: "guess-recall" });
  const title = Object.assign(document.createElement("p"), { textContent: "What you expected" });
  const list = document.createElement("ul");
  list.append(...items);
  box.append(title, list);
  summary.append(box);
}

/** Let every prediction below `root` be drawn. @param {ParentNode} root */
function invite(root) {
  /** @type {Guess[]} */
  const guesses = [];
  for (const node of root.querySelectorAll(".live-guess")) {
    const asked = /** @type {HTMLElement & {guess?: Guess}} */ (node);
    const store = asked.closest(".reveal") ? nowhere : browser;
    asked.guess ??= new Guess(asked, store, () => summarise(guesses));
    guesses.push(asked.guess);
  }
  summarise(guesses);
}
