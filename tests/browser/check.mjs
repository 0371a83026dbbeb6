// Opens rendered pages in Chromium and checks what readers rely on:
//   node check.mjs PAGE.html…        (CHROMIUM=/path/to/chromium, default /usr/bin/chromium)
//
// - a page requests nothing but itself, logs nothing, violates no policy, runs no script;
// - axe finds nothing in light, dark and print, at three widths, with every <details> open;
// - nothing overflows sideways on a phone, and no chart is cut by a page break in print;
// - the W3C checker (vnu) finds nothing; the file stays under 500 kB.
//
// Exit code 0: all clean; 1: findings, one line each; 2: usage.

import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VNU = require.resolve("vnu-jar/build/dist/vnu.jar");
const WIDTHS = [390, 900, 1400];
const LOOKS = [
  { name: "light", media: "screen", colorScheme: "light" },
  { name: "dark", media: "screen", colorScheme: "dark" },
  { name: "print", media: "print", colorScheme: "light" },
];
const MOST_BYTES = 500_000;
/** Height of an A4 page between the margins of the print style, in CSS pixels. */
const PRINT_PAGE_PIXELS = (297 - 28) / 25.4 * 96;

const files = process.argv.slice(2).map((file) => resolve(file));
if (files.length === 0) {
  console.error("usage: node check.mjs PAGE.html…");
  process.exit(2);
}

const findings = [];
const found = (file, what) => findings.push(`${basename(file)}: ${what}`);

/** The page as a reader opens it, its policy in force. */
async function alone(browser, file) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  const own = pathToFileURL(file).href;
  page.on("request", (request) => {
    if (request.url() !== own) found(file, `requests ${request.url()}`);
  });
  page.on("console", (message) => found(file, `console: ${message.text()}`));
  page.on("pageerror", (error) => found(file, `error: ${error.message}`));
  page.on("dialog", (dialog) => {
    found(file, `dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(own);
  const seen = await page.evaluate(() => ({
    scripts: document.scripts.length,
    styled: getComputedStyle(document.querySelector("h1")).display,
    verdict: document.querySelector("h1").textContent.trim(),
  }));
  if (seen.scripts > 0) found(file, `holds ${seen.scripts} scripts`);
  if (seen.styled !== "flex") found(file, "its style sheet is not in force (hash of the policy?)");
  if (!seen.verdict) found(file, "has no verdict in its first heading");
  await context.close();
}

/** axe and overflow in one look at every width. */
async function looks(browser, file, look) {
  // The checker's own script needs a context without the page's policy; the policy itself is tried in `alone`.
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.emulateMedia({ media: look.media, colorScheme: look.colorScheme });
  await page.goto(pathToFileURL(file).href);
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  await page.addScriptTag({ content: AXE });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of violations) {
      const where = violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ");
      found(file, `axe, ${look.name} ${width}: ${violation.id}: ${violation.help} (${violation.nodes.length}: ${where})`);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0 && look.media === "screen") found(file, `overflows by ${overflow} px at ${width} px, ${look.name}`);
    const tall = await page.evaluate((most) => [...document.querySelectorAll("figure")]
      .filter((one) => one.getBoundingClientRect().height > most).length, PRINT_PAGE_PIXELS);
    if (look.media === "print" && tall > 0) found(file, `${tall} figures are taller than a printed page`);
  }
  await context.close();
}

/** The W3C checker over all files in one run. */
function checker() {
  const run = spawnSync("java", ["-jar", VNU, "--format", "json", ...files], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (run.error) return found("vnu", run.error.message);
  for (const message of JSON.parse(run.stderr || '{"messages":[]}').messages) {
    found(message.url ?? "vnu", `vnu, line ${message.lastLine}: ${message.type}: ${message.message}`);
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
});
try {
  for (const file of files) {
    const { size } = statSync(file);
    if (size >= MOST_BYTES) found(file, `is ${size} bytes, more than ${MOST_BYTES}`);
    await alone(browser, file);
    for (const look of LOOKS) await looks(browser, file, look);
  }
} finally {
  await browser.close();
}
checker();

for (const finding of findings) console.log(finding);
console.log(`${files.length} pages, ${findings.length} findings`);
process.exit(findings.length > 0 ? 1 : 0);
