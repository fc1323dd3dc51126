// The slides: reveal.js, and whose a key is.

/** @type {any} */ const { Reveal, RevealNotes } = window;
const ANSWERS = "figure.live, .live-guess"; // what the presenter works with on a slide

Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  maxScale: 8,
  center: false,
  transition: "none",
  slideNumber: "c/t",
  respondToHashChanges: false, // the address tells the states of live figures
  pdfSeparateFragments: false,
  plugins: [RevealNotes],
});

/** A figure's own keys stay with it; a presenter's remote, and Escape, always reach the slides. */
document.addEventListener("keydown", (event) => {
  const focused = document.activeElement?.closest(ANSWERS);
  if (!focused) return;
  const turn = { PageDown: "next", PageUp: "prev" }[event.key];
  if (turn) {
    Reveal[turn]();
    event.preventDefault();
  } else if (event.key === "Escape") {
    /** @type {HTMLElement} */ (document.activeElement).blur();
  } else return;
  event.stopImmediatePropagation();
}, true);
for (const figure of document.querySelectorAll(ANSWERS)) {
  figure.setAttribute("data-prevent-swipe", ""); // a finger draws here
  figure.addEventListener("keydown", (event) => event.stopPropagation());
}

/** The keys go back to the slides with the slide that had them. */
Reveal.on("slidechanged", () => {
  const focused = /** @type {HTMLElement|null} */ (document.activeElement);
  if (focused && !Reveal.getCurrentSlide().contains(focused)) focused.blur();
});

for (const link of document.querySelectorAll("a.section")) {
  /** @type {HTMLAnchorElement} */ (link).target = "chapter"; // the deck stays where it is
}
