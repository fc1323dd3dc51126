/**
 * What compiled programs call: special functions as XLA computes them on a CPU, JAX's random
 * bits, sorting, and memory with a matrix product. One self-contained function, so that its
 * text can be put into a worker.
 *
 * XLA's own last bits depend on the processor. Where a function reaches 0 or 1 for good, which
 * decides what counts as dead, the page follows the XLA of processors with AVX2 and fused
 * multiply-add; elsewhere it rounds a double once, which is within XLA's own error.
 *
 * @param {{wasm?: boolean}} [options] wasm: false keeps to plain JavaScript.
 * @returns {object} the runtime, to be passed to a program
 */
function vanishingRuntime(options) {
  'use strict';
  const f = Math.fround;
  const floats = new Float32Array(1);
  const ints = new Int32Array(floats.buffer);
  const TINY = 2 ** -126; // XLA flushes smaller numbers to zero

  const floatToBits = (x) => { floats[0] = x; return ints[0]; };
  const bitsToFloat = (n) => { ints[0] = n; return floats[0]; };

  // Below log(2 ** -126) the result is subnormal.
  const exp = (x) => (x < -87.33654 ? 0 : Math.exp(x));

  // 1 / (1 + exp(-x)) in float32, so that it reaches exactly 0 and 1 where XLA does.
  const logistic = (x) => {
    const y = f(1 / f(1 + f(Math.exp(-x))));
    return y < TINY ? 0 : y;
  };

  // x P(x²) / Q(x²), a weighted least-squares fit to relative error 7e-9 on |x| < 8.
  // XLA's own fit is exactly ±1 from the threshold on; dead units are counted by that.
  const tanh = (x) => {
    if (x >= 7.9988117) return 1;
    if (x <= -7.9988117) return -1;
    const a = x * x;
    return x * (0.999999994 + a * (0.134445435 + a * (3.57165204e-3 + a * (2.18955528e-5 +
      a * 1.52316644e-8)))) / (1 + a * (0.467778708 + a * (2.61646485e-2 + a * (3.41138038e-4 +
      a * 8.52295376e-7))));
  };

  // erfc(x) exp(x²) (1 + 2x) as a polynomial in (x - 5/2) / (x + 5/2); relative error 6e-9.
  const erfcPositive = (x) => {
    if (x > 11) return 0;
    const t = (x - 2.5) / (x + 2.5);
    return Math.exp(-x * x) / (1 + 2 * x) * (1.26483818 + t * (-0.122356691 + t * (-0.0990241609 +
      t * (0.157627706 + t * (-0.102974116 + t * (0.0327778944 + t * (9.8204027e-4 +
      t * (-4.42027565e-3 + t * (3.39513808e-4 + t * (6.12026153e-4 +
      t * 7.91971819e-5))))))))));
  };
  const erfc = (x) => {
    const y = erfcPositive(Math.abs(x));
    return x < 0 ? 2 - y : y < TINY ? 0 : y;
  };

  // Near 0 a polynomial in x² keeps the relative error at 1e-9.
  const erf = (x) => {
    const a = x * x;
    if (a < 1) {
      return x * (1.12837917 + a * (-0.376126256 + a * (0.112835822 + a * (-0.0268536911 +
        a * (5.18809889e-3 + a * (-8.00818932e-4 + a * 7.84725912e-5))))));
    }
    const y = 1 - erfcPositive(Math.abs(x));
    return x < 0 ? -y : x !== x ? x : y;
  };

  // Giles, "Approximating the erfinv function", GPU Computing Gems 2 (2010), single precision.
  const erfInv = (x) => {
    let w = -Math.log1p(-x * x);
    if (w < 5) {
      w -= 2.5;
      return x * (1.50140941 + w * (0.246640727 + w * (-0.00417768164 + w * (-0.00125372503 +
        w * (0.00021858087 + w * (-4.39150654e-6 + w * (-3.5233877e-6 + w * (3.43273939e-7 +
        w * 2.81022636e-8))))))));
    }
    if (w === Infinity) return x * Infinity;
    w = Math.sqrt(w) - 3;
    return x * (2.83297682 + w * (1.00167406 + w * (0.00943887047 + w * (-0.0076224613 +
      w * (0.00573950773 + w * (-0.00367342844 + w * (0.00134934322 + w * (0.000100950558 -
      w * 0.000200214257))))))));
  };

  // JavaScript says 1 ** NaN is NaN, C and XLA say 1.
  const pow = (x, y) => (x === 1 || (x === -1 && !Number.isFinite(y) && y === y) ? 1 : x ** y);
  const logAddExp = (x, y) => {
    const top = Math.max(x, y);
    return top === -Infinity || top === Infinity ? top
      : top + Math.log1p(Math.exp(Math.min(x, y) - top));
  };

  /** Floats in order, -0 before 0, NaN at the ends, as whole numbers. */
  const totalOrder = (x) => { const n = floatToBits(x); return n < 0 ? n ^ 0x7fffffff : n; };
  const nextafter = (x, y) => {
    if (x !== x || y !== y) return NaN;
    if (x === y) return y;
    if (x === 0) return bitsToFloat(y > 0 ? 1 : -0x7fffffff);
    return bitsToFloat(floatToBits(x) + (x < y === x > 0 ? 1 : -1));
  };

  const roundEven = (x) => {
    const r = Math.round(x);
    return Math.abs(x % 1) === 0.5 && r % 2 ? r - 1 : r;
  };
  const roundAway = (x) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

  // XLA's conversions saturate, where C's are undefined, and NaN becomes 0.
  const saturate = (low, high) => (x) => (x !== x ? 0 : Math.trunc(Math.min(high, Math.max(low, x))));
  const toInt = saturate(-(2 ** 31), 2 ** 31 - 1);
  const toUint = saturate(0, 2 ** 32 - 1);
  const toByte = saturate(0, 255);

  // Division by zero is defined in XLA: all bits set, and the dividend as the remainder.
  const intDiv = (a, b) => (b === 0 ? -1 : Math.trunc(a / b));
  const intRem = (a, b) => (b === 0 ? a : a % b);
  const intPow = (x, n) => {
    let result = 1;
    for (; n > 0; n >>= 1) {
      if (n & 1) result = Math.imul(result, x);
      x = Math.imul(x, x);
    }
    return result;
  };
  // JavaScript takes the amount of a shift modulo 32; in XLA all bits leave.
  const shiftLeft = (x, n) => (n >>> 0 > 31 ? 0 : x << n);
  const shiftRight = (x, n) => (n >>> 0 > 31 ? 0 : x >>> n);
  const popcount = (n) => {
    let count = 0;
    for (; n; n &= n - 1) count++;
    return count;
  };

  /**
   * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
   * 2011), element by element; an operand may be one number.
   */
  const threefry = (key0, key1, counter0, counter1, out0, out1) => {
    const read = (a) => (typeof a === 'number' ? new Uint32Array(out0.length).fill(a) : a);
    const k0 = read(key0), k1 = read(key1), c0 = read(counter0), c1 = read(counter1);
    const even = [13, 15, 26, 6], odd = [17, 29, 16, 24];
    for (let i = 0; i < out0.length; i++) {
      const keys = [k0[i] | 0, k1[i] | 0, k0[i] ^ k1[i] ^ 0x1bd11bda];
      let x = (c0[i] + keys[0]) | 0, y = (c1[i] + keys[1]) | 0;
      for (let round = 0; round < 5; round++) {
        const turns = round & 1 ? odd : even;
        for (let t = 0; t < 4; t++) {
          x = (x + y) | 0;
          y = ((y << turns[t]) | (y >>> (32 - turns[t]))) ^ x;
        }
        x = (x + keys[(round + 1) % 3]) | 0;
        y = (y + keys[(round + 2) % 3] + round + 1) | 0;
      }
      out0[i] = x;
      out1[i] = y;
    }
  };

  /**
   * Sort a lane of several arrays by the first few, stably; NaN last, and -0 and 0 equal.
   * With a sign of -1, as XLA's top_k does: the largest first, and 0 before -0.
   */
  const sort = (arrays, keys, start, length, stride, sign = 1) => {
    const order = new Uint32Array(length).map((_, k) => k);
    const copies = arrays.map((a) => a.slice(start, start + (length - 1) * stride + 1));
    const ties = (x, y) => (sign < 0 && x === 0 ? +Object.is(y, -0) - +Object.is(x, -0) : 0);
    const compare = (x, y) => (
      x < y ? -1 : x > y ? 1 : x === y ? ties(x, y) : +(x !== x) - +(y !== y)
    );
    order.sort((p, q) => {
      for (let k = 0; k < keys; k++) {
        const way = compare(copies[k][p * stride], copies[k][q * stride]);
        if (way) return way * sign;
      }
      return p - q;
    });
    arrays.forEach((array, k) => {
      for (let i = 0; i < length; i++) array[start + i * stride] = copies[k][order[i] * stride];
    });
  };

  /** Copy `given` to `kept`; whether any bit was different. -0 differs from 0, as in 1 / x. */
  const changed = (kept, given) => {
    const Bits = kept.BYTES_PER_ELEMENT > 1 ? Int32Array : Uint8Array;
    const bits = (array) => new Bits(array.buffer, array.byteOffset, array.length);
    const old = bits(kept), now = bits(given);
    let k = 0;
    while (k < old.length && old[k] === now[k]) k++;
    if (k < old.length) kept.set(given);
    return k < old.length;
  };

  /** C[i, j] = Σ A[i, k] B[k, j], four terms at a time; the fallback for WebAssembly. */
  const plainMatmul = (A, a, aBatch, aRow, aCol, B, b, bBatch, bRow, C, c, batches, M, K, N) => {
    for (; batches > 0; batches--, a += aBatch, b += bBatch, c += M * N) {
      for (let i = 0; i < M; i++) {
        const row = c + i * N;
        for (let j = 0; j < N; j++) C[row + j] = 0;
        let k = 0, at = a + i * aRow;
        for (; k + 4 <= K; k += 4, at += 4 * aCol) {
          const p = A[at], q = A[at + aCol], r = A[at + 2 * aCol], s = A[at + 3 * aCol];
          const b0 = b + k * bRow, b1 = b0 + bRow, b2 = b1 + bRow, b3 = b2 + bRow;
          for (let j = 0; j < N; j++) {
            C[row + j] += p * B[b0 + j] + q * B[b1 + j] + r * B[b2 + j] + s * B[b3 + j];
          }
        }
        for (; k < K; k++, at += aCol) { // no padding with zeros: 0 times infinity is NaN
          for (let j = 0; j < N; j++) C[row + j] += A[at] * B[b + k * bRow + j];
        }
      }
    }
  };

  /** A module from its bytes as digits: compressed, they are shorter than in base 64. */
  const assembled = (/** @type {string} */ digits) =>
    new WebAssembly.Module(Uint8Array.from(digits.match(/../g) || [], (byte) => parseInt(byte, 16)));
  /** @type {WebAssembly.Module|null} */
  let kernel = null; // null where WebAssembly is refused
  try {
    if (!options || options.wasm !== false) kernel = assembled('WASM_MODULE');
  } catch (refused) {
    kernel = null;
  }

  /** Memory for one program, and the matrix product that works in it. */
  const heap = (bytes) => {
    /** @type {ArrayBuffer|null} */
    let buffer = null;
    let matmul = plainMatmul, top = 0;
    let loops = (/** @type {string} */ text) => /** @type {WebAssembly.Exports} */ ({});
    if (kernel) {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) || 1 });
      const { exports } = new WebAssembly.Instance(kernel, { e: { m: memory } });
      const product = /** @type {Function} */ (exports.f);
      loops = (digits) => new WebAssembly.Instance(assembled(digits), { e: { m: memory } }).exports;
      buffer = memory.buffer;
      matmul = (A, a, aBatch, aRow, aCol, B, b, bBatch, bRow, C, c, batches, M, K, N) => {
        product(A.byteOffset + 4 * a, 4 * aBatch, 4 * aRow, 4 * aCol,
          B.byteOffset + 4 * b, 4 * bBatch, 4 * bRow, C.byteOffset + 4 * c, batches, M, K, N);
      };
    }
    buffer = buffer || new ArrayBuffer(bytes);
    const take = (Type) => (length) => {
      const array = new Type(buffer, top, length);
      top += Math.ceil(Math.max(array.byteLength, Type.BYTES_PER_ELEMENT) / 16) * 16;
      return array;
    };
    return {
      loops, matmul, f32: take(Float32Array), i32: take(Int32Array), u32: take(Uint32Array),
      u8: take(Uint8Array),
    };
  };

  return {
    bitsToFloat, changed, erf, erfInv, erfc, exp, floatToBits, heap, intDiv, intPow, intRem,
    logAddExp, logistic, nextafter, popcount, pow, roundAway, roundEven, shiftLeft, shiftRight,
    sort, tanh, threefry, toByte, toInt, toUint, totalOrder, wasm: kernel !== null,
  };
}
