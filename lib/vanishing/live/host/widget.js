// The same figure in Jupyter, computed in the kernel (widget.py).

/** @param {any} model @param {Spec} spec @returns {Engine} computes in the kernel */
function kernelEngine(model, spec) {
  const view = Math.random().toString(36).slice(2); // answers to other views are not for us
  /** @type {{resolve: (answer: Answer) => void, reject: (error: Error) => void}|null} */
  let settle = null;
  /** @type {Record<string, any>} */
  const types = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array };
  const read = (/** @type {DataView} */ view, /** @type {string} */ dtype) => {
    const { buffer, byteOffset, byteLength } = view;
    return new (types[dtype] || Uint8Array)(buffer.slice(byteOffset, byteOffset + byteLength));
  };
  const receive = (/** @type {any} */ message, /** @type {DataView[]} */ buffers) => {
    if (message.view !== view || !settle) return;
    if (message.error) return settle.reject(new Error(message.error));
    const { count, dtypes } = message;
    const arrays = spec.outputs.map((name, i) => [name, read(buffers[i], dtypes[i])]);
    settle.resolve({ count, outputs: Object.fromEntries(arrays) });
  };
  model.on("msg:custom", receive);
  return {
    ask: (request) => new Promise((resolve, reject) => {
      settle = { resolve, reject };
      model.send({ ...request, view });
    }),
    open: async () => {},
    close: () => {
      model.off("msg:custom", receive);
      model.send({ op: "close", view });
    },
    where: "kernel",
  };
}

/**
 * anywidget's entry: the same figure, computed in the kernel; controls are traits.
 * @param {{model: any, el: HTMLElement}} place
 */
function render({ model, el }) {
  /** @type {Spec} */
  const spec = model.get("_spec");
  el.innerHTML = model.get("_html");
  const figure = /** @type {HTMLElement} */ (el.querySelector("figure.live"));
  const names = spec.controls.map((control) => control.name);
  const live = attach(figure, spec, kernelEngine(model, spec), (state) => {
    for (const name of names) model.set(name, state[name]);
    model.save_changes();
  });
  const follow = () => {
    const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    if (names.some((name) => state[name] !== live.state[name])) live.set(state, true);
  };
  model.on("change", follow);
  live.find(".live-link").remove(); // a notebook has no page to link to
  follow();
  live.warm();
  return () => {
    model.off("change", follow);
    live.destroy();
  };
}
