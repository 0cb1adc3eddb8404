// The training of one model, in `root`: `tape.moments` has what each epoch changes in the picture, all of it text and numbers that
// Python has written. A weight is a character: its place in `codes` is its level, from -`levels` to `levels`; the last is no number.

const { moments, codes, levels, widths, radii, mark } = tape, last = moments.length - 1;
const all = (selector) => [...root.querySelectorAll(selector)], one = (selector) => root.querySelector(selector);
const regions = all(".regions path"), weights = all(".weights path"), discs = all(".biases circle"), points = all(".points path"), marks = all(".mark");
const [epoch, words, title, now, slider, heard, play] = [".epoch", ".words", "svg title", ".now", ".slider", ".heard", ".play"].map(one);
const still = matchMedia("(prefers-reduced-motion: reduce)");
let at = last, timer = 0;

/** The level of a weight, and the class that has its colour. */
function leveled(code) {
	const level = codes.indexOf(code) - levels;
	return level > levels ? [levels + 1, "bad"] : [Math.abs(level), level > 0 ? "positive" : level ? "negative" : "zero"];
}

/** Show an epoch. */
function show(k) {
	at = Math.max(0, Math.min(last, k));
	const moment = moments[at], name = `${moment.epoch}${moment.words && ": "}${moment.words}`;
	epoch.textContent = moment.epoch;
	words.textContent = moment.words;
	title.textContent = `Training, ${name}`;
	slider.value = at;
	slider.setAttribute("aria-valuetext", name);
	if (!timer) heard.textContent = name;
	regions.forEach((path, i) => path.setAttribute("d", moment.outlines[i] ?? ""));
	weights.forEach((path, i) => {
		const [level, sign] = leveled(moment.weights[i]);
		path.setAttribute("class", `w ${sign}`);
		path.setAttribute("stroke-width", widths[level]);
	});
	discs.forEach((disc, i) => {
		const [level, sign] = leveled(moment.biases[i]);
		disc.setAttribute("class", `disc ${sign}`);
		disc.setAttribute("r", radii[level]);
	});
	points.forEach((point, i) => point.classList.toggle("wrong", moment.wrong[i] === "1"));
	moment.marks.forEach(([x, y], i) => {
		now.setAttribute("transform", `translate(${x} 0)`);
		marks[i].setAttribute("cx", x);
		marks[i].setAttribute("cy", y ?? 0);
		marks[i].setAttribute("r", y === null ? 0 : mark);
	});
}

function stop() {
	clearInterval(timer);
	timer = 0;
	play.textContent = "▶ Play";
}

/** Go through the epochs, from the first one where the last one is shown; slower where less motion is asked for. */
function start() {
	if (at === last) show(0);
	play.textContent = "⏸ Pause";
	timer = setInterval(() => {
		if (at + 1 >= last) stop();
		show(at + 1);
	}, still.matches ? 1000 : 120);
}

function act(key) {
	const isPlaying = timer;
	stop();
	if (key === " " && !isPlaying) start();
	else show({ Home: 0, ArrowLeft: at - 1, ArrowRight: at + 1, End: last }[key] ?? at);
}

for (const button of all("[data-key]")) button.addEventListener("click", () => act(button.dataset.key));
slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
document.addEventListener("keydown", (event) => {
	const { key, target, ctrlKey, metaKey, altKey } = event;
	if (!one(`[data-key="${CSS.escape(key)}"]`) || ctrlKey || metaKey || altKey || (key === " " && target.closest("button"))) return;
	event.preventDefault();
	act(key);
});
show(last);
