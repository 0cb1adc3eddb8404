// The explorer of one expression, in `root`: `tape` is its graph in topological order, `table` the rules of its operations. What
// knows of no page comes first. Text from the tape is only ever set as text.

// --- the tape: names, ops (positions in kinds; -1: a leaf), args (values; -1 - position: a constant), partials that are fixed

const { names, ops, args, kinds, fixed, views } = tape, constants = tape.constants.map(Number);
const count = ops.length, last = count - 1, result = names[last];

const start = tape.data.map(Number), data = Float64Array.from(start);
let partials, adjoints;

const number = (place, numbers) => (place < 0 ? constants[-1 - place] : numbers[place]);
const entryOf = (i) => table[kinds[ops[i]].key];

function forward(numbers) {
	for (let i = 0; i < count; i += 1) {
		if (ops[i] < 0 || fixed[i]) continue;
		const { value } = entryOf(i), places = args[i];
		if (places.length > 2) numbers[i] = value(...places.map((place) => number(place, numbers)));
		else numbers[i] = value(number(places[0], numbers), places.length > 1 ? number(places[1], numbers) : 0);
	}
	return numbers;
}

/** Values, partials (null where there is no derivative), adjoints. */
function compute() {
	forward(data);
	partials = ops.map((op, i) => (op < 0 ? [] : fixed[i]?.map((x) => x && Number(x))
		?? entryOf(i).partials(data[i], ...args[i].map((place) => number(place, data)))));
	adjoints = sweptAfter(every ?? edgesOf(), Infinity);
}

/** The edges that a reverse sweep passes, in its order; with `only` a value, those on routes from it. */
function edgesOf(only = -1) {
	const reached = new Uint8Array(count), wanted = new Uint8Array(count), edges = [];
	for (let i = 0; i < count; i += 1) wanted[i] = only < 0 || i === only || args[i].some((place) => place >= 0 && wanted[place]);
	reached[last] = 1;
	for (let node = last; node >= 0; node -= 1) {
		if (!reached[node]) continue;
		args[node].forEach((operand, slot) => {
			if (operand < 0 || !wanted[operand] || partials[node][slot] === null) return;
			reached[operand] = 1;
			edges.push({ node, slot, operand });
		});
	}
	return edges;
}

const inOrder = (one, other) => one.node - other.node || one.slot - other.slot;

function forwardOrder(edges, from) {
	const reached = new Set([from]);
	return [...edges].sort(inOrder).filter(({ node, operand }) => reached.has(operand) && reached.add(node));
}

/** The sum where no edge arrives. */
const ABSENT = new Number(0);

/** What an edge brings; ABSENT where a selection leaves it out. */
function product({ node, slot }, factor) {
	const partial = partials[node][slot];
	return factor === ABSENT || (partial === 0 && kinds[ops[node]].selects[slot]) ? ABSENT : factor * partial;
}

/** Adjoints after `until` edges, or with a leaf tangents; null before any. */
function sweptAfter(edges, until, leaf = -1) {
	const sums = new Array(count).fill(null);
	sums[leaf < 0 ? last : leaf] = 1;
	for (const edge of edges.slice(0, until)) {
		const [from, to] = leaf < 0 ? [edge.node, edge.operand] : [edge.operand, edge.node];
		const term = product(edge, sums[from]), sum = sums[to] ?? ABSENT;
		sums[to] = sum === ABSENT ? term : term === ABSENT ? sum : sum + term;
	}
	return sums;
}

/** The exact number of routes from each value to the result. */
function routesOf(edges) {
	const counts = new Map([[last, 1n]]);
	for (const { node, operand } of edges) counts.set(operand, (counts.get(operand) ?? 0n) + counts.get(node));
	return counts;
}

function resultAt(leaf, x) {
	const moved = Float64Array.from(data);
	moved[leaf] = x;
	return forward(moved).at(-1);
}

/** The slope between two points beside a leaf's value. */
function differenceQuotient(leaf) {
	const x = data[leaf], h = 6.055454452393343e-6 * max(1, abs(x));
	return (resultAt(leaf, x + h) - resultAt(leaf, x - h)) / (x + h - (x - h));
}

