// What a term means, shown beside it while the pointer or the focus is on it or on what it shows.
// Without scripts a term is a link to the glossary (glossary.py).
"use strict";

(() => {
  const PAUSE = 250; // milliseconds: a pointer that passes opens nothing, and may cross the gap
  const GAP = 4; // pixels between the word and what it means

  /** @type {{term: HTMLElement, about: HTMLElement}|null} */
  let open = null;

  function hide() {
    open?.about.hidePopover();
    open = null;
  }

  /** @param {HTMLElement} term */
  function show(term) {
    const about = document.getElementById(term.getAttribute("aria-describedby") ?? "");
    if (!about || open?.term === term) return;
    hide();
    open = { term, about };
    about.showPopover();
    // Under the word, or over it where there is no room; never beyond the page's edge.
    const word = term.getBoundingClientRect();
    const { width, height } = about.getBoundingClientRect();
    const most = document.documentElement.clientWidth - width - 2 * GAP;
    const under = word.bottom + GAP + height < innerHeight || word.top < height;
    about.style.left = `${scrollX + Math.max(2 * GAP, Math.min(word.left, most))}px`;
    about.style.top = `${scrollY + (under ? word.bottom + GAP : word.top - GAP - height)}px`;
  }

  const sought = (/** @type {Element} */ element) => element.matches(":hover, :focus");

  const leave = () => setTimeout(() => {
    if (open && !sought(open.term) && !sought(open.about)) hide();
  }, PAUSE);

  document.querySelectorAll(/** @type {"a"} */ ("a.term")).forEach((term) => {
    term.addEventListener("mouseenter", () =>
      setTimeout(() => term.matches(":hover") && show(term), PAUSE));
    term.addEventListener("mouseleave", leave);
    term.addEventListener("focus", () => term.matches(":focus-visible") && show(term));
    term.addEventListener("blur", leave);
  });
  document.querySelectorAll(/** @type {"div"} */ (".about")).forEach((about) =>
    about.addEventListener("mouseleave", leave));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
})();
