// Opens pictures in Chromium, with the network cut, and prints as JSON what lies where. Argument: the folder with the pictures.
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";

const require = createRequire(`${process.env.AUTOGRAD_LITE_NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const folder = process.argv[2];
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: process.env.AUTOGRAD_LITE_CHROMIUM ?? "/usr/bin/chromium", args: flags });
const page = await (await browser.newContext()).newPage();
const outside = [];
await page.route("**/*", (route) => {
  if (route.request().url().startsWith(`file://${folder}/`)) return route.continue();
  outside.push(route.request().url());
  return route.abort();
});

/** The rectangles of all texts, boxes and pills as they are drawn; a text knows in which box it lies. */
const measure = () => {
  const rectangle = (element) => { const { x, y, width, height } = element.getBoundingClientRect(); return [x, y, width, height]; };
  const outline = (group) => {  // without rings and sheets: the last shape that has no colour of its own
    const shape = document.querySelector(group.querySelector("use").getAttribute("href"));
    const parts = [...shape.children].filter((part) => part.tagName !== "text" && !part.hasAttribute("fill"));
    const box = parts.at(-1).getBBox(), [, dx, dy] = /translate\((-?\d+) (-?\d+)\)/.exec(shape.getAttribute("transform"));
    const { e, f } = group.getCTM(), root = document.querySelector("svg").getBoundingClientRect();
    return [root.x + e + Number(dx) + box.x, root.y + f + Number(dy) + box.y, box.width, box.height];
  };
  const boxes = [...document.querySelectorAll("[data-id]")];
  return {
    boxes: boxes.map(outline),
    texts: boxes.flatMap((box, i) => [...box.querySelectorAll("text")].map((text) => [i, text.textContent, rectangle(text)])),
    captions: boxes.map((box) => box.querySelector("use").getBoundingClientRect().width),
    chips: [...document.querySelectorAll("[data-kind=constant], [data-kind=reference]")].map((chip) =>
      [chip.querySelector("text").textContent, rectangle(chip.querySelector("rect")), rectangle(chip.querySelector("text"))]),
    labels: [...document.querySelectorAll(".p text")].map((text) => [text.textContent, rectangle(text)]),
    titles: [...document.querySelectorAll("[data-scope]")].map((scope) => [rectangle(scope.querySelector("text")), rectangle(scope.querySelector(".n"))]),
  };
};

const found = {};
for (const name of readdirSync(folder).filter((file) => file.endsWith(".html")).sort()) {
  await page.goto(`file://${folder}/${name}`);
  await page.addStyleTag({ content: "svg { max-width: none !important; }" });  // in its own size
  found[name.replace(".html", "")] = await page.evaluate(measure);
}
await page.goto(`file://${folder}/fixture.html`);
await page.evaluate(axe);
const violations = await page.evaluate(() => globalThis.axe.run().then((result) => result.violations.map((violation) => violation.id)));
const colours = {};
for (const background of ["#ffffff", "#111111"]) {
  await page.evaluate((colour) => { document.body.style.background = colour; }, background);
  colours[background] = (await page.screenshot()).length;
}
await browser.close();
console.log(JSON.stringify({ found, violations, outside, colours }));
