// You draw it: the reader's prediction on a picture whose measurement waits (prediction.py).

/**
 * @typedef {object} GuessPicture
 * @property {{x: number[], y: number[]}} axes  offset, slope, log, clip
 * @property {number[]} box  left, top, right, bottom of the axes, in points
 * @property {number[]} ends  of the y axis, as its scale counts (log₁₀ on a log axis)
 * @property {number} width  of a bar, in data units
 * @property {number} base  where bars begin, in data units
 * @property {number} waits  artists that are hidden until the comparison
 */
/**
 * @typedef {object} GuessSpec
 * @property {string} name
 * @property {string} uid
 * @property {NumberForm} form
 * @property {string} unit
 * @property {{label: string, x: number, truth: number}[]} handles
 * @property {boolean} bars
 * @property {GuessPicture[]} pictures
 */

const REACH = 12; // points: a stroke that ends so near to a handle is meant to reach it
const SHAPES = "http://www.w3.org/2000/svg";

/** @typedef {{drawn: number[], done: boolean}} Drawn  what a reader has drawn, and compared or not */

/**
 * @typedef {object} Store  where it is kept
 * @property {(name: string) => Drawn|null} read
 * @property {(name: string, value: Drawn|null) => void} write
 */

/** The reader's own browser, where it lets a page remember. @type {Store} */
const memory = {
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(`vanishing-guess:${name}`) || "null");
    } catch {
      return null; // storage may be blocked, or hold something else
    }
  },
  write(name, value) {
    try {
      if (value) localStorage.setItem(`vanishing-guess:${name}`, JSON.stringify(value));
      else localStorage.removeItem(`vanishing-guess:${name}`);
    } catch {
      // then it lasts as long as the page
    }
  },
};

class Guess {
  /** @type {number[]} one number a handle, as the y axis counts */ drawn;
  touched = false;
  done = false;
  /** @type {{picture: GuessPicture, svg: SVGSVGElement, marks: Element[], waits: Element[]}[]} */
  #views = [];

  /** @param {HTMLElement} root @param {Store} store */
  constructor(root, store) {
    this.root = root;
    this.store = store;
    /** @type {GuessSpec} */
    this.spec = JSON.parse(this.#find(".guess-spec").textContent || "");
    const { handles, pictures } = this.spec;
    const [low, high] = pictures[0].ends;
    this.drawn = handles.map(() => (low + high) / 2);
    /** @type {HTMLInputElement[]} */
    this.inputs = [...root.querySelectorAll("input")];
    this.inputs.forEach((input, k) => {
      Object.assign(input, { min: String(low), max: String(high), step: String((high - low) / 100) });
      input.addEventListener("input", () => this.#put(k, Number(input.value)));
    });
    root.querySelectorAll(".guess-picture svg").forEach((svg, k) =>
      this.#prepare(/** @type {SVGSVGElement} */ (svg), pictures[k], k));
    this.#find(".guess-compare").addEventListener("click", () => this.compare());
    this.#find(".guess-again").addEventListener("click", () => this.again());
    const details = /** @type {HTMLDetailsElement} */ (this.#find("details"));
    details.open = true;
    this.#find("summary").hidden = true;
    this.#find(".guess-form").hidden = false;
    this.load();
  }

  /** Show what the store holds, if it fits. */
  load() {
    const { handles, name, pictures } = this.spec;
    const [low, high] = pictures[0].ends;
    const before = this.store.read(name);
    const fits = before?.drawn?.length === handles.length && before.drawn.every(Number.isFinite);
    if (before && fits) {
      this.drawn = before.drawn.map((value) => Math.min(high, Math.max(low, value)));
      this.done = Boolean(before.done);
    }
    this.touched = Boolean(fits);
    this.show();
  }

  /** @param {string} selector @returns {HTMLElement} */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /** @param {SVGSVGElement} svg @param {GuessPicture} picture @param {number} number */
  #prepare(svg, picture, number) {
    const make = (/** @type {string} */ tag, /** @type {string} */ kind) => {
      const node = document.createElementNS(SHAPES, tag);
      node.setAttribute("class", kind);
      return svg.appendChild(node);
    };
    const waits = Array.from({ length: picture.waits }, (_, k) =>
      document.getElementById(`${this.spec.uid}-${number}.waits-${k}`)).filter((node) => node !== null);
    const line = this.spec.bars ? [] : [make("path", "guess-line")];
    const shape = this.spec.bars ? "rect" : "circle";
    const marks = [...line, ...this.spec.handles.map(() => make(shape, "guess-mark"))];
    const paper = make("rect", "guess-paper");
    const [left, top, right, bottom] = picture.box;
    for (const [key, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) {
      paper.setAttribute(key, String(value));
    }
    this.#views.push({ picture, svg, marks, waits });
    this.#listen(/** @type {SVGRectElement} */ (paper), svg, picture);
  }

  /** A stroke sets every handle that it passes. */
  #listen(
    /** @type {SVGRectElement} */ paper, /** @type {SVGSVGElement} */ svg,
    /** @type {GuessPicture} */ picture,
  ) {
    /** @type {{x: number, y: number}|null} */
    let last = null;
    const at = (/** @type {PointerEvent} */ event) => {
      const point = new DOMPoint(event.clientX, event.clientY);
      return point.matrixTransform(svg.getScreenCTM()?.inverse());
    };
    const draw = (/** @type {PointerEvent} */ event) => {
      if (this.done || !(event.buttons & 1)) return;
      const now = at(event);
      const from = last ?? now;
      const xs = this.spec.handles.map(({ x }) => across(picture.axes.x, x));
      const nearest = xs.indexOf(xs.reduce((a, b) => (Math.abs(b - now.x) < Math.abs(a - now.x) ? b : a)));
      xs.forEach((x, k) => {
        const passed = (x - from.x) * (x - now.x) <= 0 && from.x !== now.x;
        const beside = Math.abs(x - now.x) < REACH || (k === nearest && !last);
        if (!passed && !beside) return;
        const part = passed ? (x - from.x) / (now.x - from.x) : 1;
        const [offset, slope] = picture.axes.y;
        this.#put(k, (from.y + part * (now.y - from.y) - offset) / slope);
      });
      last = now;
    };
    paper.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      paper.setPointerCapture(event.pointerId);
      last = null;
      draw(event);
    });
    paper.addEventListener("pointermove", draw);
    paper.addEventListener("pointerup", () => (last = null));
  }

  /** @param {number} k @param {number} value */
  #put(k, value) {
    const [low, high] = this.spec.pictures[0].ends;
    this.drawn[k] = Math.min(high, Math.max(low, value));
    this.touched = true;
    this.show();
    this.store.write(this.spec.name, { drawn: this.drawn, done: this.done });
  }

