// Sets formulas for katex_math.py: one JSON request {tex, display, macros} a line in,
// one JSON reply {html} or {error} a line out.
"use strict";

const katex = require(process.argv[2]);

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { tex, display, macros } = JSON.parse(line);
  const options = { displayMode: display, macros, output: "htmlAndMathml", strict: "error" };
  let reply;
  try {
    reply = { html: katex.renderToString(tex, options) };
  } catch (error) {
    reply = { error: error.message };
  }
  console.log(JSON.stringify(reply));
});
