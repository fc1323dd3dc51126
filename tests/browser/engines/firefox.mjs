// Visits pages in Firefox over WebDriver BiDi: a request as JSON on stdin, the answer on stdout.
// Firefox has been seen to be silent for three minutes about a page that takes it a second at other
// times. It is then started anew for that page, once, and stderr says so.

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const PATIENCE = 90_000; // ms for one page, on a busy machine
const { modules, executable, visits, script } = JSON.parse(await text(process.stdin));
const puppeteer = createRequire(`${modules}/`)("puppeteer-core");
const launch = () => (puppeteer.default ?? puppeteer).launch({
  browser: "firefox",
  executablePath: executable,
  headless: true,
  protocolTimeout: PATIENCE,
});

async function visit(browser, { url, argument }) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (said) => {
    if (["error", "warn", "warning"].includes(said.type())) complaints.push(said.text());
  });
  await page.goto(url, { waitUntil: "load" });
  const result = await page.evaluate(`(${script})(${JSON.stringify(argument)})`);
  await page.close();
  return { result, complaints };
}

const answers = [];
let browser = await launch();
process.on("exit", () => browser.process().kill("SIGKILL")); // of a fault, too
for (const one of visits) {
  try {
    answers.push(await visit(browser, one));
  } catch (error) {
    process.stderr.write(`${one.url}: ${error.message}\n`);
    browser.process().kill("SIGKILL");
    browser = await launch();
    answers.push(await visit(browser, one));
  }
}
await browser.close();
process.stdout.write(JSON.stringify(answers));
