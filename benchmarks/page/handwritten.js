/**
 * The microscope's arithmetic written by hand, in plain JavaScript: one forward and one backward
 * pass of a tanh network, measured layer by layer, the cotangent rescaled at every layer.
 * What a compiled program is compared with.
 *
 * @param {Float32Array} x inputs, [batch, width]
 * @param {Float32Array} drawn standard normal weights, [depth, width, width]
 * @param {Float32Array} biases [depth, width]
 */
function handwritten(x, drawn, biases, depth, batch, width) {
  'use strict';
  const size = batch * width, square = width * width;
  const weights = new Float32Array(depth * square), below = new Float32Array(depth * size);
  const slopes = new Float32Array(depth * size), h = new Float32Array(size);
  const z = new Float32Array(size), delta = new Float32Array(size), gradient = new Float32Array(square);
  const names = ['mean', 'rms', 'dead', 'saturated', 'logGradient', 'logWeightGradient'];
  const out = Object.fromEntries(names.map((name) => [name, new Float32Array(depth)]));

  // C[i, j] = Σ_k A[i * row + k * col] B[k, j], four terms at a time.
  function product(A, a, row, col, B, b, C, M, K) {
    for (let i = 0; i < M; i++) {
      const c = i * width;
      for (let j = 0; j < width; j++) C[c + j] = 0;
      for (let k = 0; k < K; k += 4) {
        const at = a + i * row + k * col, b0 = b + k * width;
        const p = A[at], q = A[at + col], r = A[at + 2 * col], s = A[at + 3 * col];
        for (let j = 0; j < width; j++) {
          const n = b0 + j;
          C[c + j] += p * B[n] + q * B[n + width] + r * B[n + 2 * width] + s * B[n + 3 * width];
        }
      }
    }
  }
  const turned = new Float32Array(square);
  function logRms(a, rescale) {
    let largest = 0, sum = 0;
    for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]));
    for (let i = 0; i < a.length; i++) { const v = a[i] / largest; sum += v * v; }
    const rms = largest * Math.sqrt(sum / a.length);
    if (rescale) for (let i = 0; i < a.length; i++) a[i] /= rms;
    return Math.log(rms);
  }

  return function (sigma) {
    const scale = sigma / Math.sqrt(width);
    for (let i = 0; i < weights.length; i++) weights[i] = drawn[i] * scale;
    h.set(x);
    for (let l = 0; l < depth; l++) {
      below.set(h, l * size);
      product(h, 0, width, 1, weights, l * square, z, batch, width);
      let sum = 0, saturated = 0, dead = 0;
      for (let i = 0; i < batch; i++) {
        for (let j = 0; j < width; j++) {
          const at = i * width + j, y = Math.tanh(z[at] + biases[l * width + j]);
          const slope = 1 - y * y;
          h[at] = y;
          slopes[l * size + at] = slope;
          sum += y;
          if (slope < 0.01) saturated++;
        }
      }
      for (let j = 0; j < width; j++) {
        let top = 0;
        for (let i = 0; i < batch; i++) top = Math.max(top, slopes[l * size + i * width + j]);
        if (top === 0) dead++;
      }
      out.mean[l] = sum / size;
      out.rms[l] = Math.exp(logRms(h, false));
      out.dead[l] = dead / width;
      out.saturated[l] = saturated / size;
    }
    delta.fill(1);
    let log = 0;
    for (let l = depth - 1; l >= 0; l--) {
      for (let i = 0; i < size; i++) delta[i] *= slopes[l * size + i];
      log += logRms(delta, true);
      out.logGradient[l] = log;
      product(below, l * size, 1, width, delta, 0, gradient, width, batch);
      out.logWeightGradient[l] = log + logRms(gradient, false);
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < width; j++) turned[j * width + i] = weights[l * square + i * width + j];
      }
      product(delta, 0, width, 1, turned, 0, z, batch, width);
      delta.set(z);
    }
    return names.map((name) => out[name]);
  };
}
