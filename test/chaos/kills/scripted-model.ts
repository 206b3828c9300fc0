/**
 * A scripted Ollama server, for fault injection only: its replies follow from seed and prompt, so that thousands of
 * interrupted runs can be compared with undisturbed ones.
 */
import { createHash } from "node:crypto";
import { type FakeOllama, type FakeRequest, startFakeOllama } from "../../adapters/ollama/fake-ollama.ts";

export function startScriptedModel(): Promise<FakeOllama> {
  return startFakeOllama({ room: 100_000, contextLength: 8192, script: replyTo });
}

/** Mostly a number between 0 and 1; else something that is refused at one of the later steps. */
function replyTo({ prompt, options }: FakeRequest): string {
  const hash = createHash("sha256").update(`${options.seed} ${prompt}`).digest();
  const number = ((hash[0] ?? 0) / 256).toFixed(2);
  const kind = (hash[1] ?? 0) % 16;
  const value = ["crash", "word", `${number} slow`, `${number} slow`][kind] ?? number;
  if (kind === 4) return "I would leave it as it is.";
  return `FILE: solution/value.txt\n\`\`\`\n${value}\n\`\`\`\n`;
}
