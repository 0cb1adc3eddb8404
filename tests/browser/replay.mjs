// Replays tapes: reads JSON {script, cases: [{tape, table, points}]}, evaluates each tape's graph at points of its leaves with the
// explorer's own functions, and prints values, adjoints, texts and counts. What the page itself does is not looked at here.
import { readFileSync } from "node:fs";

const { arithmetic, explorer, cases } = JSON.parse(readFileSync(0, "utf8"));
const pure = explorer.split("// --- the page")[0];
const printed = (x) => (x === null || Number.isFinite(x) ? (Object.is(x, -0) ? "-0" : x) : String(x));
const outcomes = cases.map(({ tape, table: text, points, only }) => {
  const body = `"use strict"; const table = {};\n${arithmetic}\n${text}\n${pure}
    return { set: (point) => { for (const [leaf, x] of point) data[leaf] = Number(x); compute(); }, state: () => ({ data, partials, adjoints }),
      edgesOf, forwardOrder, sweptAfter, routesOf, differenceQuotient, chainRule };`;
  const graph = new Function("tape", body)(tape); // the library's own text
  return points.map((point) => {
    graph.set(point);
    const { data, partials, adjoints } = graph.state(), edges = graph.edgesOf(), chosen = only === undefined ? edges : graph.edgesOf(only);
    const routes = graph.routesOf(edges), ordered = only === undefined ? [] : graph.forwardOrder(chosen, only), places = ({ node, slot, operand }) => [node, slot, operand];
    return {
      data: [...data].map(printed),
      adjoints: adjoints.map(printed),
      edges: chosen.map(places),
      forward: ordered.map(places),
      tangents: only === undefined ? null : graph.sweptAfter(ordered, Infinity, only).map(printed),
      running: chosen.slice(0, 40).map((_, i) => graph.sweptAfter(chosen, i + 1).map(printed)),
      partials: edges.map(({ node, slot }) => printed(partials[node][slot])),
      routes: tape.names.map((_, i) => String(routes.get(i) ?? 0n)),
      slopes: tape.ops.map((op, i) => (op < 0 && tape.live ? printed(graph.differenceQuotient(i)) : null)),
      chains: tape.names.map((_, i) => graph.chainRule(i)),
    };
  });
});
console.log(JSON.stringify(outcomes));
