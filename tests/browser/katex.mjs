// Reads a JSON list of texts in LaTeX, and prints as JSON which displays in them strict KaTeX refuses, and why.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const katex = createRequire(`${process.env.AUTOGRAD_LITE_NODE_MODULES}/`)("katex");
const refused = [];
let displays = 0;
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  const parts = text.split("$$");
  if (parts.length % 2 === 0 || parts.some((part, i) => i % 2 === 0 && part.trim() !== "")) refused.push([text, "not a row of displays"]);
  for (let i = 1; i < parts.length; i += 2) {
    displays += 1;
    try {
      katex.renderToString(parts[i], { displayMode: true, strict: "error", trust: false, throwOnError: true });
    } catch (error) {
      refused.push([parts[i], String(error)]);
    }
  }
}
console.log(JSON.stringify({ displays, refused }));
