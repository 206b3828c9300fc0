/**
 * A program that finds the log-probabilities of a reply in another way than the adapter: alone, one token at a
 * time, from the whole distribution over the vocabulary.
 *
 *     node recount.ts <job.json>      job: { runtimeFolder, model, prompt, tokens: number[] or string[] }
 *
 * Prints a JSON list of natural logarithms.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface Llama {
  loadModel(options: { modelPath: string }): Promise<Model>;
}
interface Model {
  tokenize(text: string, special: boolean): number[];
  detokenize(tokens: number[], special: boolean): string;
  iterateAllTokens(): Iterable<number>;
  createContext(options: { contextSize: number; threads: number }): Promise<{ getSequence(): Sequence }>;
}
interface Sequence {
  controlledEvaluate(input: unknown[]): Promise<{ next: { probabilities: Map<number, number> } }[]>;
}

const [, , file = ""] = process.argv;
const job = JSON.parse(readFileSync(file, "utf8"));
const entry = join(job.runtimeFolder, "node_modules", "node-llama-cpp", "dist", "index.js");
const { getLlama } = await import(pathToFileURL(entry).href);
const llama: Llama = await getLlama({ gpu: false, build: "never", progressLogs: false, maxThreads: 1 });
const model = await llama.loadModel({ modelPath: job.model });
const context = await model.createContext({ contextSize: 1024, threads: 1 });
const sequence = context.getSequence();

const generateNext = { probabilities: true, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } };
const logprobs: number[] = [];
let before: number[] = model.tokenize(job.prompt, true);
for (const token of idsOf(job.tokens)) {
  const last = before.at(-1);
  const outputs = await sequence.controlledEvaluate([...before.slice(0, -1), [last, { generateNext }]]);
  logprobs.push(Math.log(outputs.at(-1)?.next.probabilities.get(token) ?? 0));
  before = [token];
}
process.stdout.write(JSON.stringify(logprobs), () => process.exit(0));

/** Of texts: the tokens of the vocabulary that have them. */
function idsOf(tokens: readonly (number | string)[]): number[] {
  const byText = new Map<string, number>();
  if (tokens.some((token) => typeof token === "string"))
    for (const id of model.iterateAllTokens()) byText.set(model.detokenize([id], true), id);
  return tokens.map((token) => (typeof token === "number" ? token : (byText.get(token) ?? Number.NaN)));
}
