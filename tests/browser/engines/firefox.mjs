// Visits pages in Firefox over WebDriver BiDi: a request as JSON on stdin, the answer on stdout.

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { modules, executable, visits, script } = JSON.parse(await text(process.stdin));
const puppeteer = createRequire(`${modules}/`)("puppeteer-core");
const browser = await (puppeteer.default ?? puppeteer).launch({
  browser: "firefox",
  executablePath: executable,
  headless: true,
});
const answers = [];
for (const { url, argument } of visits) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (said) => {
    if (["error", "warn", "warning"].includes(said.type())) complaints.push(said.text());
  });
  await page.goto(url, { waitUntil: "load" });
  const result = await page.evaluate(`(${script})(${JSON.stringify(argument)})`);
  answers.push({ result, complaints });
  await page.close();
}
await browser.close();
process.stdout.write(JSON.stringify(answers));
