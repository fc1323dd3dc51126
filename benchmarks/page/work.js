/**
 * The race in a page: every contestant once a round, in turns, so that whatever else the machine
 * does hits all alike. `RUNTIME` and `PROGRAM` are the compiled microscope (page_race.py).
 */
const SHOWN = 6; // its measures; what it was made of follows

/** Those of `names`: name → contestant, which makes of sigma the six measures. */
async function contestants(names, { depth, width, batch }) {
  const [x, drawn, biases] = PROGRAM(RUNTIME({}))(0, 1).slice(SHOWN).map((a) => a.slice());
  const problem = { x, drawn, biases, depth, batch, width };
  const compiled = (options) => {
    const program = PROGRAM(RUNTIME(options));
    return (sigma) => program(0, sigma).slice(0, SHOWN);
  };
  const make = {
    'compiled, WebAssembly': () => compiled({}),
    'compiled, JavaScript': () => compiled({ wasm: false }),
    'hand-written JavaScript': () => handwritten(x, drawn, biases, depth, batch, width),
    'TensorFlow.js': () => tensorflow(problem),
    'ONNX Runtime Web': () => onnx(problem),
  };
  const all = {};
  for (const name of names) all[name] = await make[name]();
  return all;
}

/** Times in ms, round by round; and what each found, to be compared. */
async function race({ names, size, rounds, warm }) {
  const all = await contestants(names, size);
  const found = {}, times = {};
  for (const name of names) {
    found[name] = (await all[name](1.5)).map((a) => [...a]);
    times[name] = [];
  }
  for (let round = -warm; round < rounds; round++) {
    for (const name of names) {
      const before = performance.now();
      await all[name](1 + Math.abs(round) / rounds);
      if (round >= 0) times[name].push(performance.now() - before);
    }
    await new Promise((done) => setTimeout(done)); // let the page breathe
  }
  return { times, found };
}
