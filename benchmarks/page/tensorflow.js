/**
 * The microscope in TensorFlow.js, on its backend of WebAssembly with SIMD.
 * All layers are one graph of small kernels, read back once.
 *
 * @returns {(sigma: number) => Float32Array[]} the six measures, one number a layer
 */
async function tensorflow({ x, drawn, biases, depth, batch, width }) {
  await tf.setBackend('wasm');
  const square = width * width;
  const layers = Array.from({ length: depth }, (_, l) => l);
  const X = tf.tensor2d(x, [batch, width]);
  const W = layers.map((l) => tf.tensor2d(drawn.slice(l * square, (l + 1) * square), [width, width]));
  const b = layers.map((l) => tf.tensor1d(biases.slice(l * width, (l + 1) * width)));
  const rms = (a) => tf.sqrt(tf.mean(tf.square(a)));
  const share = (a) => tf.mean(tf.cast(a, 'float32'));

  return (sigma) => {
    const read = tf.tidy(() => {
      const scale = tf.scalar(sigma / Math.sqrt(width));
      const weights = [], below = [], slopes = [];
      const found = Array.from({ length: 6 }, () => []);
      let h = X;
      for (const l of layers) {
        weights.push(tf.mul(W[l], scale));
        below.push(h);
        h = tf.tanh(tf.add(tf.matMul(h, weights[l]), b[l]));
        slopes.push(tf.sub(1, tf.square(h)));
        found[0].push(tf.mean(h));
        found[1].push(rms(h));
        found[2].push(share(tf.equal(tf.max(slopes[l], 0), 0)));
        found[3].push(share(tf.less(slopes[l], 0.01)));
      }
      let delta = tf.ones([batch, width]), log = tf.scalar(0);
      for (const l of layers.toReversed()) {
        delta = tf.mul(delta, slopes[l]);
        const size = rms(delta);
        delta = tf.div(delta, size);
        log = tf.add(log, tf.log(size));
        found[4].unshift(log);
        found[5].unshift(tf.add(log, tf.log(rms(tf.matMul(below[l], delta, true)))));
        delta = tf.matMul(delta, weights[l], false, true);
      }
      return tf.stack(found.flat());
    });
    const numbers = read.dataSync();
    read.dispose();
    return Array.from({ length: 6 }, (_, k) => numbers.slice(k * depth, (k + 1) * depth));
  };
}
