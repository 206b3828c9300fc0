// Token ids of texts by the embedded runtime: node embedded_tokens.mjs FOLDER MODEL < TEXTS
// TEXTS: a JSON list. Special tokens written in a text are read as such, none is added.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, modelPath] = process.argv.slice(2);
const runtime = join(folder, "node_modules", "node-llama-cpp", "dist", "index.js");
const { getLlama } = await import(pathToFileURL(runtime).href);
const llama = await getLlama({ gpu: false, build: "never", progressLogs: false, logLevel: "error" });
const model = await llama.loadModel({ modelPath, vocabOnly: true });
const found = JSON.parse(readFileSync(0, "utf8")).map((text) => [...model.tokenize(text, true)]);
process.stdout.write(JSON.stringify(found), () => process.exit(0));
