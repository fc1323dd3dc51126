// Numbers and sentences, written as Python writes them (text.py).

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
    const all = exact(x, precision - 1 - power, "toFixed");
    return plus + all.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  }
  return plus + scientific(x, precision - 1).replace(/\.?0*e/, "e");
}

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
