// One live figure: controls ask, programs answer, artists follow (figure.py).

/** @typedef {Record<string, number|string|boolean>} State  control values by name */

const frame = () =>
  new Promise((done) => (document.hidden ? setTimeout(done) : requestAnimationFrame(done)));

/** What `element.live` holds. Public: outputs, state, where, set, reset, destroy. */
class LiveFigure {
  /** @type {Outputs} the last outputs, by name */
  outputs = {};
  /** @type {State} */
  state;
  #wanted = null; // what to compute next; a newer wish replaces it, so nothing queues
  #running = null; // the promise of being at rest
  #engine = null;
  #closed = false;
  #moved = new Set(); // controls changed since the last sentence
  #said = null; // the outputs that the last sentence was about
  #timer;
  #cleanups = [];

  /**
   * @param {HTMLElement} element  the `figure.live`
   * @param {object} spec  what Python decided
   * @param {() => Promise<Engine>} connect  who computes
   * @param {(state: State) => void} changed  told when the reader or a script moves a control
   */
  constructor(element, spec, connect, changed) {
    Object.assign(this, { element, spec, connect, changed });
    this.form = this.find("form");
    this.defaults = Object.fromEntries(spec.controls.map((c) => [c.name, c.value]));
    this.state = { ...this.defaults };
    const node = (id) => this.find(`svg [id$=".${id}"]`);
    this.artists = spec.artists.map((artist) => artists[artist.kind](artist, artist.ids.map(node)));
    this.#listen();
    this.show();
    this.find("fieldset").disabled = false;
    this.form.style.visibility = "";
    element.dataset.state = "ready";
    element.live = this;
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  #listen() {
    const on = (target, type, handler) => {
      target.addEventListener(type, handler);
      this.#cleanups.push(() => target.removeEventListener(type, handler));
    };
    for (const control of this.spec.controls) {
      const input = this.form.elements.namedItem(control.name);
      const type = control.kind === "seed" ? "change" : "input";
      on(input, type, () => this.set({ [control.name]: readInput(control, input) }));
    }
    on(this.form, "submit", (event) => event.preventDefault());
    on(this.form, "click", ({ target }) => {
      const { do: action, next } = target.dataset;
      if (action) this[action]();
      if (next) this.set({ [next]: this.state[next] + 1 });
    });
    on(this.find("svg"), "click", (event) => this.#pick(event));
    // Arrow keys and space belong to the control, not to the slides or the page around it.
    on(this.form, "keydown", (event) => event.key === "Escape" || event.stopPropagation());
  }

  /** A tap in the axes of a rule that stands for a control puts the control there. */
  #pick({ clientX, clientY }) {
    const toPoints = this.find("svg").getScreenCTM().inverse();
    const at = new DOMPoint(clientX, clientY).matrixTransform(toPoints);
    for (const { control, role, axis, box } of this.spec.picks) {
      const [left, top, right, bottom] = box;
      const t = (at[role] - axis[0]) / axis[1];
      if (left <= at.x && at.x <= right && top <= at.y && at.y <= bottom) {
        this.set({ [control]: axis[2] ? 10 ** t : t });
      }
    }
  }

  /** Let the inputs show the state. */
  show() {
    for (const control of this.spec.controls) {
      showInput(control, this.form.elements.namedItem(control.name), this.state[control.name]);
    }
  }

