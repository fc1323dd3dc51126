// Sphinx's own search, told about this book: nothing is stored, and an excerpt is prose.
"use strict";

const SPHINX_HIGHLIGHT_ENABLED = false; // else the words would be kept in the browser's storage

// Excerpts are fetched from the pages, which no browser allows of a folder on disk.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What Sphinx counts are places, several on a page.
Documentation.TRANSLATIONS[
  "Search finished, found ${resultCount} page(s) matching the search query."
] = "Places found: ${resultCount}";

const NO_PROSE = "h1, h2, h3, h4, script, style, svg, form, .headerlink, .katex-html, annotation, .cell_input, summary, .about, .glossary dd > p + p";

Search.htmlToText = (source, anchor) => {
  const page = new DOMParser().parseFromString(source, "text/html");
  page.querySelectorAll(NO_PROSE).forEach((element) => element.remove());
  // Else the last word of one block and the first of the next would be one.
  page.querySelectorAll("dt").forEach((term) => term.append(": "));
  page.querySelectorAll("p, li, td, th, legend").forEach((block) => block.append(" "));
  const place = anchor ? page.querySelector(`[role="main"] ${anchor}`) : null;
  const whole = place ?? page.querySelector('[role="main"]');
  const meaning = whole.matches("dt") ? whole.nextElementSibling.textContent : "";
  return (whole.textContent + meaning).replace(/\s+/g, " ").trim();
};

// From the words before the one that was found, and only whole ones.
Search.makeSearchSummary = (source, keywords, anchor) => {
  const text = Search.htmlToText(source, anchor);
  if (!text) return null;
  const found = [...keywords].map((word) => text.toLowerCase().indexOf(word.toLowerCase()));
  const before = Math.max(0, ...found) - 120;
  const start = before > 0 ? text.indexOf(" ", before) + 1 : 0;
  const end = start + 240 < text.length ? text.lastIndexOf(" ", start + 240) : text.length;
  const words = (start ? "…\u00a0" : "") + text.slice(start, end) + (end < text.length ? "\u00a0…" : "");
  return Object.assign(document.createElement("p"), { className: "context", textContent: words });
};
