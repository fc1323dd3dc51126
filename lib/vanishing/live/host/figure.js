// One live figure: controls ask, programs answer, artists follow (figure.py).

/**
 * What Python decided.
 * @typedef {object} Spec
 * @property {string} name
 * @property {Control[]} controls
 * @property {LayoutSpec[]} layouts
 * @property {string[]} outputs
 * @property {any[]} say  the parts of the sentence
 * @property {[string, string, boolean][]} drawn
 * @property {State[]} presets
 * @property {string[]} data
 * @property {Record<string, string>} programs
 * @property {string} python  what makes the figure in a notebook
 * @property {string} [page]  where its page is published, in a notebook
 * @property {{steps: number, stride: number, preview: number, autoplay: boolean,
 *   ranks: number[], bytes: number}} [animation]
 */

/** @returns {Promise<void>} */
const frame = () =>
  new Promise((done) => {
    if (document.hidden) setTimeout(done);
    else requestAnimationFrame(() => done());
  });

/** The next frame is on the screen. @returns {Promise<void>} */
const painted = async () => {
  await frame();
  await new Promise((done) => setTimeout(done));
};

const BUSY = 300; // ms after which a reader wonders
const SOON = 100; // ms that seem no time: until then, controls wait for the picture
const LOST = "This figure cannot be recomputed here, so the picture shows its last state.";
const WAITING = "Its data could not be loaded. Move a control to try again.";