  /**
   * Move controls, as far as `values` names them; values outside a range are clamped.
   * @param {State} values
   * @param {boolean} [quiet]  do not tell the page (it is the page that asks)
   * @returns {Promise<void>} resolved once the result, or a newer one, is drawn
   */
  set(values, quiet) {
    const moved = this.spec.controls.filter(({ name }) => name in values).filter((control) => {
      const { name } = control;
      const before = this.state[name];
      this.state[name] = clean(control, values[name]);
      return this.state[name] !== before;
    });
    moved.forEach(({ name }) => this.#moved.add(name));
    this.show();
    if (!quiet) this.changed(this.state);
    return this.refresh(moved);
  }

  /** Compute again after the controls `moved`. */
  refresh() {
    return this.want({ op: "compute" });
  }

  /** Compute once before the reader moves anything, so that the first move is quick. */
  warm() {
    if (!this.#running && !Object.keys(this.outputs).length) this.refresh();
  }

  reset() {
    return this.set(this.defaults);
  }

  /** Stop, and let go of everything; the picture stays. */
  destroy() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#cleanups.forEach((cleanup) => cleanup());
    if (this.#engine) this.#engine.close();
    delete this.element.live;
  }

  /** @param {Request|null} request @returns {Promise<void>} */
  want(request) {
    if (this.#closed) return Promise.resolve();
    this.#wanted = request;
    return (this.#running ??= this.#work());
  }

  /** Who computes: "worker", "page" (the slow way out), "kernel"; null before it is needed. */
  get where() {
    return this.#engine && this.#engine.where;
  }

  get wanted() {
    return this.#wanted;
  }

  /** Answer what is wanted until nothing is. */
  async #work() {
    await null; // let all changes of this moment come in first
    try {
      this.#engine ??= await this.connect();
      while (this.#wanted && !this.#closed) {
        const request = this.#wanted;
        this.#wanted = null;
        const args = this.spec.controls.map((c) => argument(c, this.state[c.name]));
        const outputs = await this.#engine.ask({ ...request, args, state: { ...this.state } });
        if (!this.#closed) await this.answer(request, outputs);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#running = null;
  }

  /** Draw what came. */
  async answer(request, outputs) {
    this.outputs = outputs;
    this.artists.forEach((draw) => draw(outputs));
    if (!this.#moved.size) this.#said ??= outputs; // Python described the first picture
    this.say(200);
  }

  /** Tell in words what changed, once it rests: a screen reader reads out every change. */
  say(delay, at = "") {
    clearTimeout(this.#timer);
    if (!at && !this.#moved.size) return;
    this.#timer = setTimeout(() => {
      const { spec, outputs, state } = this;
      const words = {};
      for (const c of spec.controls) words[c.name] = spoken(c, state[c.name]);
      const moves = spec.controls.filter((c) => this.#moved.has(c.name))
        .map((c) => `${c.label.replace(/_/g, "")} ${words[c.name]}`);
      const lead = [...moves, at].filter(Boolean).join(", ");
      const result = sentence(spec.say, outputs, words, this.#said) + "." + gaps(spec, outputs);
      const capital = (text) => text.replace(/^[a-z](?=[a-z ])/, (c) => c.toUpperCase());
      this.find(".live-says").textContent = capital(`${lead}: ${result}`);
      this.#said = outputs;
      this.#moved.clear();
    }, delay);
  }

  #fail(error) {
    this.#closed = true;
    this.find("fieldset").disabled = true;
    this.element.dataset.state = "failed";
    this.element.dataset.error = String(error);
    this.find(".live-says").textContent =
      "This figure cannot be recomputed here, so the picture shows its last state.";
  }
}

/** An animated figure: besides, run, pause, step, and the number of steps done, `count`. */
class LiveAnimation extends LiveFigure {
  #playing = false;
  #started = false; // until then the picture is Python's preview

  constructor(...args) {
    super(...args);
    this.count = this.spec.animation.preview;
  }

  /** Start again if a control asks for it, else look at the same step with the new values. */
  refresh(moved = []) {
    const pending = this.wanted && this.wanted.op === "restart";
    if (this.#started && !pending && !moved.some((control) => control.restart)) {
      return this.want({ op: "advance", steps: 0 });
    }
    this.#started = true;
    return this.want({ op: "restart", steps: 0 });
  }

  /** Go on to the end. @returns {Promise<void>} resolved there, or at a pause */
  async run() {
    if (!this.#started || this.count >= this.spec.animation.steps) {
      this.#started = false;
      await this.refresh();
    }
    this.#playing = true;
    this.progress();
    return this.want({ op: "advance", steps: this.#stride() });
  }

  toggle() {
    return this.#playing ? this.pause() : this.run();
  }

  warm() {} // a run begins when the reader says so

  pause() {
    this.#playing = false;
    if (this.wanted && this.wanted.op === "advance") this.want(null);
    this.progress();
  }

  /** Go one step. @returns {Promise<void>} */
  async step() {
    this.pause();
    if (!this.#started) await this.refresh();
    if (this.count < this.spec.animation.steps) return this.want({ op: "advance", steps: 1 });
  }

  reset() {
    this.#playing = this.#started = false;
    return super.reset();
  }

  /** How many steps the next picture is away; long strides where motion is not wanted. */
  #stride() {
    const { steps, stride } = this.spec.animation;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const wish = calm ? Math.ceil(steps / 5) : stride * Number(this.find("[data-speed]").value);
    return Math.min(wish, steps - this.count);
  }

  async answer(request, outputs) {
    this.count = request.op === "restart" ? 0 : this.count + request.steps;
    if (this.#playing) await frame();
    super.answer(request, outputs);
    if (this.count >= this.spec.animation.steps) this.#playing = false;
    this.progress();
    this.say(this.#playing ? 1000 : 200, `step ${this.count}`);
    if (this.#playing && !this.wanted) this.want({ op: "advance", steps: this.#stride() });
  }

  progress() {
    const { steps } = this.spec.animation;
    this.find("progress").value = this.count;
    this.find("[data-steps]").textContent = `${this.count} of ${steps}`;
    this.find('[data-do="toggle"]').textContent = this.#playing ? "Pause" : "Run";
  }
}

/** Make one figure work. @returns {LiveFigure} */
function attach(element, spec, connect, changed) {
  return new (spec.animation ? LiveAnimation : LiveFigure)(element, spec, connect, changed);
}
