// One layout of a figure: an SVG, what moves in it, and what a tap in it means (layout.py).

/**
 * @typedef {object} LayoutSpec
 * @property {any[]} artists
 * @property {{control: string, role: "x"|"y", axis: Axis, box: number[]}[]} picks
 * @property {CursorSpec|null} cursor
 */

class Layout {
  /** @type {((outputs: Outputs) => void)[]|null} prepared when there is something to draw */
  #artists = null;
  /** @type {Outputs|null} */ #drawn = null;

  /** @param {SVGSVGElement} svg @param {LayoutSpec} spec */
  constructor(svg, spec) {
    this.svg = svg;
    this.spec = spec;
  }

  /** Whether the page has room for this one, and not for another. */
  get shown() {
    return this.svg.getClientRects().length > 0;
  }

  draw(/** @type {Outputs} */ outputs) {
    if (outputs === this.#drawn) return;
    const node = (/** @type {string} */ id) => this.svg.querySelector(`[id$=".${id}"]`);
    this.#artists ??= this.spec.artists.map((artist) =>
      artists[artist.kind](artist, artist.ids.map(node)));
    this.#artists.forEach((draw) => draw(outputs));
    this.#drawn = outputs;
  }

  /** Where the pointer is, in points. @param {MouseEvent} event */
  at({ clientX, clientY }) {
    const toPoints = /** @type {DOMMatrix} */ (this.svg.getScreenCTM()).inverse();
    return new DOMPoint(clientX, clientY).matrixTransform(toPoints);
  }

  /**
   * What a tap in the axes of a rule that stands for a control asks for.
   * @param {MouseEvent} event @returns {State|null}
   */
  picked(event) {
    const at = this.at(event);
    for (const { control, role, axis, box } of this.spec.picks) {
      const [left, top, right, bottom] = box;
      const t = (at[role] - axis[0]) / axis[1];
      if (left <= at.x && at.x <= right && top <= at.y && at.y <= bottom) {
        return { [control]: axis[2] ? 10 ** t : t };
      }
    }
    return null;
  }

  /** @param {(values: State) => void} moved  what a tap asks for @param {AbortSignal} signal */
  listen(moved, signal) {
    if (!this.spec.picks.length) return;
    const { svg } = this;
    svg.addEventListener("click", (event) => {
      const values = this.picked(event);
      if (values) moved(values);
    }, { signal });
    svg.addEventListener("mousemove", (event) => {
      svg.style.cursor = this.picked(event) ? "pointer" : ""; // here a tap does something
    }, { signal });
  }
}
