/**
 * How fast sampling stops: `npm run bench:abort`, with the runtimes and the model that `npm test` brings.
 *
 * A group is aborted at several points of its way. Measured are the time until the call has ended, and the time
 * until the model answers again, which shows whether the runtime still works on replies nobody waits for. Both are
 * given as shares of the time the whole group takes, since machines differ.
 */
import type { Policy } from "../../src/core/ports.ts";
import { openEmbedded } from "../../test/adapters/embedded/parts.ts";
import { openOllama } from "../../test/adapters/ollama/parts.ts";
import { openOllamaServer } from "../../test/support/ollama.ts";

const group = { prompt: "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,", members: 8, maxTokens: 128 };
/** Where a group is aborted, as shares of its whole time. */
const points = [0.05, 0.2, 0.35, 0.5, 0.65];

const never = new AbortController().signal;

async function draw(policy: Policy, members: number, maxTokens: number, signal = never): Promise<number> {
  const start = performance.now();
  const list = Array.from({ length: members }, (_, index) => ({ index, seed: index + 1 }));
  const prompt = { messages: [], rendered: group.prompt };
  for await (const _reply of policy.sample(prompt, list, { maxTokens, schema: null }, signal));
  return performance.now() - start;
}

async function measure(name: string, policy: Policy): Promise<void> {
  const { parallel } = await policy.describe();
  await draw(policy, group.members, 8);
  const whole = await draw(policy, group.members, group.maxTokens);
  const one = await draw(policy, 1, 1);
  const ends: number[] = [];
  const returns: number[] = [];
  for (const point of points) {
    const controller = new AbortController();
    let aborted = 0;
    setTimeout(() => {
      aborted = performance.now();
      controller.abort(new Error("enough"));
    }, whole * point);
    await draw(policy, group.members, group.maxTokens, controller.signal).catch(() => {});
    if (aborted === 0) continue; // it ended before its time
    ends.push(performance.now() - aborted);
    await draw(policy, 1, 1);
    returns.push(performance.now() - aborted);
  }
  const share = (values: readonly number[]) =>
    `median ${percent(median(values) / whole)}, worst ${percent(Math.max(...values) / whole)}`;
  console.log(`${name}: ${group.members} replies of ${group.maxTokens} tokens, ${parallel} at once, took`);
  console.log(
    `  the whole group        ${(whole / 1000).toFixed(1)} s; one token ${percent(one / whole)} of that`,
  );
  console.log(`  abort to end of call   ${share(ends)}`);
  console.log(`  abort to next token    ${share(returns)}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

async function measureAndClose(name: string, policy: Policy): Promise<void> {
  try {
    await measure(name, policy);
  } finally {
    await policy.close();
  }
}

await measureAndClose("embedded", await openEmbedded());
const server = await openOllamaServer();
try {
  await measureAndClose("ollama", await openOllama(server));
} finally {
  await server.stop();
}
