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
// letter moves when they come.
{
  const { src, dataset } = document.currentScript;
  if (location.protocol === "file:") {
    // Browsers refuse that in a folder on disk. There the fonts are near: the page waits for them.
    const names = ['"Source Serif on disk"', '"Source Code on disk"', "KaTeX_Main"];
    const fonts = [...names.map((n) => `1em ${n}`), `italic 1em ${names[0]}`, "italic 1em KaTeX_Math"];
    document.write(`<link rel="stylesheet" href="${new URL("fonts-on-disk.css", src)}">`);
    document.documentElement.style.visibility = "hidden";
    document.addEventListener("DOMContentLoaded", async () => {
      const late = new Promise((resolve) => setTimeout(resolve, 500));
      await Promise.race([Promise.allSettled(fonts.map((n) => document.fonts.load(n))), late]);
      document.documentElement.style.visibility = "";
    });
  } else {
    for (const name of dataset.fonts.split(" ")) {
      const link = document.createElement("link");
      const href = new URL(`fonts/${name}`, src).href;
      Object.assign(link, { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href });
      document.head.append(link);
    }
  }
}
