/** Texts by which trainer and runtime are compared: do they cut alike, do they answer alike? */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { groupRowSchema } from "../../core/export/native.ts";
import type { Message } from "../../core/history.ts";
import type { Policy } from "../../core/ports.ts";
import type { ServedReply, TokenProbe } from "../../core/tuning/ports.ts";
import type { ModelRequest } from "../app.ts";
import type { TuningParts } from "./parts.ts";

/** What tokenizers differ in: white space, digits, code, scripts, signs of more than one byte, special tokens. */
const cuttable = [
  "def mean(values):\n    return sum(values) / len(values)\n\n\n# 1234567890  3.14159e-05\t\tend",
  '{"learning_rate": 0.001, "layers": [64, 128], "name": null}\r\n',
  "Größe, naïve façade; 学習率を下げる; скорость обучения; 🚀🧪 ½ ≤ ∑",
  "  leading and trailing spaces   \n\n\n",
];

/** Tokens the runtime counts in rendered prompts. */
export async function tokenProbes(policy: Policy, signal: AbortSignal): Promise<readonly TokenProbe[]> {
  const probes: TokenProbe[] = [];
  for (const content of cuttable) {
    const messages: readonly Message[] = [{ role: "user", content }];
    const { rendered, tokens } = await policy.plan(messages, signal);
    probes.push({ text: rendered, tokens });
  }
  return probes;
}

const prompts = 4;
/** An update may be smaller than the rounding of a server: only many tokens tell the two apart. */
const replies = 4;
const longest = 48;

/** Short replies of a model to prompts it was trained on, with the log-probabilities it gave. */
export async function sampleServed(
  request: ModelRequest,
  groups: string,
  { openPolicy }: Pick<TuningParts, "openPolicy">,
  signal: AbortSignal,
): Promise<readonly ServedReply[]> {
  const policy = await openPolicy(request, signal);
  try {
    const sampled: ServedReply[] = [];
    for (const rendered of await renderedPrompts(groups)) {
      const members = Array.from({ length: replies }, (_, index) => ({ index, seed: index + 1 }));
      const options = { maxTokens: longest, schema: null };
      for await (const reply of policy.sample({ messages: [], rendered }, members, options, signal)) {
        const { text, tokens, logprobs } = reply;
        if (tokens !== null && logprobs !== null && tokens.length > 0)
          sampled.push({ prompt: rendered, text, tokens, logprobs });
      }
    }
    return sampled;
  } finally {
    await policy.close();
  }
}

/** The first different prompts of an export. */
async function renderedPrompts(groups: string): Promise<readonly string[]> {
  const found = new Set<string>();
  const stream = createReadStream(groups, "utf8");
  for await (const line of createInterface({ input: stream })) {
    found.add(groupRowSchema.parse(JSON.parse(line)).prompt.rendered);
    if (found.size >= prompts) break;
  }
  stream.destroy();
  return [...found];
}
