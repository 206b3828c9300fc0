/**
 * A model's own chat template applied by us, so that the string a model evaluates is known byte for byte before
 * it is sent, and the trainer reads the same string.
 */
import { Template } from "@huggingface/jinja";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { Message } from "../../core/history.ts";

/** Strings of the special tokens a template may write; empty where the model has none. */
export interface TemplateTokens {
  readonly bosToken: string;
  readonly eosToken: string;
}

/**
 * The exact prompt string of a conversation, ending where the assistant's reply begins.
 *
 * Templates that know no system role get the system text at the head of the first user message.
 * @param template Jinja source, as in the metadata of a GGUF file (`tokenizer.chat_template`).
 * @throws ExitError `template-failed`.
 */
export function renderChat(
  template: string,
  messages: readonly Message[],
  tokens: TemplateTokens = { bosToken: "", eosToken: "" },
): string {
  const compiled = attempt("read", () => new Template(template));
  const render = (list: readonly Message[]) =>
    compiled.render({
      messages: list.map(({ role, content }) => ({ role, content })),
      bos_token: tokens.bosToken,
      eos_token: tokens.eosToken,
      add_generation_prompt: true,
    });
  try {
    return render(messages);
  } catch (error) {
    const folded = foldSystem(messages);
    if (folded === null) throw failure("applied", error);
    return attempt("applied", () => render(folded));
  }
}

/** The conversation without its system message, or null where there is none to fold. */
function foldSystem(messages: readonly Message[]): Message[] | null {
  const [system, user, ...rest] = messages;
  if (system?.role !== "system" || user?.role !== "user") return null;
  return [{ role: "user", content: `${system.content}\n\n${user.content}` }, ...rest];
}

function attempt<T>(step: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failure(step, error);
  }
}

function failure(step: string, cause: unknown): ExitError {
  return new ExitError(
    "template-failed",
    `The model's chat template cannot be ${step}: ${messageOf(cause)}. Use a model file whose template works, such as an instruct model from another source.`,
    { cause },
  );
}
