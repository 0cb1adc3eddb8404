// Replays tapes: reads JSON {script, cases: [{tape, table, points}]}, evaluates each tape's graph at points of its leaves with the
// explorer's own functions, and prints values, adjoints, texts and counts. What the page itself does is not looked at here.
import { readFileSync } from "node:fs";

const { arithmetic, explorer, cases } = JSON.parse(readFileSync(0, "utf8"));
const pure = explorer.split("// --- the page")[0];
const printed = (x) => (x === null || Number.isFinite(x) ? (Object.is(x, -0) ? "-0" : x) : String(x));
const outcomes = cases.map(({ tape, table: text, points, only }) => {
  const body = `"use strict"; const table = {};\n${arithmetic}\n${text}\n${pure}
    return { forward, partialsOf, edgesOf, forwardOrder, sweptAfter, routesOf, differenceQuotient, short, chainRule };`;
  const graph = new Function("tape", body)(tape); // the library's own text
  return points.map((point) => {
    const data = Float64Array.from(tape.data, Number);
    for (const [leaf, x] of point) data[leaf] = Number(x);
    graph.forward(data);
    const partials = graph.partialsOf(data), edges = graph.edgesOf(partials), chosen = only === undefined ? edges : graph.edgesOf(partials, only);
    const adjoints = graph.sweptAfter(edges, partials, edges.length), routes = graph.routesOf(edges);
    return {
      data: [...data].map(printed),
      adjoints: adjoints.map(printed),
      edges: chosen.map(({ node, slot, operand }) => [node, slot, operand]),
      forward: graph.forwardOrder(chosen).map(({ node, slot, operand }) => [node, slot, operand]),
      tangents: only === undefined ? null : graph.sweptAfter(graph.forwardOrder(chosen), partials, chosen.length, only).map(printed),
      running: chosen.map((_, i) => graph.sweptAfter(chosen, partials, i + 1).map(printed)).slice(0, 40),
      partials: edges.map(({ node, slot }) => printed(partials[node][slot])),
      routes: tape.names.map((_, i) => String(routes.get(i) ?? 0n)),
      slopes: tape.ops.map((op, i) => (op < 0 && tape.live ? printed(graph.differenceQuotient(data, i)) : null)),
      chains: tape.names.map((_, i) => graph.chainRule(edges, partials, adjoints, i)),
    };
  });
});
console.log(JSON.stringify(outcomes));
