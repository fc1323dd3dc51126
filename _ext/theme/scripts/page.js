// What the pages do beyond what HTML does by itself. Everything here is an addition: without it
// the page reads, prints, opens its contents and searches.
"use strict";

(() => {
  const root = document.documentElement;

  /** Call `act` with every element that matches, now. */
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // Colours: as the system, light, dark, and round again.

  const CHOICES = { system: "as your system", light: "light", dark: "dark" };

  function keep(choice) {
    try {
      if (choice === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", choice);
    } catch {
      // Storage is blocked: the choice lasts as long as the page.
    }
  }

  function show(button, choice) {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    button.dataset.shows = choice;
    button.querySelector(".for-ears").textContent = `Colours: ${CHOICES[choice]}`;
  }

  function offerColours(button) {
    show(button, root.dataset.theme ?? "system");
    button.addEventListener("click", () => {
      const names = Object.keys(CHOICES);
      const next = names[(names.indexOf(button.dataset.shows) + 1) % names.length];
      show(button, next);
      keep(next);
    });
  }

  // Boxes that scroll sideways are tab stops as long as they overflow, and only then.

  function reach(box) {
    const overflows = box.scrollWidth > box.clientWidth;
    if (overflows === box.hasAttribute("tabindex")) return;
    if (overflows) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.dataset.scrolls);
    } else ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
  }

  function watchOverflow() {
    const watch = new ResizeObserver((entries) => {
      for (const { target } of entries) reach(target.closest("[data-scrolls]"));
    });
    each("[data-scrolls], pre", (box) => {
      box.dataset.scrolls ??= "Code, scrolls sideways";
      watch.observe(box);
      // Letters that come late change what a box holds, not the box.
      for (const part of box.querySelectorAll("table, .katex-base")) watch.observe(part);
    });
    document.fonts.addEventListener("loadingdone", () => each("[data-scrolls]", reach));
  }

  // Contents: the section that is being read is marked, and on a phone a choice closes the list.

  function followReading(contents) {
    const links = new Map();
    for (const link of contents.querySelectorAll('a[href^="#"]')) {
      const section = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (section && section !== document.body) links.set(section.closest("section"), link);
    }
    const mark = () => {
      let current;
      for (const [section, link] of links) {
        link.removeAttribute("aria-current");
        if (section && section.getBoundingClientRect().top < innerHeight / 3) current = link;
      }
      current?.setAttribute("aria-current", "location");
    };
    const watch = new IntersectionObserver(mark, { rootMargin: "0px 0px -66% 0px" });
    links.forEach((link, section) => section && watch.observe(section));
    contents.addEventListener("click", ({ target }) => {
      if (target.closest("a") && contents.matches(":popover-open")) contents.hidePopover();
    });
  }

  // When a live figure moves, a browser looks through all of the page for what to paint, save what
  // is cut off: sections far from the window, where nobody sees it (figures.css).

  function watchFar() {
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        target.classList.toggle("far", !isIntersecting);
      }
    }, { rootMargin: "100%" });
    each("article section:not(:has(figure.live))", (section) => watch.observe(section));
  }

  // Code can be copied.

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy"); // pages from plain http have no other way
    field.remove();
  }

  function offerCopy(box) {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "copy",
      textContent: "Copy",
    });
    button.setAttribute("aria-label", "Copy the code");
    button.addEventListener("click", async () => {
      await copy(box.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    box.append(button);
  }

  // The search field is one key away, as readers of documentation expect.

  function focusSearch(event) {
    const slash = event.key === "/" && !event.target.closest("input, textarea, select");
    if (!slash && !(event.key === "k" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    document.getElementById("search-field").focus();
  }

  // On paper nothing can be opened: what is folded is printed, and folded again afterwards.

  function printEverything() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      opened.forEach((details) => (details.open = true));
    });
    addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));
  }

  each(".theme-switch-button", offerColours);
  each(".cell_input .highlight, .highlight-html .highlight", offerCopy);
  each("#contents", followReading);
  watchOverflow();
  watchFar();
  printEverything();
  document.addEventListener("keydown", focusSearch);
})();
