/// <reference path="globals.d.ts" />
// Who computes: the figure's programs, in a worker or in the page (machine.py).

/** @typedef {Record<string, ArrayLike<number>>} Outputs  outputs by name */
/** @typedef {(...args: any[]) => any[]} Program  takes scalars and flat arrays, gives flat arrays */
/**
 * @typedef {object} Wish  what an engine answers
 * @property {"compute"|"seek"} op
 * @property {number} [to]  seek: the step to go to
 * @property {boolean} [fresh]  seek: from step 0, whatever has been computed
 * @property {boolean} [on]  seek: goes on with what an answer was on the way of
 * @property {number[]} [args]  control values, as the programs take them
 * @property {string} [begins]  seek: the values that a run begins with; others begin another run
 * @property {State} [state]  control values, as the kernel takes them
 */
/**
 * @typedef {object} Answer
 * @property {Outputs} [outputs]  missing only when the engine gets ready
 * @property {number} [count]  seek: steps done, fewer than `to` while it is on its way
 */
/**
 * @typedef {object} Engine
 * @property {(request: Wish) => Promise<Answer>} ask
 * @property {() => Promise<void>} open  get ready to be asked
 * @property {() => void} close
 * @property {"worker"|"page"|"kernel"|null} where  whose processor it is, once it is known
 */
/** @typedef {{outputs: string[], animation?: any}} Slim  what of the spec the machine needs */

/**
 * The figure's programs, still or animated; runs in the worker and, as a fallback, in the page.
 * It must not refer to anything outside itself, since its source travels into the worker.
 *
 * @param {() => object} runtime
 * @param {Slim} spec
 * @param {Record<string, (runtime: object) => Program>} programs
 * @param {Uint8Array[]} data
 * @returns {(request: Wish) => Answer}
 */
function machine(runtime, spec, programs, data) {
  const PATIENCE = 20; // ms of a run between two answers, so that a newer wish need not wait
  const MEMORY = 2 ** 25; // bytes for states on the way, so that scrubbing back is quick
  const rt = runtime();
  /** @type {Record<string, Program>} */
  const run = Object.fromEntries(Object.entries(programs).map(([k, program]) => [k, program(rt)]));
  const pack = (/** @type {any[]} */ list) =>
    Object.fromEntries(spec.outputs.map((name, i) => [name, list[i].slice()]));
  const { ranks, steps, bytes } = spec.animation || {};
  const apart = Math.max(1, Math.ceil((steps * bytes) / MEMORY)); // steps between two kept states
  const leaves = (/** @type {any[]} */ list) =>
    ranks.map((/** @type {number} */ rank, /** @type {number} */ i) =>
      (rank ? list[i].slice() : list[i][0]));

  let count = 0;
  /** @type {any[]} */
  let state;
  /** @type {any[]|null} what the program makes of this state: the next one, and the outputs */
  let made = null;
  /** @type {Map<number, any[]>} */
  const kept = new Map();
  let begun = "", went = "";
  let unseen = false; // a run of which nothing has been answered
  let pace = 0; // ms that a step has taken

  /** Let the state be the last known one of this run, at or before step `to`. */
  function place(/** @type {Wish} */ { begins = "", args = [], to = 0, fresh }) {
    const inputs = [...args, ...data];
    if (fresh || begins !== begun || !kept.size) {
      kept.clear();
      kept.set(0, leaves(run.init(...inputs)));
      begun = begins;
      unseen = true;
      count = steps + 1; // so that step 0 is taken up below
    } else if (String(args) !== went) {
      for (const n of [...kept.keys()]) if (n > count) kept.delete(n); // another way on from here
    }
    if (String(args) !== went) made = null;
    went = String(args);
    const known = Math.max(...[...kept.keys()].filter((n) => n <= to));
    if (count > to || known > count) {
      count = known;
      state = /** @type {any[]} */ (kept.get(known));
      made = null;
    }
    return inputs;
  }

  return (request) => {
    if (request.op === "compute") {
      return { outputs: pack(run.compute(...(request.args || []), ...data)) };
    }
    const inputs = place(request);
    const { to = 0 } = request;
    const start = Date.now(), from = count;
    // Of a run that will take longer the first step is seen at once.
    const patience = unseen && pace * to > PATIENCE ? 0 : PATIENCE;
    unseen = false;
    for (;;) {
      made ??= run.step(...state, ...inputs);
      if (count >= to || Date.now() - start >= patience) break;
      state = leaves(made);
      made = null;
      count++;
      if (count % apart === 0) kept.set(count, state);
    }
    if (count > from) pace = (Date.now() - start) / (count - from);
    return { count, outputs: pack(made.slice(state.length)) };
  };
}

/**
 * Runs inside the worker: the first message brings the data, each later one is a request. It says
 * that it has heard before it computes, which may take long: silence means that it is dead. Who
 * has answered just now is known to be alive, and a word less is a quicker answer.
 * @param {(data: Uint8Array[]) => (request: Wish) => Answer} build
 * @param {number} recent  ms for which an answer is a sign of life
 */
