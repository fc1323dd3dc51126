// Numbers set as mathematics, as Python sets them (numbers.py).

/** @typedef {{type: string, digits: number, sign?: string}} NumberForm  how to set a number */

/** Round half to even where the tie is exact, as Python does; JavaScript rounds it away. */
function exact(/** @type {number} */ x, /** @type {number} */ digits, method = "toFixed") {
  const write = (/** @type {number} */ d) =>
    method === "toFixed" ? x.toFixed(d) : x.toExponential(d);
  const short = write(digits);
  const long = write(Math.min(100, digits + 30)).split("e")[0];
  const cut = long.length - 30;
  if (!/^50*$/.test(long.slice(cut)) || digits > 70) return short;
  const down = long.slice(0, cut).replace(/\.$/, "");
  const even = Number(down.slice(-1)) % 2 === 0;
  return even ? down + short.slice(short.search(/e|$/)) : short;
}

/** Factor, 1 to 10, and power of ten. @returns {[string, number]} */
function decimal(/** @type {number} */ size, /** @type {number} */ digits) {
  const [factor, power] = exact(size, digits, "toExponential").split("e");
  return [factor, Number(power)];
}

const raised = (/** @type {number} */ power) =>
  String(power).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));

function scientific(/** @type {string} */ factor, /** @type {number} */ power) {
  const ten = "10" + raised(power);
  return factor === "1" ? ten : `${factor}\u00a0×\u00a0${ten}`;
}

function significant(
  /** @type {string} */ factor, /** @type {number} */ power, /** @type {boolean} */ trim,
) {
  if (power < -4 || power > 4) {
    return scientific(trim ? factor.replace(/\.?0*$/, "") : factor, power);
  }
  const figures = factor.replace(".", "");
  const whole = power < 0 ? "0" : figures.slice(0, power + 1).padEnd(power + 1, "0");
  let rest = power < 0 ? "0".repeat(-power - 1) + figures : figures.slice(power + 1);
  if (trim) rest = rest.replace(/0+$/, "");
  return rest ? `${whole}.${rest}` : whole;
}

/** 10 to the power `log`, which may lie far outside of what a number can hold. */
function powerOfTen(/** @type {number} */ log, /** @type {number} */ digits) {
  if (Number.isNaN(log) || Math.abs(log) > STEEPEST) {
    return log < 0 ? "0" : format(log * Infinity, LARGE);
  }
  if (!digits) return scientific("1", Math.floor(log + 0.5));
  const whole = Math.floor(log);
  const [factor, carry] = decimal(10 ** (log - whole), digits - 1);
  return significant(factor, whole + carry, false);
}

const LARGEST = 1e15; // beyond it the last figures mean nothing, and fixed reads as g does
const STEEPEST = 1e6; // 10 to a power beyond it is as good as infinite, or 0
const LARGE = { type: "g", digits: 3 };

/** A number that is not negative. */
function sized(/** @type {number} */ size, /** @type {NumberForm} */ { type, digits }) {
  if (size >= LARGEST && "df%".includes(type)) {
    return type === "%" ? sized(size * 100, LARGE) + "%" : sized(size, LARGE);
  }
  if (type === "d") return exact(size, 0);
  if (type === "%") return exact(size * 100, digits) + "%";
  if (type === "f") return exact(size, digits);
  if (type === "e") return size ? scientific(...decimal(size, digits)) : "0";
  const [factor, power] = decimal(size, Math.max(digits, 1) - 1);
  return significant(factor, power, type === "g");
}

/** The number as a reader of mathematics expects it. @returns {string} */
function format(/** @type {number} */ x, /** @type {NumberForm} */ form) {
  if (form.type === "p") return powerOfTen(x, form.digits);
  if (Number.isNaN(x)) return "not a number";
  if (!Number.isFinite(x)) return x < 0 ? "−infinity" : "infinity";
  const size = sized(Math.abs(x), form);
  if (x < 0 && /[1-9]/.test(size.split("×")[0])) return "−" + size;
  return (x >= 0 && form.sign ? form.sign : "") + size;
}
