// Who computes: the figure's programs, in a worker or in the page (machine.py).
/** @typedef {Record<string, ArrayLike<number>>} Outputs  outputs by name */
/** @typedef {{op: string, args: number[], steps?: number}} Request  what an engine answers */
/**
 * @typedef {object} Engine
 * @property {(request: Request) => Promise<Outputs>} ask
 * @property {() => void} close
 * @property {"worker"|"page"|"kernel"} where  whose processor it is
 */

/**
 * The figure's programs, still or animated; runs in the worker and, as a fallback, in the page.
 * It must not refer to anything outside itself, since its source travels into the worker.
 */
function machine(runtime, spec, programs, data) {
  const rt = runtime();
  const run = Object.fromEntries(Object.entries(programs).map(([k, program]) => [k, program(rt)]));
  const pack = (list) =>
    Object.fromEntries(spec.outputs.map((name, i) => [name, list[i].slice()]));
  let state;
  const keep = (leaves) => {
    const { ranks } = spec.animation;
    state = ranks.map((rank, i) => (rank ? leaves[i].slice() : leaves[i][0]));
  };
  return ({ op, args, steps }) => {
    const all = [...args, ...data];
    if (op === "compute") return pack(run.compute(...all));
    if (op === "restart") keep(run.init(...all));
    for (let i = 0; i < (steps || 0); i++) keep(run.step(...state, ...all));
    return pack(run.step(...state, ...all).slice(state.length));
  };
}

/** Runs inside the worker: the first message brings the data, each later one is a request. */
function serve(build) {
  let answer;
  self.onmessage = ({ data }) => {
    try {
      if (!answer) {
        answer = build(data);
        return self.postMessage({ ready: true });
      }
      const outputs = answer(data);
      self.postMessage({ outputs }, Object.values(outputs).map((array) => array.buffer));
    } catch (error) {
      self.postMessage({ error: String(error) });
    }
  };
}

const programText = (programs) =>
  "{" + Object.entries(programs).map(([key, source]) => `${key}:${source}`).join(",\n") + "}";

const slim = ({ outputs, animation }) => ({ outputs, animation });

/** @returns {Promise<Engine>} computes in a worker made from a Blob, so nothing is fetched */
function workerEngine(spec, data) {
  const source = [
    vanishingRuntime, machine, serve,
    `serve((data) => machine(vanishingRuntime, ${JSON.stringify(slim(spec))},`,
    `  ${programText(spec.programs)}, data));`,
  ].join("\n");
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Promise((resolve, reject) => {
    const worker = new Worker(address);
    let settle = { resolve: null, reject };
    worker.onerror = (event) => {
      event.preventDefault();
      settle.reject(new Error(event.message || "the worker was refused"));
    };
    worker.onmessage = ({ data: message }) => {
      if (message.error) settle.reject(new Error(message.error));
      else if (message.outputs) settle.resolve(message.outputs);
      else {
        URL.revokeObjectURL(address);
        resolve({
          ask: (request) => new Promise((resolve, reject) => {
            settle = { resolve, reject };
            worker.postMessage(request);
          }),
          close: () => worker.terminate(),
          where: "worker",
        });
      }
    };
    worker.postMessage(data); // not in its source: an array literal of 64 KB overflows the stack
  });
}

/** @returns {Promise<Engine>} computes in the page itself, through an inline script */
async function pageEngine(spec, data) {
  const script = document.createElement("script");
  script.textContent = `vanishingLive.programs = ${programText(spec.programs)}`;
  document.head.append(script);
  script.remove();
  const { programs } = vanishingLive;
  delete vanishingLive.programs;
  if (!programs) throw new Error("inline scripts are refused");
  const answer = machine(vanishingRuntime, spec, programs, data);
  return { ask: async (request) => answer(request), close() {}, where: "page" };
}

/** Connect to the worker; if it fails, now or later, compute in the page instead. */
async function browserEngine(spec, data) {
  let engine, spare;
  try {
    engine = await workerEngine(spec, data);
  } catch {
    return pageEngine(spec, data);
  }
  return {
    async ask(request) {
      try {
        return await (spare || engine).ask(request);
      } catch (error) {
        if (spare || spec.animation) throw error; // a run cannot move house
        spare = await pageEngine(spec, data);
        return spare.ask(request);
      }
    },
    close: () => engine.close(),
    get where() {
      return (spare || engine).where;
    },
  };
}
