// Reads an AsyncAPI document with the official parser; prints what is wrong with it, and fails where something is.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const { severity, path, message } of diagnostics) {
  if (severity === ERROR) console.log(`${path.join(".")}: ${message}`);
}
process.exit(document ? 0 : 1);
