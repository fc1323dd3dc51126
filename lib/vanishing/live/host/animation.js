// An animated figure: what a figure does, and besides run, pause, step and scrub.

const LAST = "This is the last step. Run plays it again from the first.";
const APART = 200; // ms between two pictures of a run on its way, for drawing slows it down

/** Whether the reader wants less motion. */
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Public besides: `count` (the step in the picture), run, pause, step; set takes `step` too. */
class LiveAnimation extends LiveFigure {
  #playing = false;
  /** @type {number|null} the step that is wanted, while it is not drawn */
  #aim = null;
  /** @type {number|null} the step that has just been set */
  #asked = null;
  #silent = false; // it plays by itself: nobody asked, so nobody is told
  #next = 0; // when a run may show again how far it is

  /** @param {HTMLElement} element @param {any} spec @param {any} engine @param {any} changed */
  constructor(element, spec, engine, changed) {
    super(element, spec, engine, changed);
    this.count = this.rest;
    /** @type {HTMLInputElement} */
    this.bar = this.find("[data-scrub]");
    this.bar.addEventListener("input", () => this.go(Number(this.bar.value)));
    if (spec.animation.autoplay && !calm()) this.#begin();
  }

  /** Play once, when the picture is seen and the reader has left it as it was. */
  #begin() {
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      const { signal } = this.closed;
      if (signal.aborted || this.#playing || Object.keys(this.difference).length) return;
      this.#silent = true;
      this.run();
    }, { threshold: 0.5 });
    seen.observe(this.find(".live-picture"));
    this.closed.signal.addEventListener("abort", () => seen.disconnect());
  }

  get steps() {
    return /** @type {any} */ (this.spec.animation).steps;
  }

  /** The step that is shown while nothing plays, and where links lead. */
  get rest() {
    return /** @type {any} */ (this.spec.animation).preview;
  }

  /** @returns {State} */
  get opening() {
    return { ...this.defaults, step: this.rest };
  }

  /** @returns {State} */
  get difference() {
    const at = this.#aim ?? this.count;
    return at === this.rest || this.#playing ? super.difference : { ...super.difference, step: at };
  }

  /** @param {State} values @param {boolean} [quiet] @returns {Promise<void>} */
  set(values, quiet) {
    if (Object.hasOwn(values, "step")) {
      this.#playing = false;
      const asked = Math.round(numeric(values.step));
      this.#asked = clamp(Number.isNaN(asked) ? this.rest : asked, 0, this.steps);
    }
    return super.set(values, quiet);
  }

  /**
   * A new setting shows its result, or is played if one is playing; a control that only looks
   * leaves the step.
   * @param {Control[]} moved
   */
  refresh(moved) {
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) return this.#seek(asked);
    const again = moved.some((control) => control.restart);
    if (again) return this.#playing ? this.#seek(0, true) : this.#seek(this.rest);
    return this.#seek(this.#aim ?? this.count);
  }

  /** @param {number} to @param {boolean} [fresh] */
  #seek(to, fresh = false) {
    this.#aim = to;
    return this.want({ op: "seek", to, fresh });
  }

  warm() {
    this.engine.open().catch(() => {}); // whoever asks next hears of it
  }

  toggle() {
    return this.#playing ? this.pause() : this.run();
  }

  /** Play, from the beginning if this is the end. @returns {Promise<void>} when it stops */
  run() {
    const over = this.count >= this.steps;
    this.#playing = true;
    this.#progress();
    return over ? this.#seek(0, true) : this.#seek(this.count + this.#stride());
  }

  pause() {
    this.#playing = false;
    if (this.wanted) this.want(null);
    this.#aim = null;
    this.#progress();
    this.changed(this.state);
  }

  /** Go one step. @returns {Promise<void>} */
  async step() {
    this.pause();
    if (this.count >= this.steps) return this.voice.tell(LAST);
    return this.go(this.count + 1);
  }

  /** Show a step. @param {number} to @returns {Promise<void>} */
  go(to) {
    return this.set({ step: to });
  }

  reset() {
    return this.set(this.opening);
  }

  /** How many steps the next picture is away; long strides where motion is not wanted. */
  #stride() {
    const { steps, stride } = /** @type {any} */ (this.spec.animation);
    const wish = calm() ? Math.ceil(steps / 5) : stride * Number(this.find("[data-speed]").value);
    return Math.min(wish, steps - this.count);
  }

  /** @param {Wish} request @param {Answer} answer */
  async answer(request, { outputs, count = 0 }) {
    if (!outputs) return;
    if (count !== request.to) return this.#pass(request, outputs, count);
    if (this.#playing) await frame();
    this.count = count;
    if (this.#aim === count) this.#aim = null;
    this.draw(outputs);
    if (this.#playing && count >= this.steps) this.#playing = false;
    this.#progress();
    this.voice.say(this.#playing ? 1000 : 200, this.#silent ? "" : `step ${count}`);
    if (!this.#playing) this.#silent = false;
    if (this.#playing && !this.wanted) this.#seek(count + this.#stride());
  }

  /**
   * Let a run go on, and meanwhile show how far it has come. What plays shows only where it stops;
   * without motion a run shows its beginning and its end.
   * @param {Wish} request @param {Outputs} outputs @param {number} count
   */
  #pass(request, outputs, count) {
    if (!this.wanted && this.#aim === request.to) this.want({ ...request, fresh: false, on: true });
    const early = request.on && (calm() || performance.now() < this.#next);
    if (this.#playing || early) return;
    this.#next = performance.now() + APART;
    this.count = count;
    const old = () => this.count !== count || this.closed.signal.aborted; // something newer is there
    setTimeout(async () => { // when the worker has been asked
      if (old()) return;
      this.draw(outputs);
      await painted();
      if (old()) return;
      this.#progress();
      this.voice.say(200, `step ${count}`);
    });
  }

  #progress() {
    const { bar, steps } = this;
    bar.valueAsNumber = this.#aim ?? this.count; // where the reader has put it
    put(bar, "aria-valuetext", `${bar.value} of ${steps}`);
    write(this.find("[data-steps]"), `${this.count} of ${steps}`);
    write(this.find('[data-do="toggle"]'), this.#playing ? "Pause" : "Run");
    this.hand();
  }
}

/**
 * Make one figure work.
 * @param {HTMLElement} element @param {Spec} spec @param {Engine} engine
 * @param {(state: State) => void} changed @returns {LiveFigure}
 */
function attach(element, spec, engine, changed) {
  const live = new (spec.animation ? LiveAnimation : LiveFigure)(element, spec, engine, changed);
  live.hand();
  return live;
}
