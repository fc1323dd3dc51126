// Sentences with numbers in them, written as Python writes them (text.py).

/**
 * Fill a template; `before` are the outputs that the verbs compare with.
 * @param {(string | (NumberForm & {name: string, verb: boolean, index: number}))[]} parts
 * @param {Outputs} outputs
 * @param {Record<string, string>} words  readouts of the controls
 * @param {Outputs|null} before
 * @returns {string}
 */
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
 * Say which drawn outputs hold numbers that cannot be drawn. NaN after the last number of a line
 * is padding (points that are not there yet), not a fault.
 * @param {Spec} spec @param {Outputs} outputs
 */
function gaps(spec, outputs) {
  return spec.drawn.map(([name, words, padded]) => {
    const list = outputs[name];
    let end = list.length;
    while (padded && end > 1 && Number.isNaN(list[end - 1])) end--;
    let lost = 0; // counted in place: the list may be an image
    for (let i = 0; i < end; i++) if (!Number.isFinite(list[i])) lost++;
    if (!lost) return "";
    if (lost === end) return ` No finite value to draw (${words}).`;
    return ` ${lost} of ${end} values (${words}) are not finite; they are left out.`;
  }).join("");
}

/** With a capital, unless it begins with a symbol such as x₁. */
const capital = (/** @type {string} */ text) =>
  text.replace(/^[a-z](?=[a-z ])/, (c) => c.toUpperCase());
