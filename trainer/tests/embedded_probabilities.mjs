// Next-token probabilities of the embedded runtime: node embedded_probabilities.mjs FOLDER < JOBS
// JOBS: [{ "model": FILE, "adapter": FILE | null, "tokens": [id, ...] }, ...]. Prints for each job a matrix, a row for
// each token: the probabilities of all tokens of the vocabulary to follow it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const runtime = join(process.argv[2], "node_modules", "node-llama-cpp", "dist", "index.js");
const { getLlama } = await import(pathToFileURL(runtime).href);
const llama = await getLlama({
  gpu: false,
  build: "never",
  progressLogs: false,
  logLevel: "error",
  maxThreads: 1,
});
const results = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) {
  const model = await llama.loadModel({ modelPath: job.model });
  const lora = job.adapter === null ? undefined : { adapters: [{ filePath: job.adapter }] };
  const context = await model.createContext({ contextSize: 64, threads: 1, lora });
  const input = job.tokens.map((token) => [
    token,
    { generateNext: { logits: true, options: { temperature: 0 } } },
  ]);
  const outputs = await context.getSequence().controlledEvaluate(input);
  results.push(outputs.map((output) => probabilities(output.next.logits)));
  await context.dispose();
  await model.dispose();
}
process.stdout.write(JSON.stringify(results), () => process.exit(0));

/** @param {Map<number, number>} logits */
function probabilities(logits) {
  const greatest = Math.max(...logits.values());
  const powers = Array.from({ length: logits.size }, (_, token) => Math.exp(logits.get(token) - greatest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
