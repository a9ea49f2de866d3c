// Runs calls of the page's verifier with Node. A line that comes in is a list of [function, argument, …] as JSON, the line
// that goes out what they return; bytes are {"hex": …} on both ways. No signature is checked twice.
"use strict";

const [, , ...files] = process.argv;
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");

const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
const remembering = `
const checked = new Map();
const checkSignature = isSignature;
isSignature = (...parts) => {
  const name = parts.map(hexOf).join();
  if (!checked.has(name)) checked.set(name, checkSignature(...parts));
  return checked.get(name);
};`;
const { called, Wrong, bytesOfHex, hexOf } = new Function(
  `"use strict";const SENTENCES = ${process.env.SENTENCES};${source}${remembering}\nreturn { called: (name, given) => eval(name)(...given), Wrong, bytesOfHex, hexOf };`,
)();

const isBytes = (value) => value !== null && typeof value === "object" && Object.keys(value).join() === "hex";
const taken = (_key, value) => (isBytes(value) ? bytesOfHex(value.hex) : value);
const given = (_key, value) => (value instanceof Uint8Array ? { hex: hexOf(value) } : value);

function result([name, ...parameters]) {
  try {
    return called(name, parameters) ?? null;
  } catch (error) {
    if (error instanceof Wrong) return { wrong: error.message };
    throw error;
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(JSON.parse(line, taken).map(result), given)}\n`);
});