/** What `element.live` holds. Public: outputs, state, where, set, reset, destroy. */
class LiveFigure {
  /** @type {Outputs} the last outputs, by name */
  outputs = {};
  /** @type {State} */
  state;
  /** @type {Wish|null} what to compute next; a newer wish replaces it, so nothing queues */
  #wanted = null;
  /** @type {Promise<void>|null} of being at rest */
  #running = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} until words show the state at the latest */
  #showing;
  #unsaid = false; // the sentence is about an older picture
  /** @type {Layout|undefined} the one that is seen; undefined while none is */
  #layout;
  #watch = new ResizeObserver(() => {
    this.#layout = this.layouts.find((layout) => layout.shown);
    if (this.#layout) this.#present(this.#layout);
  });
  closed = new AbortController(); // by destroy, or by a fault

  /**
   * @param {HTMLElement} element  the `figure.live`
   * @param {Spec} spec
   * @param {Engine} engine  who computes
   * @param {(state: State) => void} changed  told when the reader or a script moves a control
   */
  constructor(element, spec, engine, changed) {
    this.element = element;
    this.spec = spec;
    this.engine = engine;
    this.changed = changed;
    /** @type {State} */
    this.defaults = Object.fromEntries(spec.controls.map((c) => [c.name, c.value]));
    this.state = { ...this.defaults };
    const { signal } = this.closed;
    const form = /** @type {HTMLFormElement} */ (this.find("form"));
    const svgs = element.querySelectorAll(/** @type {"svg"} */ (".live-picture svg"));
    this.layouts = spec.layouts.map((layout, k) => new Layout(svgs[k], layout));
    this.form = new Form(form, spec, (values) => this.set(values), signal);
    this.voice = new Voice(this);
    this.outlook = new Outlook(this);
    this.cursor = new Cursor(this);
    this.#listen(form, signal);
    this.form.show(this.state);
    this.find("fieldset").disabled = false;
    element.dataset.state = "ready";
    /** @type {any} */ (element).live = this;
  }

  /** @returns {any} */
  find(/** @type {string} */ selector) {
    return this.element.querySelector(selector);
  }

  /** Who computes: "worker", "page" (the slow way out), "kernel"; null before it is needed. */
  get where() {
    return this.engine.where;
  }

  get wanted() {
    return this.#wanted;
  }

  /** Whether an answer is still to come. */
  get busy() {
    return Boolean(this.#running);
  }

  /** What a link that names nothing shows. @returns {State} */
  get opening() {
    return this.defaults;
  }

  /** What of the state is not as it was at first. @returns {State} */
  get difference() {
    const moved = Object.entries(this.state).filter(([name, v]) => v !== this.defaults[name]);
    return Object.fromEntries(moved);
  }

  /** What an address says of this figure: its name there, and what is not as it was at first. */
  get fragment() {
    const query = new URLSearchParams(/** @type {any} */ (this.difference));
    return `${this.element.dataset.key || `fig-${this.spec.name}`}?${query}`;
  }

  /** The lines that show this figure in this state in a notebook. */
  get python() {
    const truth = (/** @type {string} */ said) => said.replace(/^[tf]/, (c) => c.toUpperCase());
    const given = Object.entries(this.difference).map(([name, value]) =>
      `${name}=${truth(JSON.stringify(value))}`);
    return this.spec.python + (given.length ? `.at(${given.join(", ")})` : "");
  }

  /** Let the link and the lines for a notebook say the state. */
  hand() {
    const link = this.find(".live-link"), lines = this.find(".live-python code");
    if (link) put(link, "href", `${this.spec.page || ""}#${this.fragment}`);
    if (lines) write(lines, this.python);
  }

  async copy() {
    const button = this.find("[data-do=copy]");
    try {
      await navigator.clipboard.writeText(this.python);
      this.voice.confirm(button, "Copied");
    } catch { // from disk, or not allowed: the reader copies it
      getSelection()?.selectAllChildren(this.find(".live-python code"));
      this.voice.confirm(button, "Selected");
    }
  }

  /** @param {HTMLFormElement} form @param {AbortSignal} signal */
  #listen(form, signal) {
    form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    form.addEventListener("click", (event) => this.#act(event), { signal });
    // What is pressed or typed shows at once what it did; a slider on its way shows itself.
    for (const entered of ["change", "focusout"]) {
      form.addEventListener(entered, () => this.#show(), { signal });
    }
    // Arrow keys and space belong to the control, not to the slides or the page around it.
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") event.stopPropagation();
    }, { signal });
    this.layouts.forEach((layout) => layout.listen((values) => this.set(values), signal));
    // The page's width may choose another layout at any time, and paper always has the wide one.
    this.#watch.observe(this.find(".live-picture"));
    const all = () => this.layouts.forEach((layout) => this.#present(layout));
    addEventListener("beforeprint", all, { signal });
  }

  /** Do what a button says. @param {MouseEvent} event */
  #act({ target, detail }) {
    const { do: action, next } = /** @type {HTMLElement} */ (target).dataset;
    if (action && detail < 2) /** @type {any} */ (this)[action](); // no double click undoes itself
    if (next) this.set({ [next]: Number(this.state[next]) + 1 });
    if (/** @type {HTMLElement} */ (target).closest("button")) this.#show();
  }

  /**
   * Move controls, as far as `values` names them; values outside a range are clamped.
   * @param {State} values
   * @param {boolean} [quiet]  do not tell the page (it is the page that asks)
   * @returns {Promise<void>} resolved once the result, or a newer one, is drawn and said
   */
  set(values, quiet) {
    const named = this.spec.controls.filter(({ name }) => Object.hasOwn(values, name));
    const moved = named.filter((control) => {
      const { name } = control;
      const before = this.state[name];
      this.state[name] = clean(control, values[name]);
      return this.state[name] !== before;
    });
    this.voice.moved(moved);
    this.form.speak(this.state);
    this.#showing ??= setTimeout(() => this.#show(), SOON);
    const drawn = this.refresh(moved);
    if (quiet) this.form.open(this.state);
    else this.changed(this.state);
    return drawn;
  }

  /** Let the form show the state, and the sentence the picture. */
  #show() {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    this.form.show(this.state);
    this.hand();
    if (this.#unsaid) this.voice.say(200);
    this.#unsaid = false;
  }

  /**
   * Compute again after controls have moved.
   * @param {Control[]} [moved]
   * @returns {Promise<void>}
   */
  refresh(moved) {
    void moved; // an animation wants to know
    return this.want({ op: "compute" });
  }

  /** Get ready before the reader moves anything, so that the first move is quick. */
  warm() {
    if (!this.#running && !Object.keys(this.outputs).length) this.refresh([]);
  }

  reset() {
    return this.set(this.defaults);
  }

  /** Stop, and let go of everything; the picture stays. */
  destroy() {
    this.closed.abort();
    clearTimeout(this.#showing);
    this.#watch.disconnect();
    this.voice.stop();
    this.outlook.stop();
    this.engine.close();
    delete (/** @type {any} */ (this.element).live);
  }

  /** @param {Wish|null} request @returns {Promise<void>} */
  want(request) {
    if (this.closed.signal.aborted) return Promise.resolve();
    this.#wanted = request;
    return (this.#running ??= this.#work());
  }

  /** Answer what is wanted until nothing is. */
  async #work() {
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    let busy;
    try {
      await this.outlook.yield(); // and let all changes of this moment come in first
      while (this.#wanted && !this.closed.signal.aborted) {
        busy ??= setTimeout(() => this.#wait("Computing …"), BUSY);
        const request = this.#wanted;
        this.#wanted = null;
        const answer = await this.engine.ask(this.request(this.state, request));
        if (answer.outputs) { // a run that moves is not waited for
          clearTimeout(busy);
          busy = undefined;
          this.#wait("");
        }
        if (!this.closed.signal.aborted) await this.answer(request, answer);
      }
    } catch (error) {
      this.#fail(error);
    }
    clearTimeout(busy);
    if (this.element.dataset.state !== "failed") this.#wait("");
    this.#running = null;
    this.outlook.look(); // the worker has nothing else to do
    await painted(); // words would hold up the picture
    if (!this.busy && !this.closed.signal.aborted) this.#show();
  }

  /**
   * A request with what the controls say in a state.
   * @param {State} state @param {Wish} [wish] @returns {Wish}
   */
  request(state, wish = { op: "compute" }) {
    const { controls } = this.spec;
    const begins = controls.filter((c) => c.restart).map((c) => state[c.name]);
    return {
      ...wish,
      args: controls.map((c) => argument(c, state[c.name])),
      begins: JSON.stringify(begins),
      state: { ...state },
    };
  }

  #wait(/** @type {string} */ words) {
    write(this.find(".live-wait"), words);
  }

  /** Draw what came. @param {Wish} request @param {Answer} answer @returns {Promise<void>} */
  async answer(request, { outputs }) {
    if (!outputs) return;
    this.draw(outputs);
    this.#unsaid = true;
  }

  draw(/** @type {Outputs} */ outputs) {
    this.outputs = outputs;
    this.#present(this.#layout ?? this.layouts[0]);
  }

  /** Bring one layout to the last outputs, if there are any. */
  #present(/** @type {Layout} */ layout) {
    if (!Object.keys(this.outputs).length) return;
    layout.draw(this.outputs);
    this.cursor.draw();
  }

  #fail(/** @type {any} */ error) {
    if (error.waiting) return this.voice.tell(WAITING); // there may be a network again
    this.closed.abort();
    this.find("fieldset").disabled = true;
    this.element.dataset.state = "failed";
    this.element.dataset.error = String(error);
    this.#wait("");
    this.voice.tell(LOST);
  }
}
