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
  let telling = false; // what we tell comes back one by one, and is no news
  const live = attach(figure, spec, kernelEngine(model, spec), () => {
    known = { ...live.opening, ...live.difference };
    telling = true;
    for (const [name, value] of Object.entries(known)) model.set(name, value);
    telling = false;
    model.save_changes();
  });
  /** @type {State} what the model held when we last looked */
  let known = live.opening;
  const follow = () => {
    if (telling) return;
    const names = Object.keys(known).filter((name) => model.get(name) !== known[name]);
    const news = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    known = { ...known, ...news };
    if (names.length) live.set(news, true);
  };
  model.on("change", follow);
  const link = live.find(".live-link");
  if (spec.page) link.target = "_blank";
  else link.remove(); // there is no page to link to
  follow();
  live.warm();
  return () => {
    model.off("change", follow);
    live.destroy();
  };
}
