// Formulas that answer: a term that names a number of a cursor, `\class{at-microscope-2}{…}`,
// lights up with it and marks it; `-last` names the last number, `-each` all that have no term.

/**
 * Let the terms of one formula answer to one figure.
 * @param {HTMLElement} formula  a `div.math` @param {LiveFigure} live
 */
function answer(formula, live) {
  const { cursor, spec } = live;
  const { signal } = live.closed;
  const terms = [...formula.querySelectorAll(`[class*="at-${spec.name}-"]`)].map((node) => {
    const [, name] = /** @type {string[]} */ (node.className.match(/at-\w+-(\w+)/));
    return { node, name };
  });
  const number = (/** @type {string} */ name) =>
    (name === "last" ? cursor.last : name === "each" ? null : Number(name));
  const says = document.createElement("span");
  says.className = "live-answer";
  formula.classList.add("live-formula");
  formula.append(says);
  cursor.take(formula);

  const named = (/** @type {number|null} */ one) => terms.some((t) => number(t.name) === one);
  const show = () => {
    const one = cursor.number;
    for (const { node, name } of terms) {
      const lit = one !== null && (name === "each" ? !named(one) : number(name) === one);
      node.classList.toggle("live-lit", lit);
    }
    says.textContent = cursor.words;
  };
  live.element.addEventListener("live-cursor", show, { signal });

  let recent = Math.round((cursor.spec.first + cursor.spec.last) / 2); // where "each" begins
  for (const { node, name } of terms) {
    const mark = (/** @type {Event} */ event) => {
      event.stopPropagation(); // a click elsewhere takes the mark away
      if (cursor.number !== null && !named(cursor.number)) recent = cursor.number;
      cursor.mark(number(name) ?? recent);
    };
    node.addEventListener("pointerenter", mark, { signal });
    node.addEventListener("click", mark, { signal });
    node.addEventListener("pointerleave", (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType !== "touch") cursor.mark(null);
    }, { signal });
  }
}

/** Let all formulas of a page answer. @param {HTMLElement[]} figures */
function answering(figures) {
  for (const live of figures.map(liveOf)) {
    if (!live.cursor.spec) continue;
    const terms = document.querySelectorAll(`[class*="at-${live.spec.name}-"]`);
    const formulas = new Set(Array.from(terms, (term) => term.closest("div.math") ?? term));
    formulas.forEach((formula) => answer(/** @type {HTMLElement} */ (formula), live));
  }
}
