// States in the address of a page: #fig-microscope?sigma_w=1.41&fig-neuron?pace=100.

/**
 * The states of several figures as one fragment, the first of them in view.
 * @param {HTMLElement[]} figures  the one that moved last comes first
 */
function fragment(figures) {
  const [first, ...others] = figures.map((figure) => liveOf(figure).fragment);
  return "#" + [first, ...others.filter((text) => !text.endsWith("?"))].join("&");
}

/** @returns {LiveFigure} */
const liveOf = (/** @type {Element} */ figure) => /** @type {any} */ (figure).live;

/**
 * The live figures that a fragment names, each with the state it asks for.
 * @param {string} hash @returns {{figure: HTMLElement, live: LiveFigure, state: State}[]}
 */
function parse(hash) {
  if (!/^#fig-[^?]+\?/.test(hash)) return [];
  return hash.slice(1).split(/&(?=fig-[^&?=]+\?)/).flatMap((text) => {
    const at = text.indexOf("?");
    const key = CSS.escape(text.slice(0, at));
    const figure = /** @type {HTMLElement|null} */ (
      document.querySelector(`figure.live[data-key="${key}"]`));
    if (!figure || !liveOf(figure)) return [];
    const asked = Object.fromEntries(new URLSearchParams(text.slice(at + 1)));
    const live = liveOf(figure);
    return [{ figure, live, state: { ...live.opening, ...asked } }];
  });
}

/** The fragment that the reader came with; slides may have replaced it before we run. */
function arrival() {
  const [entry] = performance.getEntriesByType("navigation");
  return location.hash || (entry ? new URL(entry.name, location.href).hash : "");
}

/** Write the address without a new entry in the history; some places forbid even that. */
function rewrite(/** @type {string} */ hash) {
  try {
    history.replaceState(history.state, "", hash);
  } catch {
    // a page in a sandbox keeps its address
  }
}

/**
 * Copy the address of a figure's state, and say so.
 * @param {HTMLElement} figure @param {LiveFigure} live
 */
async function copyAddress(figure, live) {
  const address = new URL(fragment([figure]), location.href).href;
  const link = live.find(".live-link");
  try {
    await navigator.clipboard.writeText(address);
    live.voice.confirm(link, "Copied");
  } catch { // from disk, or not allowed: the reader copies it
    rewrite(fragment([figure]));
    live.voice.confirm(link, "Now in the address bar");
  }
}
