// The same prediction in Jupyter, its values a synced trait (prediction.py).

/**
 * anywidget's entry.
 * @param {{model: any, el: HTMLElement}} place
 */
function renderGuess({ model, el }) {
  el.innerHTML = model.get("_html");
  const root = /** @type {HTMLElement} */ (el.querySelector(".live-guess"));
  /** @type {(value: number|null) => number|null} */
  const scale = (value) => (value !== null && guess.log ? Math.log10(value) : value);
  /** @type {Store} */
  const traits = {
    read: () => {
      const values = model.get("prediction");
      return values.length ? { drawn: values.map(scale), done: model.get("compared") } : null;
    },
    write: (_, value) => {
      const values = (value?.drawn ?? []).map((t) => (t !== null && guess.log ? 10 ** t : t));
      model.set({ prediction: values, compared: Boolean(value?.done) });
      model.save_changes();
    },
  };
  /** @type {Guess} */
  const guess = new Guess(root, { read: () => null, write: traits.write }, () => {});
  guess.store = traits;
  const follow = () => guess.load();
  model.on("change", follow);
  follow();
  return () => model.off("change", follow);
}
