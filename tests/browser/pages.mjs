// What the programs in this folder share that open pages in Chromium, with the network cut. Their first argument is the folder with the
// pages, in which expected.json has what Python expects.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.AUTOGRAD_LITE_NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const folder = process.argv[2];
export const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const browser = await chromium.launch({ executablePath: process.env.AUTOGRAD_LITE_CHROMIUM ?? "/usr/bin/chromium", args: flags });

/** A page of the folder; every request that is not for a file of the folder is refused and remembered. */
export async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  context.setDefaultTimeout(8000);
  const page = await context.newPage(), outside = [], errors = [];
  await page.route("**/*", (route) => {
    if (route.request().url().startsWith(`file://${folder}/`)) return route.continue();
    outside.push(route.request().url());
    return route.abort();
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error" || message.type() === "warning") errors.push(message.text()); });
  await page.goto(`file://${folder}/${name}.html`);
  return { page, outside, errors, close: () => context.close() };
}

/** What axe finds wrong with a page. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return found.violations.map(({ id, nodes }) => [id, nodes[0].html.slice(0, 200), nodes[0].failureSummary]);
}

export const text = (page, selector) => page.locator(selector).first().textContent();
export const key = (page, ...names) => names.reduce((before, name) => before.then(() => page.keyboard.press(name)), Promise.resolve());

/** The outcome of each check, on a page of its own: "ok", or what went wrong. ONLY in the environment names some of them. */
export async function outcomesOf(checks, first) {
  const outcomes = {};
  for (const [name, check] of Object.entries(checks)) {
    if (process.env.ONLY && !process.env.ONLY.split(" ").includes(name)) continue;
    const session = await open(first);
    try {
      await check(session);
      outcomes[name] = session.errors.length ? `errors in the page: ${session.errors}` : "ok";
    } catch (error) {
      outcomes[name] = String(error.stack ?? error).slice(0, 3000);
    }
    await session.close();
  }
  return outcomes;
}
