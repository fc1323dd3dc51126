// What a figure says: at once to the eye, at rest to a screen reader, which reads every change.

class Voice {
  /** @type {Set<Control>} controls moved since the last sentence was spoken */
  #moved = new Set();
  /** @type {Outputs|null} the outputs that the last sentence was about */
  #said = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #aside;
  /**
   * What room a sentence once took stays its own, as long as the width stays: else every shorter
   * one would move all of the page below, and lay it out anew.
   */
  #room = new ResizeObserver(([{ borderBoxSize: [{ inlineSize, blockSize }] }]) => {
    const { style } = this.written;
    const other = style.minHeight && inlineSize !== this.#width;
    style.minHeight = other ? "" : `${blockSize}px`;
    this.#width = inlineSize;
  });
  #width = 0;

  /** @param {LiveFigure} live */
  constructor(live) {
    this.live = live;
    this.written = live.find(".live-says");
    this.spoken = live.find(".live-speaks");
    this.alt = live.find("svg").getAttribute("aria-label");
    this.#room.observe(this.written);
    live.closed.signal.addEventListener("abort", () => this.#room.disconnect());
  }

  moved(/** @type {Control[]} */ controls) {
    controls.forEach((control) => this.#moved.add(control));
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Say something that is about no picture. */
  tell(/** @type {string} */ words) {
    this.stop();
    this.written.textContent = this.spoken.textContent = words;
  }

  /** Speak, once the reader rests, of what is seen already. */
  remark(/** @type {string} */ words) {
    clearTimeout(this.#aside);
    if (words) this.#aside = setTimeout(() => (this.spoken.textContent = words), 300);
  }

  /** Let a link or a button say for a moment what it has done. */
  confirm(/** @type {HTMLElement} */ element, /** @type {string} */ words) {
    const before = element.dataset.says ?? (element.textContent || "");
    element.dataset.says = before;
    this.spoken.textContent = element.textContent = words;
    setTimeout(() => (element.textContent = before), 2000);
  }

  /**
   * Write what the picture shows, and speak it once nothing has changed for `delay` ms.
   * @param {number} delay @param {string} [at]  where a run is
   */
  say(delay, at = "") {
    this.stop();
    if (!at && !this.#moved.size) {
      this.#said ??= this.live.outputs; // Python described this picture
      return;
    }
    const words = this.#sentence(at);
    write(this.written, words);
    this.#timer = setTimeout(() => {
      if (this.live.busy) return; // what has been moved will show in a newer answer
      this.spoken.textContent = words;
      this.#said = this.live.outputs;
      this.#moved.clear();
      this.#describe(words);
    }, delay);
  }

  #sentence(/** @type {string} */ at) {
    const { spec, state, outputs } = this.live;
    /** @type {Record<string, string>} */
    const words = {};
    for (const c of spec.controls) words[c.name] = spoken(c, state[c.name]);
    const moves = spec.controls.filter((c) => this.#moved.has(c))
      .map((c) => `${c.label.replace(/,? \S+_\w+$/, "").replace(/_/g, "")} ${words[c.name]}`); // a sentence has no indices
    const lead = [...moves, at].filter(Boolean).join(", ");
    const result = sentence(spec.say, outputs, words, this.#said) + "." + gaps(spec, outputs);
    return capital(`${lead}: ${result}`);
  }

  /** Let the picture's text alternative follow its state. */
  #describe(/** @type {string} */ words) {
    const first = !Object.keys(this.live.difference).length;
    const alt = first ? this.alt : `No longer the first picture. ${words}`;
    this.live.layouts.forEach(({ svg }) => svg.setAttribute("aria-label", alt));
  }
}