let every;
compute();
every = edgesOf();

// --- text, as a derivation has it

/** A number in at most six significant digits, as Python's "%.6g" writes it. */
function short(number, digits = 6) {
	const x = Number(number);
	if (!isFinite(x)) return x !== x ? "nan" : x > 0 ? "inf" : "-inf";
	if (x === 0) return Object.is(x, -0) ? "-0" : "0";
	const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
	const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
	if (exponent >= -4 && exponent < digits) return trimmed(x.toFixed(digits - 1 - exponent));
	return `${trimmed(mantissa)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

const signed = (text, at = 1) => (at && text.startsWith("-") ? `(${text})` : text);
const marked = (name, mark) =>
	(/^[\p{L}\p{N}_][\p{Nd}_]*$/u.test(name) ? name.replace(/./u, `$&${mark}`) : `(${name})${mark}`).normalize("NFC");

const sweptName = (name, leaf) => marked(name, leaf < 0 ? "\u0304" : "\u0307");

function partialName({ node, slot, operand }) {
	const place = args[node].filter((x) => x === operand).length > 1 ? `#${slot + 1}` : "";
	return `∂${names[node]}/∂${names[operand]}${place}`;
}

function productText(edge, factor) {
	const partial = partials[edge.node][edge.slot], term = Number(product(edge, factor));
	return term === factor * partial || term !== term ? `${signed(short(factor))}·${signed(short(partial))}` : short(term);
}

function sumText(terms) {
	const shown = terms.map(signed);
	return (shown.length <= 8 ? shown : [...shown.slice(0, 6), `… (${shown.length - 7} more)`, shown.at(-1)]).join(" + ");
}

/** A formula with other names in place of its arguments. */
function substituted(formula, names, texts) {
	return formula.replace(/(^|\(|, )?\b(\w+)\b(?!\()(?=($|\)|,)?)/g, (all, before, name, after) => {
		const i = names.indexOf(name);
		return i < 0 ? all : (before ?? "") + signed(texts[i], before === undefined || after === undefined);
	});
}

/** The rule of a partial with the names of values in it; null where it is but a number. */
function ruleText({ node, slot }) {
	const kind = kinds[ops[node]], named = (place) => (place < 0 ? short(constants[-1 - place]) : names[place]);
	return kind.rules[slot] && substituted(kind.rules[slot], [...kind.arguments, "r"], [...args[node].map(named), names[node]]);
}

function chainRule(i) {
	const of = (node) => `∂${result}/∂${names[node]}`;
	const into = every.filter(({ operand }) => operand === i).sort(inOrder), direct = into.every(({ node }) => node === last);
	const partial = ({ node, slot }) => partials[node][slot], sides = [of(i)];
	if (into.length === 1 && direct) {
		return [...sides, ruleText(into[0]) ?? [], short(adjoints[i])].flat().join(" = ");
	}
	if (into.length) {
		sides.push(sumText(into.map((edge) => (direct ? "" : `${of(edge.node)}·`) + partialName(edge))));
		sides.push(sumText(into.map((edge) => (direct ? short(partial(edge)) : productText(edge, adjoints[edge.node])))));
	}
	sides.push(short(adjoints[i] ?? 0));
	return sides.filter((side, at) => at === 0 || side !== sides[at - 1]).join(" = ");
}

// --- the page

function make(tag, attributes = {}, ...children) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (typeof value === "function") on(element, name.slice(2), value);
		else element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
}

