// Opens pages of explorers in Chromium, with the network cut, and prints as JSON what happened. Arguments: the folder with the pages.
// Each check is a function of this file; the Python test asks for one outcome a check.
import assert from "node:assert/strict";
import { browser, expected, key, open, outcomesOf, text, violations } from "./pages.mjs";

const numbers = (page) => page.$$eval(".box[data-value]", (boxes) => Object.fromEntries(boxes.filter((box) => box.dataset.value !== "-1").map((box) =>
  [box.dataset.value, [...[...box.querySelectorAll(".number")].map((field) => field.textContent), box.classList.contains("off")]])));

const checks = {
  async steps_are_those_of_the_sweep({ page }) {
    await key(page, "Home");
    for (const [step, { values, say, phase, visited, hot }] of expected.fixture.steps.entries()) {
      assert.deepEqual(await numbers(page), values, `step ${step}`);
      assert.equal(await text(page, ".said"), say);
      assert.equal(await text(page, ".phase"), phase);
      assert.equal(await text(page, ".visited"), visited);
      assert.deepEqual(await page.$$eval(".edge.hot", (edges) => edges.map((edge) => edge.querySelector(".symbol").textContent)), hot);
      await key(page, "ArrowRight");
    }
    assert.equal(Number(await page.inputValue(".slider")), expected.fixture.steps.length - 1);
  },
  async each_edge_is_lit_once({ page }) {
    await key(page, "Home");
    const lit = [];
    for (let step = 0; step < expected.fixture.steps.length; step += 1) {
      lit.push(...await page.$$eval(".edge", (edges) => edges.flatMap((edge, i) => (edge.classList.contains("hot") ? [i] : []))));
      await key(page, "ArrowRight");
    }
    assert.equal(lit.length, 5);
    assert.equal(new Set(lit).size, 5);
  },
  async the_slider_and_the_buttons_step({ page }) {
    await page.fill(".slider", "3");
    assert.equal(await text(page, ".phase"), "Forward 3 of 5");
    await page.click("[data-key='ArrowRight']");
    assert.equal(await text(page, ".phase"), "Forward 4 of 5");
    await page.click("[data-key='ArrowLeft']");
    await page.click("[data-key='ArrowLeft']");
    assert.equal(await text(page, ".phase"), "Forward 2 of 5");
    await page.click("[data-key='End']");
    assert.equal(await text(page, ".phase"), "Backward 5 of 5");
    await page.click("[data-key='Home']");
    assert.equal(await text(page, ".phase"), "Start");
  },
  async play_runs_to_the_end({ page }) {
    await page.clock.install();
    await page.reload();
    await page.click("[data-key=' ']");
    assert.equal(await text(page, ".phase"), "Start");
    await page.clock.runFor(60_000);
    assert.equal(await text(page, ".phase"), "Backward 5 of 5");
    assert.equal(await text(page, "[data-key=' ']"), "▶ Play");
  },
  async only_the_routes_of_one_leaf({ page }) {
    await page.selectOption(".choice", { label: "b" });
    assert.equal(await text(page, ".visited"), "4 of 4");
    assert.equal(await text(page, ".routes"), "2");
    await page.selectOption(".choice", { label: "all leaves" });
    assert.equal(await text(page, ".visited"), "5 of 5");
  },
  async a_moved_leaf_recomputes_everything({ page }) {
    for (const { leaf, x, values, derivatives } of expected.fixture.moved) {
      await page.locator(`.rows tr:nth-child(${leaf + 1}) input[type=number]`).fill(x);
      await page.keyboard.press("Enter");
      assert.deepEqual(Object.fromEntries(Object.entries(await numbers(page)).map(([i, found]) => [i, found.slice(0, 2)])), values);
      assert.deepEqual(await page.$$eval(".rows td:nth-child(4)", (cells) => cells.map((cell) => cell.textContent)), derivatives);
      assert.match(await text(page, ".note"), /not taken anew/);
    }
    await page.locator(".rows tr:nth-child(1) input[type=range]").fill("3");
    assert.equal(Number(await page.inputValue(".rows tr:nth-child(1) input[type=number]")), 3);
  },
  async hover_and_click_tell_the_chain_rule({ page }) {
    for (const [i, { chain }] of Object.entries(expected.fixture.values)) {
      await page.hover(`.box[data-value="${i}"]`);
      assert.equal(await text(page, ".chain"), chain);
      await page.click(`.box[data-value="${i}"]`);
      await page.mouse.move(2, 2);
      assert.equal(await text(page, ".chain"), chain);
    }
    await page.click('.box[data-value="1"]');
    assert.equal((await page.$$(".edge.route")).length, 4);
  },
  async source_lines_are_told(_, name = "anomaly") {
    const { page, close } = await open(name);
    await page.click('.box[data-value="1"]');
    assert.match(await text(page, ".place"), /^made in \S+\.py, line \d+, in \w+$/);
    await close();
  },
  async the_difference_quotient_and_the_tangent({ page }) {
    const found = await page.$$eval(".rows td:nth-child(5)", (cells) => cells.map((cell) => cell.textContent));
    assert.deepEqual(found, expected.fixture.nudged);
    await page.click('.box[data-value="1"]');
    assert.equal(await text(page, ".legend"), "e against b; the tangent at 1 has slope 5");
    const curve = [...(await page.getAttribute(".curve", "d")).matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    assert.equal(curve.length, 81);
    const [[x0, y0], [x1, y1]] = (await page.getAttribute(".tangent", "d")).slice(1).split("L").map((point) => point.split(",").map(Number));
    const beside = (curve[41][1] - curve[39][1]) / (curve[41][0] - curve[39][0]); // the curve's slope at its middle, in pixels
    assert.ok(Math.abs((y1 - y0) / (x1 - x0) - beside) < 0.03, `${(y1 - y0) / (x1 - x0)} ${beside}`);
  },
  async a_prediction_is_asked_for_and_revealed({ page }) {
    await key(page, "p");
    await page.click('.box[data-value="1"]');
    assert.equal(await text(page, ".chain"), "");
    assert.equal(await text(page, ".rows tr:nth-child(2) td:nth-child(4)"), "?");
    await page.fill("form input", "4");
    await page.click("form button:not([type])");
    assert.match(await text(page, "form [role=status]"), /Not yet/);
    await page.fill("form input", "5");
    await page.click("form button:not([type])");
    assert.match(await text(page, "form [role=status]"), /Right/);
    await page.waitForFunction(() => document.querySelector(".chain").textContent.endsWith("= 5"));
    await page.click('.box[data-value="0"]');
    assert.equal(await text(page, ".chain"), "");
    await page.click("form button[type=button]");
    assert.equal(await text(page, ".chain"), "∂e/∂a = ∂e/∂c·∂c/∂a = 2·1 = 2");
    await page.click("[data-key='p']");
    assert.equal(await text(page, ".rows tr:nth-child(2) td:nth-child(4)"), "5");
  },
  async forward_mode_against_reverse_mode({ page }) {
    const facts = () => page.$$eval("dd", (cells) => cells.map((cell) => cell.textContent));
    assert.deepEqual(await facts(), ["5 of 5", "2", "1 sweep, 5 edges", "2 sweeps, 6 edges"]);
    await page.click("[data-key='forward']");
    assert.equal(await text(page, ".said"), expected.fixture.tangents.at(-1));
    await key(page, "Home");
    const said = [];
    for (let step = 0; step < 10; step += 1) { await key(page, "ArrowRight"); said.push(await text(page, ".said")); }
    assert.deepEqual(said.slice(5), expected.fixture.tangents);
    await key(page, "m");
    assert.equal(await page.getAttribute("[data-key='reverse']", "aria-pressed"), "true");
  },
  async scopes_open_and_close(_, name = "network") {
    const { page, close, errors } = await open(name);
    const boxes = async () => { await key(page, "0"); return page.$$eval(".box", (found) => found.length); };
    while (!(await page.isDisabled("[data-key='[']"))) await page.click("[data-key='[']");
    assert.equal(await boxes(), expected.network.boxes[0]);
    await key(page, "]");
    assert.equal(await boxes(), expected.network.boxes[1]);
    await key(page, "[");
    await page.locator(".box.group").first().dispatchEvent("click");
    assert.equal(await boxes(), expected.network.boxes[1]);
    await page.fill(".find", expected.network.find);
    await page.keyboard.press("Enter");
    assert.equal(await text(page, ".name"), expected.network.find);
    await page.fill(".find", "no such value");
    await page.keyboard.press("Enter");
    assert.equal(await page.getAttribute(".find", "aria-invalid"), "true");
    assert.deepEqual(errors, []);
    await close();
  },
  async large_graphs_are_drawn_where_they_are_seen() {
    const { page, errors, close } = await open("large");
    await key(page, "]");
    assert.ok(await page.isDisabled("[data-key=']']"));
    await page.fill(".find", expected.large.find);
    await page.keyboard.press("Enter");
    assert.equal(await text(page, ".name"), expected.large.find);
    assert.deepEqual((await numbers(page))[expected.large.value].slice(0, 2), expected.large.numbers);
    assert.ok(await page.$$eval(".box", (found) => found.length) < 100);
    await page.click(".stage", { position: { x: 5, y: 5 } });
    await key(page, "0");
    assert.equal(await page.$$eval(".box", (found) => found.length), 0); // from afar: one path for all
    assert.equal((await page.getAttribute(".afar path:last-child", "d")).split("M").length - 1, expected.large.count);
    await page.locator(".rows input[type=range]").first().fill("0.3");
    await page.waitForFunction(() => /[✓✗]/.test(document.querySelector(".rows td:last-child").textContent));
    assert.deepEqual(errors, []);
    await close();
  },
  async pan_and_zoom({ page }) {
    const frame = async () => (await page.getAttribute(".stage svg", "viewBox")).split(" ").map(Number);
    const [x, y, width] = await frame();
    await key(page, "+");
    assert.ok((await frame())[2] < width);
    await page.click("[data-key='-']");
    await page.mouse.move(500, 90);
    await page.mouse.down();
    await page.mouse.move(440, 120, { steps: 4 });
    await page.mouse.up();
    const panned = await frame();
    assert.ok(panned[0] > x && panned[1] < y);
    await key(page, "0");
    assert.deepEqual(await frame(), [x, y, width, (await frame())[3]]);
  },
  async the_keyboard_alone_is_enough({ page }) {
    await key(page, "Home", "Tab");
    for (let i = 0; i < 60 && !(await page.evaluate(() => document.activeElement.matches(".stage"))); i += 1) await key(page, "Tab");
    await key(page, "ArrowRight", "ArrowRight");
    assert.equal(await text(page, ".phase"), "Forward 2 of 5");
    await key(page, "ArrowDown");
    const first = await text(page, ".name");
    await key(page, "ArrowDown");
    assert.notEqual(await text(page, ".name"), first);
    await key(page, "ArrowUp");
    assert.equal(await text(page, ".name"), first);
    await key(page, "Enter");
    assert.equal(await page.$eval(".choice", (choice) => choice.selectedOptions[0].textContent), first);
    await key(page, "End");
    assert.match(await text(page, ".phase"), /^Backward (\d) of \1$/);
    await key(page, "/");
    assert.ok(await page.evaluate(() => document.activeElement.matches(".find")));
    await key(page, "p", "m");
    assert.equal(await page.inputValue(".find"), "pm");
    assert.equal(await page.getAttribute("[data-key='p']", "aria-pressed"), null);
  },
  async steps_are_announced({ page }) {
    assert.equal(await page.getAttribute(".say", "role"), "status"); // a live region, polite
    await key(page, "Home", "ArrowRight");
    assert.equal(await page.getAttribute(".slider", "aria-valuetext"), "Forward 1 of 5: a = 2");
  },
  async nothing_moves_where_motion_is_reduced() {
    const { page, close } = await open("fixture", { reducedMotion: "reduce" });
    assert.equal(await page.$eval(".edge.hot .line", (line) => getComputedStyle(line).animationName), "none");
    await close();
    const other = await open("fixture");
    assert.equal(await other.page.$eval(".edge.hot .line", (line) => getComputedStyle(line).animationName), "flow");
    await other.close();
  },
  async light_and_dark_are_accessible() {
    for (const [name, colorScheme, width] of [["fixture", "light", 1000], ["fixture", "dark", 1000], ["network", "dark", 420], ["hostile", "light", 600]]) {
      const { page, close } = await open(name, { colorScheme, viewport: { width, height: 900 } });
      for (const prepare of [() => key(page, "m"), () => key(page, "p", "m")]) {
        assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}`);
        await prepare();
      }
      await close();
    }
  },
  async a_theme_can_be_asked_for() {
    const background = async (name, colorScheme) => {
      const { page, close } = await open(name, { colorScheme });
      const found = await page.$eval("body", (body) => getComputedStyle(body).backgroundColor);
      await close();
      return found;
    };
    assert.equal(await background("dark", "light"), "rgb(17, 17, 17)");
    assert.equal(await background("fixture", "dark"), "rgb(17, 17, 17)");
    assert.equal(await background("fixture", "light"), "rgb(255, 255, 255)");
  },
  async it_asks_for_nothing_from_outside() {
    for (const name of ["fixture", "network", "hostile", "notebook"]) {
      const { page, outside, errors, close } = await open(name);
      await key(page, "Home", " ");
      assert.deepEqual([outside, errors], [[], []]);
      await close();
    }
  },
  async labels_are_text() {
    const { page, errors, close } = await open("hostile");
    assert.deepEqual(errors, []);
    assert.equal(await page.evaluate(() => globalThis.attacked), undefined);
    assert.equal((await page.$$("script")).length, 1);
    assert.deepEqual(await page.$$eval(".choice option", (options) => options.slice(1).map((option) => option.textContent)), expected.hostile.leaves);
    await close();
  },
  async two_on_a_page_do_not_meet() {
    const { page, errors, close } = await open("two");
    const globals = new Set(await page.evaluate(() => Object.keys(globalThis)));
    const frames = page.frames().slice(1);
    assert.equal(frames.length, 2);
    await frames[0].click("[data-key='Home']");
    assert.equal(await frames[0].textContent(".phase"), "Start");
    assert.match(await frames[1].textContent(".phase"), /^Backward/);
    await frames[0].press(".stage", "ArrowRight");
    assert.equal(await frames[0].textContent(".phase"), "Forward 1 of 5");
    assert.match(await frames[1].textContent(".phase"), /^Backward/);
    for (const name of ["explore", "tape", "table", "root"]) assert.ok(!globals.has(name));
    assert.equal(await frames[0].evaluate(() => typeof tape + typeof table + typeof forward), "undefinedundefinedundefined");
    assert.deepEqual(errors, []);
    await close();
  },
  async it_runs_where_html_is_inserted_as_text() { // as marimo does, which runs no scripts inserted so
    const { page, close } = await open("inserted");
    const frame = page.frames()[1];
    await frame.waitForSelector(".box");
    assert.equal((await frame.$$(".box")).length, 5);
    await close();
  },
  async it_runs_in_a_notebook_exported_to_html() {
    const { page, errors, close } = await open("notebook");
    const frame = page.frames()[1];
    await frame.waitForSelector(".box");
    assert.equal(await frame.textContent(".said"), expected.fixture.steps.at(-1).say);
    await frame.waitForFunction(() => document.documentElement.scrollHeight <= innerHeight + 1 && innerHeight < 900);
    await page.setViewportSize({ width: 420, height: 900 });
    await frame.waitForFunction(() => innerHeight > 900 && document.documentElement.scrollHeight <= innerHeight + 1);
    assert.deepEqual(errors, []);
    await close();
  },
  async what_python_alone_can_compute_stands_still() {
    const { page, errors, close } = await open("custom");
    assert.match(await text(page, ".note"), /halved cannot be computed outside of Python/);
    assert.ok(await page.isDisabled(".rows input[type=range]"));
    assert.equal(await text(page, ".chain"), expected.custom.chain);
    assert.deepEqual(errors, []);
    await close();
  },
};

const outcomes = await outcomesOf(checks, "fixture");

/** How long a large page takes, in milliseconds: to open in full, and to recompute and draw a frame. */
async function measure(name, full) {
  const { page, close } = await open(name), script = () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  const opened = await page.evaluate(script);
  const before = await page.evaluate(() => performance.now());
  if (full) await page.click("[data-key=']']");
  const expanded = (await page.evaluate(script)) - before;
  const frame = await page.evaluate(() => {
    const range = document.querySelector(".rows input[type=range]"), times = [];
    for (let i = 0; i < 20; i += 1) {
      range.value = Number(range.value) + Number(range.step) * (i % 2 ? 3 : -3);
      const start = performance.now();
      range.dispatchEvent(new Event("input"));
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[10];
  });
  await close();
  return { opened, expanded, frame };
}

if (process.argv[3] === "measure") outcomes.measured = { three: await measure("three_thousand", true), five: await measure("five_thousand", true) };
await browser.close();
console.log(JSON.stringify(outcomes));
