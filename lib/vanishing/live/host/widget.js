// The same figure in Jupyter, computed in the kernel (widget.py).

/** @returns {Engine} computes in the kernel */
function kernelEngine(model, spec) {
  const view = Math.random().toString(36).slice(2); // answers to other views are not for us
  let settle = null;
  const receive = (message, buffers) => {
    if (message.view !== view || !settle) return;
    if (message.error) return settle.reject(new Error(message.error));
    settle.resolve(Object.fromEntries(spec.outputs.map((name, i) => {
      const { buffer, byteOffset, byteLength } = buffers[i];
      const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
      const types = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array };
      return [name, new (types[message.dtypes[i]] || Uint8Array)(bytes)];
    })));
  };
  model.on("msg:custom", receive);
  return {
    ask: (request) => new Promise((resolve, reject) => {
      settle = { resolve, reject };
      model.send({ ...request, view });
    }),
    close: () => model.off("msg:custom", receive),
    where: "kernel",
  };
}

/** anywidget's entry: the same figure, computed in the kernel; controls are traits. */
function render({ model, el }) {
  const spec = model.get("_spec");
  el.innerHTML = model.get("_html");
  const figure = el.querySelector("figure.live");
  const names = spec.controls.map((control) => control.name);
  const live = attach(figure, spec, async () => kernelEngine(model, spec), (state) => {
    for (const name of names) model.set(name, state[name]);
    model.save_changes();
  });
  const follow = () => {
    const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    if (names.some((name) => state[name] !== live.state[name])) live.set(state, true);
  };
  model.on("change", follow);
  figure.querySelector(".live-link").remove(); // a notebook has no page to link to
  follow();
  live.warm();
  return () => {
    model.off("change", follow);
    live.destroy();
  };
}
