// What lies ahead on a slider: one output along its whole range, behind its track.

const POSITIONS = 49; // of a slider whose outcome is looked up; between them lines are straight
const REST = 200; // ms without a wish after which the worker has time for it

class Ahead {
  /** @type {number[]} the output at each position, NaN where there is none */
  values = [];
  /** @type {string} the other controls' values that it was computed for */
  #known = "";

  /** @param {Row} row  of a slider that has an `ahead` */
  constructor(row) {
    this.row = row;
    this.shows = /** @type {NonNullable<Control["ahead"]>} */ (row.control.ahead);
    this.path = /** @type {SVGPathElement} */ (row.row.querySelector(".live-ahead path"));
    const last = Math.min(POSITIONS, row.count) - 1;
    const all = Array.from({ length: last + 1 }, (_, i) => row.at(i / last));
    /** @type {number[]} values of the control */
    this.positions = [...new Set(all)];
  }

  /** Whether there is a place for it; slides have none. */
  get shown() {
    return getComputedStyle(/** @type {Element} */ (this.path.parentElement)).display !== "none";
  }

  /**
   * Compute what is not known for this state, one position after the other.
   * @param {State} state
   * @param {(state: State) => Promise<Outputs|null>} ask  gives nothing once there is better to do
   */
  async look(state, ask) {
    const { name } = this.row.control;
    const others = JSON.stringify({ ...state, [name]: 0 });
    if (others === this.#known) return;
    const found = [];
    for (const at of this.positions) {
      const outputs = await ask({ ...state, [name]: at });
      if (!outputs) return;
      found.push(outputs[this.shows.name][this.shows.index]);
    }
    this.values = found;
    this.#known = others;
    this.#draw(this.shows);
  }

  /** @param {{low: number, high: number}} range */
  #draw({ low, high }) {
    const height = (/** @type {number} */ value) =>
      (high - clamp(value, low, high)) / (high - low);
    const points = this.values.map((value, i) => [this.row.share(this.positions[i]), height(value)]);
    const zero = height(0);
    this.path.setAttribute("d", runs(points, drawable).map((run) => {
      const area = [[run[0][0], zero], ...run, [run[run.length - 1][0], zero]];
      return `M${join(area.map((point) => point.map((p) => Number(p.toFixed(4)))))}Z`;
    }).join(""));
    this.row.row.classList.add("live-known");
  }
}

/** All strips of a figure; the worker fills them while the reader wants nothing. */
class Outlook {
  /** @type {Promise<any>|null} the answer that is on its way */
  #pending = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /** @param {LiveFigure} live */
  constructor(live) {
    this.live = live;
    this.strips = live.form.rows.filter(({ control }) => control.ahead).map((row) => new Ahead(row));
  }

  /** Resolved when the engine is free, whatever became of what it was asked ahead. */
  async yield() {
    await Promise.allSettled([this.#pending]);
  }

  /** Fill the strips once the reader rests, and until there is a new wish. */
  look() {
    clearTimeout(this.#timer);
    if (this.strips.length) this.#timer = setTimeout(() => this.#look(), REST);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  async #look() {
    const state = { ...this.live.state };
    try {
      const shown = this.strips.filter((strip) => strip.shown);
      for (const strip of shown) await strip.look(state, this.#ask);
    } catch {
      this.strips = []; // the figure itself will meet the fault, and tell
    }
  }

  #ask = async (/** @type {State} */ state) => {
    const { live } = this;
    const free = !live.busy && live.where === "worker" && !live.closed.signal.aborted;
    if (!free) return null;
    try {
      const { outputs = null } = await (this.#pending = live.engine.ask(live.request(state)));
      return live.busy ? null : outputs;
    } finally {
      this.#pending = null;
    }
  };
}
