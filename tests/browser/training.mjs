// Opens pages of trainings in Chromium, with the network cut, and prints as JSON what happened. Arguments: the folder with the pages.
// Each check is a function of this file; the Python test asks for one outcome a check.
import assert from "node:assert/strict";
import { browser, expected, key, open, outcomesOf, text, violations } from "./pages.mjs";

/** Everything in the picture of a page that an epoch changes. */
const picture = (page) => page.evaluate(() => {
  const all = (selector, ...names) => [...document.querySelectorAll(selector)].map((part) => names.map((name) => part.getAttribute(name)));
  return {
    title: document.querySelector("svg title").textContent,
    epoch: document.querySelector(".epoch").textContent,
    words: document.querySelector(".words").textContent,
    regions: all(".regions path", "d"),
    weights: all(".weights path", "class", "stroke-width"),
    biases: all(".biases circle", "class", "r"),
    points: all(".points path", "class").map(([kind]) => [kind.split(" ").sort().join(" ")]),
    marks: all(".mark", "cx", "cy", "r").map((mark) => mark.map(Number)),
    now: all(".now", "transform"),
  };
});
const last = expected.moons.length - 1;
const at = async (page) => Number(await page.inputValue(".slider"));

const checks = {
  async every_epoch_is_the_picture_that_python_draws({ page }) {
    for (const k of [...expected.moons.keys(), 0, last]) {
      await page.fill(".slider", String(k));
      assert.deepEqual(await picture(page), expected.moons[k], `epoch ${k}`);
    }
  },
  async it_begins_with_the_last_epoch({ page }) {
    assert.equal(await at(page), last);
    assert.deepEqual(await picture(page), expected.moons[last]);
  },
  async without_script_the_last_epoch_is_there() {
    const { page, close } = await open("moons", { javaScriptEnabled: false });
    assert.equal(await text(page, ".epoch"), expected.moons[last].epoch);
    await close();
  },
  async buttons_and_keys_step({ page }) {
    for (const act of [(name) => page.click(`[data-key='${name}']`), (name) => key(page, name)]) {
      const visited = [];
      for (const name of ["Home", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight"]) {
        await act(name);
        visited.push(await at(page));
      }
      assert.deepEqual(visited, [0, 0, 1, 2, 1, last, last]);
    }
    await page.focus(".slider");
    await key(page, "Home", "ArrowRight");
    assert.equal(await at(page), 1);
    await page.focus(".play");
    await key(page, "Control+End");
    assert.equal(await at(page), 1);
  },
  async play_runs_to_the_end_and_stops({ page }) {
    await page.clock.install();
    await page.reload();
    await page.click(".play");
    assert.equal(await at(page), 0);
    assert.equal(await text(page, ".play"), "⏸ Pause");
    await page.clock.runFor(3 * 120 + 60);
    assert.equal(await at(page), 3);
    await key(page, "Tab", "Shift+Tab", " "); // on the button: pressed, not pressed and released
    assert.equal(await text(page, ".play"), "▶ Play");
    await page.clock.runFor(1000);
    assert.equal(await at(page), 3);
    await page.evaluate(() => document.activeElement.blur());
    await key(page, " ");
    await page.clock.runFor(60_000);
    assert.equal(await at(page), last);
    assert.equal(await text(page, ".play"), "▶ Play");
  },
  async play_is_slower_where_motion_is_reduced() {
    const { page, close } = await open("moons", { reducedMotion: "reduce" });
    await page.clock.install();
    await page.reload();
    await page.click(".play");
    await page.clock.runFor(2500);
    assert.equal(await at(page), 2);
    await close();
  },
  async epochs_are_announced({ page }) {
    assert.equal(await page.getAttribute(".heard", "role"), "status");
    await key(page, "Home");
    const { epoch, words, title } = expected.moons[0];
    assert.equal(await page.getAttribute(".slider", "aria-valuetext"), `${epoch}: ${words}`);
    assert.equal(await text(page, ".heard"), `${epoch}: ${words}`);
    assert.equal(title, `Training, ${epoch}: ${words}`);
    await page.clock.install();
    await page.reload();
    await page.click(".play");
    await page.clock.runFor(300);
    assert.equal(await text(page, ".heard"), `${epoch}: ${words}`, "an epoch that plays by is not told");
  },
  async light_and_dark_are_accessible() {
    for (const [name, colorScheme, width] of [["moons", "light", 1000], ["moons", "dark", 420], ["odd", "light", 600], ["network", "dark", 1000]]) {
      const { page, close } = await open(name, { colorScheme, viewport: { width, height: 900 } });
      assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}`);
      await close();
    }
  },
  async colours_follow_the_theme() {
    const fill = async (name, colorScheme) => {
      const { page, close } = await open(name, { colorScheme });
      const found = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector("rect.card")).fill]);
      await close();
      return found;
    };
    const light = await fill("moons", "light"), dark = await fill("moons", "dark");
    assert.equal(light[0], "rgb(255, 255, 255)");
    assert.equal(dark[0], "rgb(17, 17, 17)");
    assert.notEqual(light[1], dark[1]);
    assert.deepEqual(await fill("network", "light"), dark);
  },
  async texts_do_not_overlap({ page }) {
    for (const name of ["moons", "odd", "network", "classes"]) {
      await page.goto(page.url().replace(/\w+\.html/, `${name}.html`));
      const overlaps = await page.evaluate(() => {
        const boxes = [...document.querySelectorAll("svg text")].map((part) => [part.textContent, part.getBoundingClientRect()]);
        const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
        const card = document.querySelector("rect.card").getBoundingClientRect();
        return [...boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([, b]) => meet(a, b)).map(([other]) => [one, other])),
          ...boxes.filter(([, a]) => a.left < card.left || a.right > card.right || a.bottom > card.bottom).map(([one]) => [one, "outside"])];
      });
      assert.deepEqual(overlaps, [], name);
    }
  },
  async it_asks_for_nothing_from_outside() {
    for (const name of ["moons", "odd", "network", "classes", "notebook"]) {
      const { page, outside, errors, close } = await open(name);
      await key(page, "Home", "ArrowRight");
      assert.deepEqual([outside, errors], [[], []]);
      assert.equal(await page.evaluate(() => globalThis.attacked), undefined);
      await close();
    }
  },
  async two_on_a_page_do_not_meet() {
    const { page, errors, close } = await open("two");
    const [one, other] = page.frames().slice(1);
    await one.waitForFunction(() => document.querySelector(".heard").textContent);
    await one.click("[data-key='Home']");
    assert.equal(await one.inputValue(".slider"), "0");
    assert.equal(await other.inputValue(".slider"), String(last));
    assert.deepEqual(await one.evaluate(() => ["tape", "root", "moments", "codes", "show", "act", "at"].filter((name) => name in globalThis)), []);
    assert.deepEqual(errors, []);
    await close();
  },
  async it_runs_where_html_is_inserted_and_in_an_exported_notebook() {
    for (const name of ["inserted", "notebook"]) {
      const { page, errors, close } = await open(name);
      const frame = page.frames()[1];
      await frame.waitForFunction(() => document.querySelector(".heard")?.textContent);
      await frame.click("[data-key='Home']");
      assert.equal(await frame.textContent(".epoch"), expected.moons[0].epoch);
      await frame.waitForFunction(() => document.documentElement.scrollHeight <= innerHeight + 1 && innerHeight < 900);
      assert.deepEqual(errors, []);
      await close();
    }
  },
};

const outcomes = await outcomesOf(checks, "moons");
await browser.close();
console.log(JSON.stringify(outcomes));
