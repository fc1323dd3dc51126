// Keeping in view what belongs together: a link in the prose and the picture that it sets.

/** What the page's own header hides at the top, in px. */
function headroom() {
  const header = document.querySelector(".bd-header-article, .bd-header");
  if (!header) return 8;
  const { position } = getComputedStyle(header);
  return (position === "sticky" || position === "fixed" ? header.getBoundingClientRect().height : 0)
    + 8;
}

/**
 * Bring a picture into view, and `link` with it; in slides, turn to its slide.
 * @param {HTMLElement} figure @param {Element|null} link  what the reader has just followed
 */
function reveal(figure, link) {
  const slide = figure.closest(".reveal section");
  const { Reveal } = /** @type {any} */ (window);
  if (slide && Reveal) {
    const turn = () => {
      const { h, v } = Reveal.getIndices(slide);
      Reveal.slide(h, v);
    };
    return Reveal.isReady() ? turn() : Reveal.on("ready", turn);
  }
  const picture = /** @type {Element} */ (figure.querySelector(".live-view"));
  const seen = picture.getBoundingClientRect();
  const top = headroom();
  if (!link) {
    if (seen.top < top || seen.bottom > innerHeight) scrollBy(0, seen.top - top);
    return;
  }
  const words = link.getBoundingClientRect();
  const [first, last] = [Math.min(seen.top, words.top), Math.max(seen.bottom, words.bottom)];
  if (last - first <= innerHeight - top) { // both fit: move as little as needed
    if (first < top) scrollBy(0, first - top);
    else if (last > innerHeight) scrollBy(0, last - innerHeight);
  } else if (seen.top < top || seen.bottom > innerHeight) dock(figure, link);
}

/**
 * Hold a picture at the edge of the window while the reader is at the text that drives it, until
 * its own place comes into view.
 * @param {HTMLElement} figure @param {Element} link
 */
function dock(figure, link) {
  const view = /** @type {HTMLElement} */ (figure.querySelector(".live-view"));
  if (view.classList.contains("live-docked")) return;
  const place = document.createElement("div"); // keeps the page from moving up
  place.style.height = `${view.offsetHeight}px`;
  view.before(place);
  view.classList.add("live-docked");
  view.style.top = `${headroom()}px`;
  const away = new AbortController();
  const close = document.createElement("button");
  Object.assign(close, { type: "button", textContent: "Close", className: "live-close" });
  view.append(close);
  const undock = () => {
    away.abort();
    watch.disconnect();
    close.remove();
    place.remove();
    view.classList.remove("live-docked");
    view.style.top = "";
  };
  const watch = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) undock();
  }, { threshold: 0.6 });
  watch.observe(place);
  close.addEventListener("click", undock);
  addEventListener("keydown", ({ key }) => key === "Escape" && undock(), { signal: away.signal });
  const covered = view.getBoundingClientRect().bottom - link.getBoundingClientRect().top;
  const beside = view.getBoundingClientRect().left >= link.getBoundingClientRect().right;
  if (covered > 0 && !beside) scrollBy(0, -covered - 16);
}

/** A way past everything to the figures, for those who come by keyboard. */
function skipLinks(/** @type {HTMLElement[]} */ figures) {
  const links = figures.map((figure) => {
    const link = document.createElement("a");
    link.className = "live-skip";
    link.href = `#${figure.dataset.key}`;
    link.textContent = `Skip to the live figure: ${figure.getAttribute("aria-label")}`;
    link.addEventListener("click", (event) => {
      event.preventDefault(); // the address keeps the states
      reveal(figure, null);
      const first = "form :is(input, select, button):not([tabindex='-1'])";
      /** @type {HTMLElement} */ (figure.querySelector(first)).focus({ preventScroll: true });
    });
    return link;
  });
  if (!document.querySelector(".reveal")) document.body.prepend(...links);
  return () => links.forEach((link) => link.remove());
}
