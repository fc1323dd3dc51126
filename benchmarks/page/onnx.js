/**
 * The microscope in ONNX Runtime Web, on one thread of WebAssembly with SIMD: `model.onnx`
 * (onnx_model.py) holds layers and weights, so that the runtime may prepare as much as it can.
 *
 * @returns {(sigma: number) => Promise<Float32Array[]>} the six measures, one number a layer
 */
async function onnx({ depth }) {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create('model.onnx', {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  return async (sigma) => {
    const sigma_w = new ort.Tensor('float32', Float32Array.of(sigma), []);
    const numbers = (await session.run({ sigma_w })).measures.data;
    return Array.from({ length: 6 }, (_, k) => numbers.slice(k * depth, (k + 1) * depth));
  };
}
