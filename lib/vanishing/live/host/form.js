// The form of a figure: inputs that show the state, and tell what the reader wants (form.py).

const NEAR = 0.2; // of a slider's length: nearer than this, two words may meet

/** @type {WeakSet<HTMLInputElement>} in which the reader has typed what is not entered yet */
const TYPED = new WeakSet();

/** Tell of a number once it is entered; what is being typed stands until then. */
function typing(
  /** @type {HTMLInputElement} */ input,
  /** @type {(value: string) => void} */ entered,
  /** @type {AddEventListenerOptions} */ options,
) {
  input.addEventListener("input", () => TYPED.add(input), options);
  input.addEventListener("blur", () => TYPED.delete(input), options);
  input.addEventListener("change", () => {
    TYPED.delete(input);
    entered(input.value);
  }, options);
}

/** Let an input show a number. Of text that a script writes, browsers tell their form fillers. */
function enter(/** @type {HTMLInputElement} */ input, /** @type {number} */ value) {
  if (!TYPED.has(input) && input.valueAsNumber !== value) input.valueAsNumber = value;
}

/** One control's elements. */
class Row {
  /** @type {number[]|null} what each position of a log slider stands for */
  #stops;

  /**
   * @param {HTMLFormElement} form
   * @param {Control} control
   * @param {(value: any) => void} moved
   * @param {AbortSignal} signal  ends the listening
   */
  constructor(form, control, moved, signal) {
    this.control = control;
    this.input = /** @type {HTMLInputElement} */ (form.elements.namedItem(control.name));
    this.row = /** @type {HTMLElement} */ (this.input.closest(".live-control"));
    this.value = /** @type {HTMLElement|null} */ (this.row.querySelector(".live-value"));
    this.box = /** @type {HTMLInputElement|null} */ (this.row.querySelector(".live-box"));
    this.#stops = control.kind === "slider" && control.log ? stops(control) : null;
    if (this.#stops) {
      Object.assign(this.input, { min: 0, max: this.#stops.length - 1, step: 1 });
    }
    this.#listen(moved, { signal });
    this.#mark(moved, { signal });
  }

  /** @param {(value: any) => void} moved @param {AddEventListenerOptions} options */
  #listen(moved, options) {
    const { input, box, control } = this;
    if (control.kind === "seed") typing(input, moved, options);
    else input.addEventListener("input", () => moved(this.#read()), options);
    const home = () => moved(control.value);
    if (control.kind === "slider") input.addEventListener("dblclick", home, options);
    if (box) typing(box, moved, options);
  }

  /** The number at which an input stands for a value. @param {number} value */
  #position(value) {
    return this.#stops ? nearest(this.#stops, value) : value;
  }

  #read() {
    if (this.control.kind === "toggle") return this.input.checked;
    return this.#stops ? this.#stops[Number(this.input.value)] : this.input.value;
  }

  /** How many values a slider has. */
  get count() {
    const { minimum, maximum, step } = this.control;
    return this.#stops ? this.#stops.length : Math.round((maximum - minimum) / step) + 1;
  }

  /** The value that is nearest to a place on the slider, 0 to 1. @returns {number} */
  at(/** @type {number} */ place) {
    if (this.#stops) return this.#stops[Math.round(place * (this.#stops.length - 1))];
    const { minimum, maximum } = this.control;
    return clean(this.control, minimum + place * (maximum - minimum));
  }

  /** Where a value stands on the slider, 0 to 1. @param {number} value */
  share(value) {
    if (!this.#stops) return share(this.control, value);
    return this.#position(value) / (this.#stops.length - 1);
  }

  /**
   * Put the marks at the values that they stand for.
   * @param {(value: any) => void} moved @param {AddEventListenerOptions} options
   */
  #mark(moved, options) {
    const marks = /** @type {NodeListOf<HTMLElement>} */ (this.row.querySelectorAll(".live-mark"));
    let row = 0, before = -1;
    marks.forEach((mark, i) => {
      const [at] = this.control.marks[i];
      const place = this.share(at);
      row = place - before < NEAR ? 1 - row : 0;
      before = place;
      mark.style.setProperty("--at", String(place));
      mark.style.setProperty("--row", String(row));
      const rows = /** @type {HTMLElement} */ (mark.parentElement);
      if (row) rows.style.setProperty("--rows", "1");
      mark.addEventListener("click", () => moved(at), options);
    });
  }

  /** Tell a slider's value to who cannot see it. @param {State} state */
  speak(state) {
    const { control, input } = this;
    if (control.kind !== "slider") return;
    put(input, "aria-valuetext", spoken(control, state[control.name]));
  }

  /** @param {State} state */
  show(state) {
    const { control, input } = this;
    const value = /** @type {any} */ (state[control.name]);
    if (control.kind === "toggle") input.checked = value;
    else if (control.kind !== "choice") enter(input, this.#position(value));
    else if (input.value !== value) input.value = value;
    input.disabled = !Object.entries(control.when).every(([name, values]) =>
      values.includes(state[name]));
    this.row.classList.toggle("live-idle", input.disabled);
    this.speak(state);
    if (this.value) write(this.value, input.getAttribute("aria-valuetext") || "");
    if (this.box) enter(this.box, value);
  }
}

/** All of the form. */
class Form {
  /**
   * @param {HTMLFormElement} form
   * @param {Spec} spec
   * @param {(values: State) => void} moved  what the reader wants
   * @param {AbortSignal} signal  ends the listening
   */
  constructor(form, spec, moved, signal) {
    this.form = form;
    this.spec = spec;
    this.rows = spec.controls.map((control) =>
      new Row(form, control, (value) => moved({ [control.name]: value }), signal));
    this.presets = [...form.querySelectorAll(".live-presets button")];
    this.presets.forEach((button, i) =>
      button.addEventListener("click", () => moved(spec.presets[i]), { signal }));
  }

  /** @param {State} state */
  show(state) {
    this.rows.forEach((row) => row.show(state));
    this.presets.forEach((button, i) => {
      const same = Object.entries(this.spec.presets[i]).every(([k, v]) => state[k] === v);
      put(button, "aria-pressed", same);
    });
  }

  /** @param {State} state */
  speak(state) {
    this.rows.forEach((row) => row.speak(state));
  }

  /** Open what hides a control that is not at its default. @param {State} state */
  open(state) {
    const more = /** @type {HTMLDetailsElement|null} */ (this.form.querySelector(".live-more"));
    if (!more) return;
    const hidden = this.rows.filter(({ row }) => more.contains(row));
    if (hidden.some(({ control }) => state[control.name] !== control.value)) more.open = true;
  }
}