function serve(build, recent) {
  /** @type {(request: Wish) => Answer} */
  let answer;
  let answered = -Infinity;
  self.onmessage = ({ data }) => {
    const post = (/** @type {object} */ message, /** @type {Transferable[]} */ moved = []) =>
      /** @type {any} */ (self).postMessage(message, moved);
    if (performance.now() - answered > recent) post({ heard: true });
    try {
      if (!answer) {
        answer = build(data);
        return post({ answer: {} });
      }
      const done = answer(data);
      const arrays = /** @type {any[]} */ (Object.values(done.outputs || {}));
      post({ answer: done }, arrays.map((array) => array.buffer));
      answered = performance.now();
    } catch (error) {
      post({ error: String(error) });
    }
  };
}

const programText = (/** @type {Record<string, string>} */ programs) =>
  "{" + Object.entries(programs).map(([key, source]) => `${key}:${source}`).join(",\n") + "}";

const slim = (/** @type {Slim} */ { outputs, animation }) => ({ outputs, animation });

/** How long a worker may be silent, how long it may compute, and counts as alive, in ms. */
const PATIENCE = { hear: 5000, answer: 60000, alive: 1000 };

/**
 * Computes in a worker made from a Blob, so nothing is fetched.
 * @param {Spec} spec @param {Uint8Array[]} data @returns {Promise<Engine>}
 */
async function workerEngine(spec, data) {
  const source = [
    vanishingRuntime, machine, serve,
    `serve((data) => machine(vanishingRuntime, ${JSON.stringify(slim(spec))},`,
    `  ${programText(spec.programs)}, data), ${PATIENCE.alive});`,
  ].join("\n");
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address);
  let answered = -Infinity; // later than the worker did: it says that it hears rather too often
  const send = (/** @type {any} */ message) => new Promise((resolve, reject) => {
    const late = () => reject(new Error("the worker does not answer"));
    const alive = performance.now() - answered < PATIENCE.alive;
    let timer = setTimeout(late, alive ? PATIENCE.answer : PATIENCE.hear);
    worker.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      reject(new Error(event.message || "the worker was refused"));
    };
    worker.onmessage = ({ data: { heard, answer, error } }) => {
      clearTimeout(timer);
      if (heard) timer = setTimeout(late, PATIENCE.answer);
      else if (error) reject(new Error(error));
      else resolve(answer);
      if (answer?.outputs) answered = performance.now();
    };
    worker.postMessage(message);
  });
  try {
    await send(data); // not in its source: an array literal of 64 KB overflows the stack
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    URL.revokeObjectURL(address);
  }
  return { ask: send, open: async () => {}, close: () => worker.terminate(), where: "worker" };
}

/**
 * Computes in the page itself, through an inline script.
 * @param {Spec} spec @param {Uint8Array[]} data @returns {Promise<Engine>}
 */
async function pageEngine(spec, data) {
  const script = document.createElement("script");
  script.textContent = `vanishingLive.programs = ${programText(spec.programs)}`;
  document.head.append(script);
  script.remove();
  const { programs } = vanishingLive;
  delete vanishingLive.programs;
  if (!programs) throw new Error("inline scripts are refused");
  const answer = machine(vanishingRuntime, spec, programs, data);
  const ask = async (/** @type {Wish} */ request) => {
    await frame(); // between two parts of a run the page may breathe
    return answer(request);
  };
  return { ask, open: async () => {}, close() {}, where: "page" };
}

/**
 * Computes in a worker; in another one if it dies, and in the page if that dies too.
 * @param {Spec} spec
 * @param {() => Promise<Uint8Array[]>} load  fetches the shared data; may fail, and is asked again
 * @returns {Engine}
 */
function browserEngine(spec, load) {
  /** @type {Promise<Engine>|null} one for all who open, or nobody could close the others */
  let opening = null;
  /** @type {Engine|null} */
  let engine = null;
  let deaths = 0;
  const start = async () => {
    const data = await load();
    const worker = deaths < 2 ? await workerEngine(spec, data).catch(() => null) : null;
    return (engine = worker ?? (await pageEngine(spec, data)));
  };
  const forget = () => (engine = opening = null);
  const open = () => (opening ??= start().catch((error) => {
    forget(); // so that the next wish tries again
    throw error;
  }));
  return {
    async ask(request) {
      for (;;) {
        const present = await open();
        try {
          const answer = await present.ask(request);
          deaths = 0;
          return answer;
        } catch (error) {
          if (present.where === "page") throw error;
          present.close();
          forget();
          deaths++;
        }
      }
    },
    open: async () => void (await open()),
    close: () => void opening?.then((opened) => opened.close(), () => {}),
    get where() {
      return engine && engine.where;
    },
  };
}
