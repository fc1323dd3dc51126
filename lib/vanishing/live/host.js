// The host: makes every `figure.live` on a page work, and draws the same figure in Jupyter.
// Python decides what is drawn; this file asks a program for numbers and moves SVG elements.

var vanishingLive = (function () {
  "use strict";

  /** @typedef {number[]} Axis  [offset, slope, log, clip]: position = offset + slope * t(value) */
  /** @typedef {Record<string, number|string|boolean>} State  control values by name */
  /** @typedef {Record<string, ArrayLike<number>>} Outputs  outputs by name */
  /** @typedef {{op: string, args: number[], steps?: number}} Request  what an engine answers */
  /** @typedef {{ask: (request: Request) => Promise<Outputs>, close: () => void}} Engine */

  const FAR = 1e5; // points; beyond it the clip path hides everything, and floats stay exact

  // --- numbers as Python writes them ------------------------------------------------------------

  /** Round half to even where the tie is exact, as Python does; JavaScript rounds it away. */
  function exact(x, digits, method) {
    const short = x[method](digits);
    const long = x[method](Math.min(100, digits + 30)).split("e")[0];
    const cut = long.length - 30;
    if (!/^50*$/.test(long.slice(cut)) || digits > 70) return short;
    const down = long.slice(0, cut).replace(/\.$/, "");
    const even = Number(down.slice(-1)) % 2 === 0;
    return even ? down + short.slice(short.search(/e|$/)) : short;
  }

  function scientific(x, digits) {
    return exact(x, digits, "toExponential").replace(/e([+-])(\d)$/, "e$10$2");
  }

  /** Format `x` like Python's format(x, f"{sign}.{digits}{type}"). */
  function format(x, { sign, digits, type }) {
    if (Number.isNaN(x)) return "not a number";
    if (!Number.isFinite(x)) return x < 0 ? "−infinity" : "infinity";
    const plus = sign && x >= 0 ? "+" : "";
    if (type === "%") return plus + exact(x * 100, digits, "toFixed") + "%";
    if (type === "e") return plus + scientific(x, digits);
    if (type !== "g") return plus + exact(x, digits, "toFixed");
    const precision = Math.max(digits, 1);
    const power = x && Number(exact(x, precision - 1, "toExponential").split("e")[1]);
    if (power >= -4 && power < precision) {
      return plus + exact(x, precision - 1 - power, "toFixed").replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
    }
    return plus + scientific(x, precision - 1).replace(/\.?0*e/, "e");
  }

  // --- drawing ----------------------------------------------------------------------------------

  /** @param {Axis} axis @returns {number} position in points, NaN where there is nothing to draw */
  function place(axis, value) {
    const [offset, slope, log, clip] = axis;
    let t = value ?? NaN;
    if (log) t = t > 0 ? Math.log10(t) : clip && t <= 0 ? -1000 : NaN;
    if (!Number.isFinite(t)) return NaN;
    return Math.round(Math.max(-FAR, Math.min(FAR, offset + slope * t)) * 1000) / 1000;
  }

  const drawable = (point) => !Number.isNaN(point[0] + point[1]);
  const join = (points) => points.map((p) => p.join(" ")).join("L");

  /** Split a list where `keep` fails, as matplotlib leaves a gap at numbers that are not finite. */
  function runs(items, keep) {
    const result = [[]];
    for (const item of items) keep(item) ? result[result.length - 1].push(item) : result.push([]);
    return result.filter((run) => run.length);
  }

  const polyline = (points) => runs(points, drawable).map((run) => "M" + join(run)).join("");

  /** The element whose style matplotlib gave to the artist. */
  const template = (group) => group.querySelector(":scope > path, g > path, use");

  /** Keep `count` copies of `node` in its parent. */
  function copies(node, count) {
    const all = [node];
    while (all.length < count) all.push(node.parentNode.appendChild(node.cloneNode()));
    return all;
  }

  /** Read one role of an artist: its output, or the coordinates that stay. */
  const values = (artist, outputs, role) =>
    outputs[artist.shows[role]] || (artist.fixed && artist.fixed[role]);

  /** Colours of `numbers` through matplotlib's norm and table, as RGBA bytes. */
  function colours({ norm, table }, numbers) {
    const bytes = atob(table);
    const count = bytes.length / 4 - 2;
    const rgba = new Uint8ClampedArray(4 * numbers.length);
    for (let i = 0; i < numbers.length; i++) {
      const v = norm[2] ? Math.log10(numbers[i]) : numbers[i];
      const t = norm[0] + norm[1] * v;
      if (Number.isNaN(t)) continue; // transparent
      const k = t < 0 ? 0 : t > 1 ? count + 1 : 1 + Math.min(count - 1, Math.floor(t * count));
      for (let c = 0; c < 4; c++) rgba[4 * i + c] = bytes.charCodeAt(4 * k + c);
    }
    return rgba;
  }

  /**
   * One preparation for each kind of artist: given the artist's instruction and its elements, it
   * returns the function that draws outputs.
   */
  const artists = {
    line(artist, [group]) {
      const { x, y } = artist.axes;
      const path = group.querySelector(":scope > path");
      const mark = group.querySelector("use");
      let marks = mark ? [...group.querySelectorAll("use")] : [];
      return (outputs) => {
        const xs = values(artist, outputs, "x");
        const points = Array.from(values(artist, outputs, "y"), (v, i) => [place(x, xs[i]), place(y, v)]);
        if (path) path.setAttribute("d", polyline(points));
        if (mark && marks.length < points.length) marks = copies(mark, points.length);
        marks.forEach((node, i) => {
          const shown = i < points.length && drawable(points[i]);
          node.style.display = shown ? "" : "none";
          if (shown) ["x", "y"].forEach((name, k) => node.setAttribute(name, points[i][k]));
        });
      };
    },

    rule(artist, [group]) {
      const [[role, output]] = Object.entries(artist.shows);
      const [from, to] = artist.ends;
      return (outputs) => {
        const at = place(artist.axes[role], outputs[output][0]);
        const ends = role === "x" ? [[at, from], [at, to]] : [[from, at], [to, at]];
        template(group).setAttribute("d", polyline(ends));
      };
    },

    bars(artist, groups) {
      const { x, y } = artist.axes;
      const point = (u, v) => (artist.flat ? [place(x, v), place(y, u)] : [place(x, u), place(y, v)]);
      return (outputs) =>
        artist.stand.forEach(([low, high, base], i) => {
          const top = base + outputs[artist.shows.length][i];
          const box = [point(low, base), point(high, base), point(high, top), point(low, top)];
          template(groups[i]).setAttribute("d", box.every(drawable) ? `M${join(box)}z` : "");
        });
    },

    steps(artist, [group]) {
      const { x, y } = artist.axes;
      const { edges, base, flat } = artist;
      const point = (u, v) => (flat ? [place(x, v), place(y, u)] : [place(x, u), place(y, v)]);
      const both = (list, i) => [point(edges[i], list[i]), point(edges[i + 1], list[i])];
      return (outputs) => {
        const heights = outputs[artist.shows.values];
        const finite = runs(Array.from(heights.keys()), (i) => both(heights, i).every(drawable));
        const outline = (run) => {
          const [first, last] = [run[0], run[run.length - 1]];
          const top = run.flatMap((i) => both(heights, i));
          if (!base) return top;
          if (base.length > 1) return [...top, ...run.flatMap((i) => both(base, i)).reverse(), top[0]];
          return [point(edges[first], base[0]), ...top, point(edges[last + 1], base[0])];
        };
        template(group).setAttribute("d", finite.map((run) => "M" + join(outline(run))).join(""));
      };
    },

    band(artist, [group]) {
      const { x, y } = artist.axes;
      const path = plain(group);
      return (outputs) => {
        const [lower, upper] = ["lower", "upper"].map((role) => outputs[artist.shows[role]]);
        const pairs = artist.x.map((at, i) => [
          [place(x, at), place(y, lower[i])],
          [place(x, at), place(y, upper[i])],
        ]);
        const finite = runs(pairs, (pair) => pair.every(drawable));
        const outline = (run) => join([...run.map((p) => p[0]), ...run.map((p) => p[1]).reverse()]);
        path.setAttribute("d", finite.map((run) => `M${outline(run)}z`).join(""));
      };
    },

    image(artist, [element]) {
      const [height, width] = artist.size;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      return (outputs) => {
        const rgba = colours(artist.colours, outputs[artist.shows.z]);
        context.putImageData(new ImageData(rgba, width, height), 0, 0);
        element.setAttribute("href", canvas.toDataURL());
      };
    },

    scatter(artist, [group]) {
      const { x, y } = artist.axes;
      const first = plain(group);
      first.setAttribute("d", artist.marker);
      let marks = [first];
      return (outputs) => {
        const flat = values(artist, outputs, "offsets");
        const [xs, ys, hue, size] = ["x", "y", "colour", "size"].map((r) => values(artist, outputs, r));
        const paint = hue && colours(artist.colours, hue);
        const count = flat ? flat.length / 2 : xs.length;
        if (marks.length < count) marks = copies(first, count);
        marks.forEach((node, i) => {
          const at = [place(x, flat ? flat[2 * i] : xs[i]), place(y, flat ? flat[2 * i + 1] : ys[i])];
          const scale = Math.sqrt(size ? size[i] : artist.sizes[i % artist.sizes.length]);
          node.style.display = drawable(at) && scale > 0 ? "" : "none";
          if (drawable(at)) node.setAttribute("transform", `translate(${at}) scale(${scale})`);
          if (paint) node.style.fill = node.style.stroke = `rgba(${paint.slice(4 * i, 4 * i + 3)},${paint[4 * i + 3] / 255})`;
        });
      };
    },

    text(artist, [group]) {
      return (outputs) => {
        group.querySelector("text").textContent = sentence(artist.parts, outputs, {}, null);
      };
    },
  };

  /** Replace what matplotlib drew in `group` by one path of the same style and clip. */
  function plain(group) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("style", template(group).getAttribute("style") || "");
    path.setAttribute("vector-effect", "non-scaling-stroke");
    const clip = group.querySelector("[clip-path]");
    const parent = document.createElementNS("http://www.w3.org/2000/svg", "g");
    if (clip) parent.setAttribute("clip-path", clip.getAttribute("clip-path"));
    group.replaceChildren(parent);
    return parent.appendChild(path);
  }

  // --- words ------------------------------------------------------------------------------------

  /** Fill a template; `before` are the outputs that the verbs compare with. */
  function sentence(parts, outputs, words, before) {
    return parts.map((part) => {
      if (typeof part === "string") return part;
      if (!part.type) return words[part.name];
      const now = outputs[part.name][part.index];
      const said = format(now, part);
      if (!part.verb) return said;
      if (!before || !before[part.name]) return "is " + said;
      const then = before[part.name][part.index];
      if (format(then, part) === said) return "stays at " + said;
      return (now > then ? "rises to " : now < then ? "falls to " : "is ") + said;
    }).join("");
  }

  /**
   * Say which bound outputs hold numbers that cannot be drawn. NaN after the last number is padding
   * (layers or steps that are not there), not a fault.
   */
  function gaps(spec, outputs) {
    const shown = new Set(spec.artists.flatMap((artist) => Object.values(artist.shows || {})));
    return [...shown].map((name) => {
      const list = Array.from(outputs[name]);
      let end = list.length;
      while (end > 1 && Number.isNaN(list[end - 1])) end--;
      const lost = list.slice(0, end).filter((v) => !Number.isFinite(v)).length;
      const words = name.replace(/_/g, " ");
      if (!lost) return "";
      if (lost === end) return ` No finite value of ${words} to draw.`;
      return ` ${lost} of ${end} values of ${words} are not finite; they are left out.`;
    }).join("");
  }

  // --- engines: who computes --------------------------------------------------------------------

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

  /** Runs inside the worker: answers each message with the outputs. */
  function serve(answer) {
    self.onmessage = ({ data }) => {
      try {
        const outputs = answer(data);
        self.postMessage({ outputs }, Object.values(outputs).map((array) => array.buffer));
      } catch (error) {
        self.postMessage({ error: String(error) });
      }
    };
    self.postMessage({ ready: true });
  }

  const programText = (programs) =>
    "{" + Object.entries(programs).map(([key, source]) => `${key}:${source}`).join(",\n") + "}";

  const slim = ({ outputs, animation }) => ({ outputs, animation });

  /** @returns {Promise<Engine>} computes in a worker made from a Blob, so nothing is fetched */
  function workerEngine(spec, data) {
    const source = [
      vanishingRuntime, machine, serve,
      `serve(machine(vanishingRuntime, ${JSON.stringify(slim(spec))}, ${programText(spec.programs)},`,
      `  [${data.map((bytes) => `Uint8Array.of(${bytes})`)}]));`,
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
          });
        }
      };
    });
  }

  /** @returns {Promise<Engine>} computes in the page itself, through an inline script */
  async function pageEngine(spec, data) {
    const script = document.createElement("script");
    script.textContent = `vanishingLive.programs = ${programText(spec.programs)}`;
    document.head.append(script);
    script.remove();
    const programs = api.programs;
    delete api.programs;
    if (!programs) throw new Error("inline scripts are refused");
    const answer = machine(vanishingRuntime, spec, programs, data);
    return { ask: async (request) => answer(request), close() {} };
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
    };
  }

  // --- controls ---------------------------------------------------------------------------------

  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

  /** Bring any value (from a link, a script, an input) into the control's range. */
  function clean(control, value) {
    const { kind, minimum, maximum, step, decimals, options } = control;
    if (kind === "choice") return options.includes(String(value)) ? String(value) : control.value;
    if (kind === "toggle") return value === true || value === 1 || /^(true|on|1)$/.test(value);
    const number = value === "" ? NaN : Number(value);
    if (Number.isNaN(number)) return control.value;
    if (kind === "seed") return clamp(Math.floor(number), 0, 2 ** 31 - 1);
    if (control.log) return clamp(number, minimum, maximum);
    const snapped = minimum + Math.round((clamp(number, minimum, maximum) - minimum) / step) * step;
    return Number(clamp(snapped, minimum, maximum).toFixed(decimals));
  }

  /** The value of a control as a program takes it. */
  function argument(control, value) {
    return control.kind === "choice" ? control.options.indexOf(value) : Number(value);
  }

  function spoken(control, value) {
    if (control.kind === "toggle") return value ? "on" : "off";
    if (control.kind !== "slider") return String(value);
    return control.log
      ? format(value, { sign: "", digits: 3, type: "g" })
      : value.toFixed(control.decimals);
  }

  function readInput(control, input) {
    if (control.kind === "toggle") return input.checked;
    if (control.log) return Number((10 ** Number(input.value)).toPrecision(3));
    return input.value;
  }

  function showInput(control, input, value) {
    if (control.kind === "toggle") input.checked = value;
    else input.value = control.log ? Math.log10(value) : value;
    if (control.kind !== "slider") return;
    input.setAttribute("aria-valuetext", spoken(control, value));
    input.nextElementSibling.textContent = spoken(control, value);
  }

  // --- one figure -------------------------------------------------------------------------------

  const frame = () =>
    new Promise((done) => (document.hidden ? setTimeout(done) : requestAnimationFrame(done)));

  /**
   * Make one figure work.
   * @param {HTMLElement} figure  the `figure.live`
   * @param {object} spec  what Python decided
   * @param {() => Promise<Engine>} connect  who computes
   * @param {(state: State) => void} changed  told of every change of the controls
   */
  function attach(figure, spec, connect, changed) {
    const find = (selector) => figure.querySelector(selector);
    const form = find("form");
    const input = (name) => form.elements.namedItem(name);
    const svg = find("svg");
    const draw = spec.artists.map((artist) =>
      artists[artist.kind](artist, artist.ids.map((id) => svg.querySelector(`[id$=".${id}"]`))));
    const defaults = Object.fromEntries(spec.controls.map((c) => [c.name, c.value]));
    const animation = spec.animation;
    const cleanups = [];
    let state = { ...defaults };
    let moved = new Set();
    let [outputs, said] = [{}, null];
    let [wanted, running, engine, closed] = [null, null, null, false];
    let [step, playing, started] = [animation ? animation.preview : 0, false, false];

    const listen = (target, type, handler) => {
      target.addEventListener(type, handler);
      cleanups.push(() => target.removeEventListener(type, handler));
    };

    const words = () => Object.fromEntries(spec.controls.map((c) => [c.name, spoken(c, state[c.name])]));

    let timer;
    /** Tell in words what changed, once it has come to rest: a screen reader reads every change. */
    function say() {
      clearTimeout(timer);
      if (!moved.size && !animation) return; // the first picture, which Python described
      timer = setTimeout(() => {
        const changes = spec.controls.filter((c) => moved.has(c.name))
          .map((c) => `${c.label.replace(/_/g, "")} ${spoken(c, state[c.name])}`).join(", ");
        const at = animation ? `step ${step}` : "";
        const result = sentence(spec.say, outputs, words(), said);
        const lead = [changes, at].filter(Boolean).join(", ");
        const text = (lead ? `${lead}: ${result}` : result) + "." + gaps(spec, outputs);
        find(".live-says").textContent = text.replace(/^[a-z](?=[a-z ])/, (c) => c.toUpperCase());
        said = outputs;
        moved = new Set();
      }, playing ? 1000 : 200);
    }

    function fail() {
      closed = true;
      find("fieldset").disabled = true;
      figure.dataset.state = "failed";
      find(".live-says").textContent =
        "This figure cannot be recomputed here, so the picture shows its last state.";
    }

    function progress() {
      find("progress").value = step;
      find("[data-steps]").textContent = `${step} of ${animation.steps}`;
      find('[data-do="run"]').textContent = playing ? "Pause" : "Run";
    }

    /** How many steps the next picture is away; long strides where motion is not wanted. */
    function stride() {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const speed = Number(find("[data-speed]").value);
      const steps = calm ? Math.ceil(animation.steps / 5) : animation.stride * speed;
      return Math.min(steps, animation.steps - step);
    }

    /** Answer what is wanted until nothing is; newer wishes replace older ones, nothing queues. */
    async function work() {
      await null; // let all changes of this moment come in first
      try {
        engine ??= await connect();
        while (wanted && !closed) {
          const request = wanted;
          wanted = null;
          const args = spec.controls.map((c) => argument(c, state[c.name]));
          const answer = await engine.ask({ ...request, args, state: { ...state } });
          if (closed) break;
          if (animation) step = request.op === "restart" ? 0 : step + request.steps;
          outputs = live.outputs = answer;
          if (playing) await frame();
          draw.forEach((paint) => paint(outputs));
          if (!moved.size) said ??= outputs;
          if (animation) advance();
          say();
        }
      } catch (error) {
        fail();
      }
      running = null;
    }

    /** After a picture: go on if the run is on. */
    function advance() {
      if (step >= animation.steps) playing = false;
      progress();
      if (playing && !wanted) wanted = { op: "advance", steps: stride() };
    }

    /** @returns {Promise<void>} resolved once it, or something newer, is drawn */
    function want(op, steps) {
      if (closed) return Promise.resolve();
      if (!(wanted && wanted.op === "restart" && steps === 0)) wanted = { op, steps };
      running ??= work();
      return running;
    }

    function refresh(restart) {
      if (!animation) return want("compute");
      if (restart || !started) {
        started = true;
        return want("restart");
      }
      return want("advance", 0);
    }

    /** @param {State} values @returns {Promise<void>} */
    function set(values, quiet) {
      let restart = false;
      for (const control of spec.controls) {
        if (!(control.name in values)) continue;
        const value = clean(control, values[control.name]);
        if (value !== state[control.name]) {
          moved.add(control.name);
          restart ||= control.restart;
        }
        state[control.name] = value;
        showInput(control, input(control.name), value);
      }
      if (!quiet) changed({ ...state });
      return refresh(restart);
    }

    async function run() {
      if (step >= animation.steps || !started) await refresh(true);
      playing = true;
      progress();
      return want("advance", stride());
    }

    function pause() {
      playing = false;
      if (wanted && wanted.op === "advance") wanted = null;
      progress();
    }

    async function single() {
      pause();
      if (!started) await refresh(true);
      if (step < animation.steps) return want("advance", 1);
    }

    function reset() {
      if (animation) {
        playing = false;
        started = false;
      }
      return set(defaults);
    }

    function destroy() {
      closed = true;
      clearTimeout(timer);
      cleanups.forEach((cleanup) => cleanup());
      if (engine) engine.close();
      delete figure.live;
    }

    const actions = { reset, step: single, run: () => (playing ? pause() : run()) };
    for (const control of spec.controls) {
      const node = input(control.name);
      listen(node, control.kind === "seed" ? "change" : "input", () =>
        set({ [control.name]: readInput(control, node) }));
    }
    listen(form, "submit", (event) => event.preventDefault());
    listen(form, "click", ({ target }) => {
      const { do: action, next } = target.dataset;
      if (action) actions[action]();
      if (next) set({ [next]: state[next] + 1 });
    });

    const live = { outputs, set, reset, destroy, defaults };
    Object.defineProperty(live, "state", { get: () => ({ ...state }) });
    if (animation) {
      Object.assign(live, { run, pause, step: single });
      Object.defineProperty(live, "count", { get: () => step });
    }
    live.warm = () => (animation ? null : refresh());
    figure.live = live;
    for (const control of spec.controls) showInput(control, input(control.name), control.value);
    find("fieldset").disabled = false;
    form.style.visibility = "";
    figure.dataset.state = "ready";
    return live;
  }

  // --- the page ---------------------------------------------------------------------------------

  const home = typeof document === "object" && document.currentScript && document.currentScript.src;

  /** Shared data: in the page itself, or in one script beside this one that all pages share. */
  async function loadData(figure, spec) {
    const shared = (window.vanishingData ??= {});
    for (const name of spec.data) {
      const inline = figure.querySelector(`.live-data[data-name="${name}"]`);
      if (inline) shared[name] = inline.textContent;
      if (!shared[name]) {
        await new Promise((resolve, reject) => {
          const script = document.createElement("script");
          Object.assign(script, { src: home.replace(/[^/]*$/, `vanishing-data-${name}.js`), onload: resolve, onerror: reject });
          document.head.append(script);
        });
      }
    }
    return spec.data.map((name) => Uint8Array.from(atob(shared[name]), (c) => c.charCodeAt(0)));
  }

  /** `#fig-name?a=1&b=x` for a state: only what differs from the defaults is named. */
  function fragment(figure, state) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(state)) {
      if (value !== figure.live.defaults[name]) query.set(name, String(value));
    }
    return `#${figure.id}${String(query) && "?"}${query}`;
  }

  /** The live figure that a fragment names, with the state it asks for. */
  function parse(hash) {
    const [, id, query] = /^#(fig-[^?]+)\??(.*)$/.exec(hash) || [];
    const figure = id && document.getElementById(id);
    if (!figure || !figure.live) return null;
    return { figure, state: { ...figure.live.defaults, ...Object.fromEntries(new URLSearchParams(query)) } };
  }

  const reveal = (figure) => figure.scrollIntoView({ block: "nearest" });

  /** Give a figure that the page shows twice, byte for byte, ids of its own. */
  function rename(figure) {
    const old = figure.id;
    for (let n = 2; document.getElementById(figure.id) !== figure; n++) figure.id = `${old}-${n}`;
    if (figure.id === old) return;
    for (const node of figure.querySelectorAll("[id],[for]")) {
      for (const name of ["id", "for"]) {
        const value = node.getAttribute(name);
        if (value) node.setAttribute(name, value.replace(old, figure.id));
      }
    }
  }

  /** Hydrate every figure of the page. @returns {() => void} cleanup */
  function hydrate(root) {
    let timer;
    const remember = (figure) => (state) => {
      clearTimeout(timer);
      const hash = fragment(figure, state);
      figure.querySelector(".live-link").setAttribute("href", hash);
      timer = setTimeout(() => history.replaceState(history.state, "", hash), 250);
    };
    const lives = [];
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        if (!Object.keys(target.live.outputs).length) target.live.warm();
      }
    }, { rootMargin: "300px" });
    for (const figure of root.querySelectorAll("figure.live")) {
      const block = figure.querySelector(".live-spec");
      if (!block || figure.live) continue;
      rename(figure);
      const spec = JSON.parse(block.textContent);
      const connect = async () => browserEngine(spec, await loadData(figure, spec));
      lives.push(attach(figure, spec, connect, remember(figure)));
      watch.observe(figure);
    }
    const follow = (event) => {
      clearTimeout(timer);
      const target = parse(location.hash);
      const left = event && parse(new URL(event.oldURL).hash);
      if (!target && left) left.figure.live.set(left.figure.live.defaults, true);
      if (!target) return;
      target.figure.live.set(target.state, true);
      target.figure.querySelector(".live-link").setAttribute("href", location.hash);
      reveal(target.figure);
    };
    const again = ({ target }) => {
      const link = target.closest && target.closest('a[href^="#fig-"]');
      const same = link && link.getAttribute("href") === location.hash && parse(location.hash);
      if (same) reveal(same.figure);
    };
    follow();
    addEventListener("hashchange", follow);
    document.addEventListener("click", again);
    return () => {
      removeEventListener("hashchange", follow);
      document.removeEventListener("click", again);
      watch.disconnect();
      lives.forEach((live) => live.destroy());
    };
  }

  // --- Jupyter ----------------------------------------------------------------------------------

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
    if (!Object.keys(live.outputs).length) live.warm();
    return () => {
      model.off("change", follow);
      live.destroy();
    };
  }

  const api = { hydrate, render, format };
  return api;
})();
