// Sphinx's own search, told about this book: nothing is stored, and an excerpt is prose.
"use strict";

const SPHINX_HIGHLIGHT_ENABLED = false; // else the words would be kept in the browser's storage

// Excerpts are fetched from the pages, which no browser allows of a folder on disk.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

const NO_PROSE = "script, style, svg, form, .headerlink, .katex-html, annotation, .cell_input, summary, .about";

Search.htmlToText = (source, anchor) => {
  const page = new DOMParser().parseFromString(source, "text/html");
  page.querySelectorAll(NO_PROSE).forEach((element) => element.remove());
  const place = anchor ? page.querySelector(`[role="main"] ${anchor}`) : null;
  return (place ?? page.querySelector('[role="main"]')).textContent.replace(/\s+/g, " ").trim();
};
