// Sets formulas for katex_math.py: one JSON request {tex, display, macros} a line in,
// one JSON reply {html} or {error} a line out.
"use strict";

const katex = require(process.argv[2]);

/**
 * KaTeX writes a named function as two elements, also where MathML wants exactly one (an index):
 * one row makes one of them.
 */
const whole = (html) => html.replace(/<mi[^>]*>[^<]*<\/mi><mo>\u2061<\/mo>/g, "<mrow>$&</mrow>");

/** `\class{at-microscope-2}{…}`, as MathJax has it too: a term that a live figure may mark. */
const CLASS = { "\\class": "\\htmlClass{#1}{#2}" };
const LENIENT = {
  trust: ({ command }) => command === "\\htmlClass",
  strict: (code) => (code === "htmlExtension" ? "ignore" : "error"),
};

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { tex, display, macros } = JSON.parse(line);
  const known = { ...CLASS, ...macros };
  const options = { displayMode: display, macros: known, output: "htmlAndMathml", ...LENIENT };
  let reply;
  try {
    reply = { html: whole(katex.renderToString(tex, options)) };
  } catch (error) {
    reply = { error: error.message };
  }
  console.log(JSON.stringify(reply));
});
