// Before anything is painted.
"use strict";

// The colours that the reader chose, if any. Without a choice there is no attribute, and the style
// sheets follow the system.

try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is blocked: the choice lasts as long as the page.
}

// The fonts that this page shows, together with the style sheet rather than after it, so that no
// letter moves when they come. The page waits a moment for those that are near, as all are in a
// folder on disk, and for those of formulas, in whose place no other font is as wide.
{
  const { src, dataset } = document.currentScript;
  const root = document.documentElement;
  const waitFor = (/** @type {Promise<any>[]} */ fonts, /** @type {number} */ most) => {
    const late = new Promise((resolve) => setTimeout(resolve, most));
    return Promise.race([Promise.allSettled(fonts), late]).then(() => (root.style.visibility = ""));
  };
  if (location.protocol === "file:") {
    // Browsers refuse to load ahead in a folder on disk.
    const names = ['"Source Serif on disk"', '"Source Code on disk"', "KaTeX_Main"];
    const fonts = [...names.map((n) => `1em ${n}`), `italic 1em ${names[0]}`, "italic 1em KaTeX_Math"];
    document.write(`<link rel="stylesheet" href="${new URL("fonts-on-disk.css", src)}">`);
    root.style.visibility = "hidden";
    document.addEventListener("DOMContentLoaded", () =>
      waitFor(fonts.map((n) => document.fonts.load(n)), 500));
  } else {
    const formulas = [];
    for (const name of dataset.fonts.split(" ")) {
      const link = document.createElement("link");
      const href = new URL(`fonts/${name}`, src).href;
      Object.assign(link, { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href });
      document.head.append(link);
      const [, family, style] = /^(KaTeX_\w+)-(\w+)/.exec(name) ?? [];
      if (!family) continue;
      const face = new FontFace(family, `url("${href}")`, { style: style.replace("Regular", "normal") });
      document.fonts.add(face);
      formulas.push(face.load());
    }
    if (formulas.length) {
      root.style.visibility = "hidden";
      waitFor(formulas, 400);
    }
  }
}