  /** Whether the y axis counts powers of ten. */
  get log() {
    return Boolean(this.spec.pictures[0].axes.y[2]);
  }

  /** A number as the y axis counts, in words. */
  #words(/** @type {number} */ value) {
    return format(this.log ? 10 ** value : value, this.spec.form) + this.spec.unit;
  }

  show() {
    const { handles, bars } = this.spec;
    this.root.classList.toggle("is-done", this.done);
    this.inputs.forEach((input, k) => {
      input.value = String(this.drawn[k]);
      const words = this.touched ? this.#words(this.drawn[k]) : "";
      input.setAttribute("aria-valuetext", words || "not drawn yet");
      /** @type {HTMLOutputElement} */ (input.nextElementSibling).value = words;
      input.disabled = this.done;
    });
    for (const { picture, marks, waits } of this.#views) {
      const points = handles.map(({ x }, k) => {
        const [offset, slope] = picture.axes.y;
        return [across(picture.axes.x, x), offset + slope * this.drawn[k]];
      });
      const dots = bars ? marks : marks.slice(1);
      if (!bars) marks[0].setAttribute("d", "M" + points.map((p) => p.join(" ")).join("L"));
      dots.forEach((mark, k) => {
        const [x, y] = points[k];
        const half = Math.abs(picture.axes.x[1] * picture.width) / 2;
        const base = across(picture.axes.y, picture.base);
        const bar = { x: x - half, y: Math.min(y, base), width: 2 * half, height: Math.abs(base - y) };
        for (const [key, value] of Object.entries(bars ? bar : { cx: x, cy: y, r: 4 })) {
          mark.setAttribute(key, String(value));
        }
      });
      for (const mark of marks) mark.classList.toggle("guess-none", !this.touched);
      for (const node of waits) node.classList.toggle("guess-waits", !this.done);
    }
    /** @type {HTMLButtonElement} */ (this.#find(".guess-compare")).disabled = !this.touched || this.done;
    /** @type {HTMLButtonElement} */ (this.#find(".guess-again")).disabled = !this.touched;
    this.#find(".guess-words").textContent = this.done ? this.verdict() : "";
  }

  /** How far apart, in words: where it is most, and on the whole. */
  verdict() {
    const { handles, form, unit } = this.spec;
    const log = this.log;
    const apart = handles.map(({ truth }, k) =>
      Math.abs(this.drawn[k] - (log ? Math.log10(truth) : truth)));
    const far = apart.indexOf(Math.max(...apart));
    const { label, truth } = handles[far];
    const measured = format(truth, form) + unit;
    const size = (/** @type {number} */ d) => {
      if (!Number.isFinite(d)) return "out of any scale";
      if (!log) return format(d, form) + unit;
      const powers = format(d, { type: "f", digits: d < 3 ? 1 : 0 });
      return `${powers} ${powers === "1" ? "power" : "powers"} of ten`;
    };
    const first = `${label}: you expected ${this.#words(this.drawn[far])}, it is ${measured}, `
      + `${size(apart[far])} apart.`;
    if (handles.length === 1) return first;
    const mean = apart.reduce((a, b) => a + b, 0) / apart.length;
    return `Farthest at ${first} On average ${size(mean)} apart.`;
  }

  compare() {
    this.done = true;
    this.store.write(this.spec.name, { drawn: this.drawn, done: true });
    this.show();
  }

  again() {
    this.done = false;
    this.touched = false;
    const [low, high] = this.spec.pictures[0].ends;
    this.drawn.fill((low + high) / 2);
    this.store.write(this.spec.name, null);
    this.show();
    this.inputs[0]?.focus();
  }
}

/** Position of a number along an axis, in points. */
function across(/** @type {number[]} */ [offset, slope, log], /** @type {number} */ value) {
  return offset + slope * (log ? Math.log10(value) : value);
}

/** Let every prediction below `root` be drawn. @param {ParentNode} root */
function invite(root) {
  for (const node of root.querySelectorAll(".live-guess")) {
    const asked = /** @type {HTMLElement & {guess?: Guess}} */ (node);
    asked.guess ??= new Guess(asked, memory);
  }
}