function write(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

const on = (element, kind, act) => element.addEventListener(kind, act);
const press = (key, isPressed) => button(key).setAttribute("aria-pressed", isPressed);

const leaves = [...names.keys()].filter((i) => ops[i] < 0), routes = routesOf(every), grouped = (n) => n.toLocaleString("en");
// The step; the leaf of forward mode; the value that the sweep is for (-1: all leaves); what is looked at.
let sums = adjoints, at = 0, leaf = -1, by = -1, selected = -1, hovered = -1, edges = every, timer = 0, later = 0, isPredicting = false, isMoved = false;
const revealed = new Set(), isHidden = (i) => isPredicting && i !== last && !revealed.has(i);
const steps = () => count + 1 + edges.length, visited = () => max(0, at - count - 1), shown = () => (hovered < 0 ? selected : hovered);

const parts = {};
for (const element of root.querySelectorAll("[class]")) parts[element.getAttribute("class")] = element;
const { find, choice, slider, stage, share, guess } = parts;
const keys = {
	Home: () => go(0), ArrowLeft: () => go(at - 1), " ": () => play(), ArrowRight: () => go(at + 1), End: () => go(Infinity),
	reverse: () => sweepFor(by, false), forward: () => sweepFor(by, true), m: () => sweepFor(by, leaf < 0), p: () => predict(!isPredicting),
	"[": () => show(view - 1), "]": () => show(view + 1), "-": () => zoom(1.25), "+": () => zoom(0.8), 0: () => fit(), "/": () => find.focus(),
	ArrowUp: () => select((max(selected, 0) + last) % count), ArrowDown: () => select((selected + 1) % count), Enter: () => setBy(by === selected ? -1 : selected),
};
const button = (key) => root.querySelector(`[data-key="${key}"]`);
for (const element of root.querySelectorAll("[data-key]")) on(element, "click", keys[element.dataset.key]);
on(document, "keydown", (event) => {
	const { key, target } = event, isOther = /INPUT|SELECT/.test(target.tagName) && target !== slider;
	if (!keys[key] || isOther || event.ctrlKey || event.metaKey || event.altKey || (target.type === "button" && /^(Enter| )$/.test(key))) return;
	event.preventDefault();
	keys[key]();
});
on(find, "change", search);
on(choice, "change", () => setBy(Number(choice.value)));
on(slider, "input", () => go(Number(slider.value)));

// --- what it shows, and at which step

function go(step) {
	at = max(0, min(step, steps()));
	sums = at > count ? sweptAfter(edges, visited(), leaf) : new Array(count).fill(null);
	if (at === steps()) play(false);
	update();
}

function play(on = !timer) {
	clearInterval(timer);
	if (on && at === steps()) go(0);
	timer = on ? setInterval(() => go(at + 1), max(60, min(1400, 40000 / steps()))) : 0;
	write(button(" "), timer ? "■ Stop" : "▶ Play");
}

/** Sweep for one value alone, or for all leaves (-1); in forward mode always from one value. */
function sweepFor(i, isForward) {
	const isAtEnd = at >= steps();
	by = isForward && i < 0 ? max(selected, 0) : i;
	leaf = isForward ? by : -1;
	edges = by < 0 ? every : edgesOf(by);
	if (isForward) edges = forwardOrder(edges, leaf);
	order();
	slider.max = steps();
	share.style.setProperty("--share", `${(100 * count) / steps()}%`);
	write(share.lastChild, isForward ? `tangents by ${names[leaf]}` : "backward: adjoints");
	press("reverse", !isForward);
	press("forward", isForward);
	choice.value = by;
	if (choice.value !== String(by)) choice.append(new Option(names[by], by, true, true));
	go(isAtEnd ? Infinity : at);
}

function setBy(i) {
	if (i >= 0) selected = i;
	sweepFor(i, leaf >= 0);
}

function predict(on) {
	isPredicting = on;
	revealed.clear();
	press("p", on);
	go(on ? min(at, count) : at);
}

function setLeaf(i, x) {
	data[i] = x;
	isMoved = true;
	compute();
	clearTimeout(later);
	if (count > 500) later = setTimeout(() => { later = 0; update(); }, 150); // what takes many evaluations
	go(at);
}

function select(i) {
	selected = i;
	hovered = -1;
	update();
}

function search() {
	const text = find.value, found = names.includes(text) ? names.indexOf(text) : names.findIndex((name) => name.includes(text));
	find.setAttribute("aria-invalid", found < 0);
	if (found < 0) return;
	select(found);
	look(found);
}

// --- words

function formula(i) {
	if (ops[i] < 0) return `${names[i]} = ${short(data[i])}`;
	const kind = kinds[ops[i]], written = (text) => substituted(kind.formula, kind.arguments, args[i].map(text));
	return [names[i], written((place) => (place < 0 ? short(constants[-1 - place]) : names[place])),
		written((place) => short(number(place, data))), short(data[i])].join(" = ");
}

/** Which phase it is in, and what the present step does. */
function sentence() {
	const back = leaf < 0, when = back ? "Backward" : "Tangents", name = (i) => sweptName(names[i], leaf), done = visited(), from = back ? last : leaf;
	if (at === 0) return ["Start", "Nothing is computed yet: step on with →, or play."];
	if (at <= count) return [`Forward ${grouped(at)} of ${grouped(count)}`, formula(at - 1)];
	if (!done) return [`${when}: the start`, `${name(from)} = ∂${names[from]}/∂${names[from]} = 1`];
	const edge = edges[done - 1], [source, to] = back ? [edge.node, edge.operand] : [edge.operand, edge.node];
	const before = sweptAfter(edges, done - 1, leaf), factor = before[source], total = short(sums[to]);
	const sides = [`${name(source)}·${partialName(edge)}`, productText(edge, factor), short(product(edge, factor))];
	const isDone = edges.slice(done).every((other) => (back ? other.operand : other.node) !== to);
	const what = isHidden(to) ? `${sides[0]} = ?` : sides.filter((side, i) => side !== sides[i - 1]).join(" = ")
		+ (before[to] === null ? "" : `,   so far ${total}`) + (isDone ? `   ✓ ${name(to)} = ${total}` : "");
	return [`${when} ${grouped(done)} of ${grouped(edges.length)}`, `${name(to)} += ${what}`];
}

function routesText(i) {
	const found = routes.get(i) ?? 0n, { length } = String(found);
	return length > 60 ? `about 10^${length - 1}` : grouped(found);
}

const forwardEdges = leaves.length * every.length > 3e6 ? "" : `, ${grouped(leaves.reduce((sum, i) => sum + edgesOf(i).length, 0))} edges`;

function update() {
	const [when, what] = sentence(), whose = by >= 0 ? by : selected >= 0 ? selected : leaves[0] ?? last;
	slider.value = at;
	slider.setAttribute("aria-valuetext", `${when}: ${what}`);
	write(parts.phase, when);
	write(parts.said, what);
	write(parts.value, short(data[last]));
	const facts = [`${grouped(visited())} of ${grouped(edges.length)}`, routesText(whose), `1 sweep, ${grouped(every.length)} edges`,
		`${grouped(leaves.length)} sweep${leaves.length === 1 ? "" : "s"}${forwardEdges}`];
	root.querySelectorAll("dd").forEach((element, i) => write(element, facts[i]));
	write(parts.whose, names[whose]);
	draw();
	tell();
	list();
}

// --- the drawing

let view, drawing, layers, boxes, lines, boxOf, frame, drawn;
const lineOf = ({ node, slot, operand }) => lines.get(boxes[boxOf[node]].i < 0 ? `${boxOf[node]}<${boxOf[operand]}` : `${node} ${slot}`);
const scale = () => room()[0] / frame[2];
const text = (x, y, kind, words = "") => make("text", { x, y, class: kind }, words);
const rect = (x, y, width, height, rx, kind = "") => make("rect", { x, y, width, height, rx, class: kind });
const traced = new Map(), trace = (i) => traced.get(i) ?? traced.set(i, new Set(edgesOf(i).map(lineOf).filter(Boolean))).get(i);

/** Draw one of the views. What can be seen is made when it is seen; from afar, all boxes are one path, and all edges another. */
function show(which, around = selected) {
	view = max(0, min(which, views.length - 1));
	button("[").disabled = view === 0;
	button("]").disabled = view === views.length - 1;
	boxOf = new Int32Array(count);
	lines = new Map();
	traced.clear();
	({ boxes } = views[view]);
	boxes.forEach((box, position) => {
		box.i = /group|rest/.test(box.kind) ? -1 : box.values[0];
		for (const value of box.values) boxOf[value] = position;
	});
	for (const line of views[view].edges) {
		const { i } = boxes[line.head];
		line.i = line.tail === null ? -1 : i;
		lines.set(i < 0 ? `${line.head}<${line.tail}` : `${i} ${line.slot}`, line);
	}
	const all = (things, path) => make("path", { d: [...things].map(path).join(""), class: "line" });
	layers = ["scopes", "afar", "edges", "boxes"].map((kind) => make("g", { class: kind }));
	layers[0].append(...views[view].groups.flatMap(([x, y, width, height, title]) => [rect(x, y, width, height, 8, "scope"), text(x + 8, y + 13, "caption", title)]));
	layers[1].append(all(lines.values(), ({ d }) => d), make("path", { class: "line" }), all(boxes, ({ x, y, width, height }) => `M${x} ${y}h${width}v${height}h${-width}z`));
	drawing = make("svg", { role: "img", "aria-label": `Graph of ${result}` }, ...layers);
	stage.replaceChildren(drawing);
	order();
	fit();
	if (around >= 0 && scale() < 0.5) look(around);
	update();
}

/** Note when the sweep passes each line first. */
function order() {
	for (const line of lines.values()) line.first = Infinity;
	edges.map(lineOf).forEach((line, i) => { if (line) line.first = min(line.first, i); }); // none inside of a closed scope
}

function boxGroup({ x, y, width, height, kind, symbol, strip, title, rows, values, i }) {
	const left = x + strip + 9, right = x + width - 9, fields = i < 0 ? [] : [text(right, y + 32, "number"), text(right, y + 47, "number"), text(left, y + 47, "caption")];
	const group = make("g", { "data-value": i, style: `--fill: var(--${kind}); --edge: var(--${kind}-line)`, onclick: () => (i < 0 ? open(values) : select(i)),
		onpointerenter: () => hover(i), onpointerleave: () => hover(-1) }, rect(x, y, width, height, /leaf|param/.test(kind) ? 18 : 5),
	text(left, y + 17, "title", title), ...rows.map((row, line) => text(left, y + 32 + 15 * line, "caption", row)), ...fields);
	if (i >= 0) group.append(text(left, y + 32, "caption", "data"));
	if (strip) group.append(make("path", { d: `M${x + strip} ${y}v${height}`, class: "strip" }), text(x + strip / 2, y + height / 2 + 4, "symbol", symbol));
	if (kind === "output") group.append(rect(x - 3, y - 3, width + 6, height + 6, 7, "double"));
	return { group, fields };
}

function lineGroup({ d, x, y, width, words }) {
	const field = text(x, y + 4, "symbol", words), head = `M${d.match(/-?\d+ -?\d+$/)[0]}m-6-4l6 4l-6 4`;
	const group = make("g", {}, make("path", { d, class: "line" }), make("path", { d: head, class: "line head" }));
	if (width) group.append(rect(x - width / 2, y - 8, width, 16, 8), field);
	return { group, fields: [field] };
}

function draw() {
	const i_ = shown(), far = scale() < 0.3 && boxes.length > 99, route = i_ >= 0 && i_ !== last ? trace(i_) : new Set(), done = visited();
	const edge = done ? edges[done - 1] : null, fresh = at > 0 && at <= count ? at - 1 : -1, hot = edge && lineOf(edge);
	const target = edge ? (leaf < 0 ? edge.operand : edge.node) : at === count + 1 ? (leaf < 0 ? last : leaf) : fresh;
	const [x, y, wide, tall] = frame, isSeen = (a, b) => min(a.x, b.x) < x + wide / 2 && max(a.x + a.width, b.x + b.width) > x - wide / 2
		&& min(a.y, b.y) < y + tall / 2 && max(a.y + a.height, b.y + b.height) > y - tall / 2;
	const kindOf = (thing, kinds_) => {
		const kind = Object.keys(kinds_).filter((name) => kinds_[name]).join(" ");
		if (kind !== thing.now) thing.made.group.setAttribute("class", thing.now = kind);
	};
	const seen = [[...lines.values()].filter(({ head, tail }) => !far && isSeen(boxes[head], boxes[tail ?? head])), boxes.filter((box) => !far && isSeen(box, box))];
	drawing.setAttribute("class", `${far ? "far" : ""} ${route.size ? "tracing" : ""}`);
	if (far) layers[1].children[1].setAttribute("d", [...route].map(({ d }) => d).join(""));
	for (const line of seen[0]) {
		const partial = line.i < 0 ? undefined : partials[line.i][line.slot];
		line.made ??= lineGroup(line);
		kindOf(line, { edge: true, fed: fresh >= 0 && line.i === fresh, hot: line === hot, back: leaf < 0, passed: line.first < done, route: route.has(line),
			none: partial === null || line.tail === null });
		if (typeof partial === "number") write(line.made.fields[0], short(partial, 4));
	}
	for (const box of seen[1]) {
		const { i, values, kind } = box, { fields } = box.made ??= boxGroup(box);
		kindOf(box, { box: true, [kind]: true, off: values.every((value) => value >= at), hot: target >= 0 && boxes[boxOf[target]] === box, selected: values.includes(i_) });
		if (i < 0) continue;
		write(fields[0], i < at ? short(data[i], 4) : "·");
		write(fields[1], sums[i] === null ? "·" : isHidden(i) ? "?" : short(sums[i], 4));
		write(fields[2], leaf < 0 ? "grad" : "dot");
	}
	if (drawn === `${view} ${frame}`) return;
	drawn = `${view} ${frame}`;
	seen.forEach((things, k) => layers[2 + k].replaceChildren(...things.map(({ made }) => made.group)));
}

function open(values) {
	show(view + 1, values.at(-1));
	look(values.at(-1));
}

function hover(i) {
	hovered = i;
	draw();
	tell();
}

const room = () => [stage.clientWidth || 900, stage.clientHeight || 320];

/** Show what is around a point, so wide. */
function setFrame(x, y, width) {
	frame = [x, y, width, (width * room()[1]) / room()[0]];
	drawing.setAttribute("viewBox", [x - width / 2, y - frame[3] / 2, width, frame[3]].join(" "));
	draw();
}

function fit() {
	const width = views[view].width + 50, height = views[view].height + 50, across = room()[0];
	stage.style.height = `${round(max(170, min(480, height * max(0.6, min(1.25, across / width)))))}px`;
	setFrame(width / 2 - 25, height / 2 - 25, max(width, across / 1.25, (height * across) / room()[1]));
}

function zoom(factor) {
	setFrame(frame[0], frame[1], max(120, min(frame[2] * factor, 4 * views[view].width + 4000)));
}

/** Bring a value into sight, at a size that can be read. */
function look(i) {
	const { x, y, width, height } = boxes[boxOf[i]], wide = min(frame[2], room()[0]), tall = (wide * room()[1]) / room()[0];
	const within = (place, size, whole) => (whole + 50 < size ? whole / 2 : max(size / 2 - 25, min(place, whole + 25 - size / 2)));
	setFrame(within(x + width / 2, wide, views[view].width), within(y + height / 2, tall, views[view].height), wide);
}

on(stage, "pointermove", ({ buttons, movementX, movementY }) => {
	if (buttons === 1) setFrame(frame[0] - movementX / scale(), frame[1] - movementY / scale(), frame[2]);
});

// --- the value that is looked at, and the leaves

function tell() {
	const i = shown(), isMine = i >= 0 && !isHidden(i), place = tape.sources?.[i] ?? null, isPlotted = isMine && ops[i] < 0 && tape.live && !later && isFinite(data[last]);
	parts.about.hidden = i < 0;
	parts.plot.hidden = !isPlotted;
	parts.asked.hidden = isMine;
	if (i < 0) return;
	if (names[i] !== parts.name.textContent) parts.asked.reset();
	write(parts.name, names[i]);
	write(parts.made, formula(i));
	write(parts.place, place === null ? "" : `made in ${tape.places[place]}`);
	write(parts.chain, isMine ? chainRule(i) : "");
	write(parts.what, `∂${result}/∂${names[i]} = `);
	if (isPlotted) plot(i);
}

function uncover() {
	revealed.add(shown());
	update();
}

on(parts.reveal, "click", uncover);
on(parts.asked, "submit", (event) => {
	event.preventDefault();
	const right = adjoints[shown()] ?? 0, isRight = guess.value.trim() !== "" && abs(guess.value - right) <= 5e-3 * abs(right);
	write(parts.verdict, isRight ? "Right!" : "Not yet: multiply along each route, then add.");
	if (isRight) setTimeout(uncover, 700);
});

const reachOf = (i) => (isFinite(start[i]) ? 2 * max(1, abs(start[i])) : 2);

/** The result against one leaf, with the tangent. */
function plot(i) {
	const reach = reachOf(i), x0 = data[i], y0 = data[last], slope = adjoints[i] ?? 0, samples = max(8, min(80, floor(1e5 / count)));
	const points = Array.from({ length: samples + 1 }, (_, k) => x0 + reach * ((2 * k) / samples - 1)).map((x) => [x, resultAt(i, x)]).filter(([, y]) => isFinite(y));
	const low = min(y0, ...points.map(([, y]) => y)), span = max(y0, ...points.map(([, y]) => y)) - low || 1;
	const place = ([x, y]) => [((x - x0) / reach + 1) * 150, 120 - ((y - low) / span) * 110].map((z) => z.toFixed(1));
	const set = (part, path) => part.setAttribute("d", path), ends = [-reach, reach].map((step) => place([x0 + step, y0 + slope * step]));
	set(parts.curve, `M${points.map(place).join("L")}`);
	set(parts.tangent, `M${ends.join("L")}`);
	set(parts.point, `M${place([x0, y0])}h0`);
	write(parts.legend, `${result} against ${names[i]}; the tangent at ${short(x0)} has slope ${short(slope)}`);
}

/** A leaf's slider, its derivative, and a check of that by moving the leaf a little. */
function row(i) {
	const line = parts.row.content.firstElementChild.cloneNode(true), [name, range, field] = line.querySelectorAll("button, input");
	const reach = reachOf(i), disabled = !tape.live, [derivative, nudged] = [...line.cells].slice(3);
	write(name, names[i]);
	on(name, "click", () => select(i));
	Object.assign(range, { min: start[i] - reach, max: start[i] + reach, step: reach / 200, disabled });
	field.disabled = disabled;
	on(range, "input", () => setLeaf(i, abs(range.value - start[i]) < reach / 200 ? start[i] : Number(range.value)));
	on(field, "change", () => setLeaf(i, Number(field.value)));
	parts.rows.append(line);
	return { field, range, derivative, nudged, line };
}

const rows = new Map();

function list() {
	for (const i of [...tape.by.filter((i) => ops[i] < 0), ...leaves.slice(0, 12), selected]) if (ops[i] < 0 && !rows.has(i)) rows.set(i, row(i));
	for (const [i, { field, range, derivative, nudged, line }] of rows) {
		const exact = adjoints[i] ?? 0, slope = tape.live && !later ? differenceQuotient(i) : NaN;
		const agrees = abs(slope - exact) <= 1e-5 * max(1, abs(exact), abs(data[last]));
		if (document.activeElement !== field) field.value = isFinite(data[i]) ? short(data[i], 5) : "";
		range.value = data[i];
		write(derivative, isHidden(i) ? "?" : short(exact));
		write(nudged, !tape.live || later || isHidden(i) ? "" : `${agrees ? "✓" : "✗"} ${short(slope, 5)}`);
		line.classList.toggle("selected", i === selected);
	}
	const more = leaves.length > rows.size ? `${grouped(leaves.length - rows.size)} more leaves: click or find one. ` : "";
	write(parts.note, more + (isMoved ? "Recorded operations are computed again; an “if” is not taken anew." : tape.why));
}

[by = -1] = tape.by;
selected = by >= 0 ? by : leaves.reduce((most, i) => ((routes.get(i) ?? 0n) > (routes.get(most) ?? 0n) ? i : most), -1);
at = steps();
show(tape.start);
sweepFor(by, false);
