/** What a model of the server is beside its weights: carried over to the models tuned from it. */
import { isDeepStrictEqual } from "node:util";
import type { ShowResponse } from "ollama";
import { wordValue } from "./modelfile.ts";

export interface Description {
  readonly template: string;
  readonly system: string;
  readonly license: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Names of the server's own code that writes prompts and reads replies of some models. */
  readonly renderer: string;
  readonly parser: string;
  /** Version of the server it needs. */
  readonly requires: string;
}

/** What the server shows of a model without a template. */
const noTemplate = "{{ .Prompt }}";

export function descriptionOf(shown: ShowResponse): Description {
  return {
    template: shown.template === noTemplate ? "" : (shown.template ?? ""),
    system: shown.system ?? "",
    license: shown.license ?? "",
    messages: (shown.messages ?? []).map(({ role, content }) => ({ role, content })),
    parameters: parametersOf(shown.parameters ?? ""),
    renderer: wordValue(shown.modelfile, "RENDERER"),
    parser: wordValue(shown.modelfile, "PARSER"),
    requires: wordValue(shown.modelfile, "REQUIRES"),
  };
}

/** Fields in which two models differ. */
export function differences(one: Description, other: Description): readonly string[] {
  const fields = Object.keys(one) as (keyof Description)[];
  return fields.filter((field) => !isDeepStrictEqual(one[field], other[field]));
}

/**
 * Fields of a request that makes a model so described. Empty ones are left out, but `stop` is always there: else
 * the server adds what it knows for the chat template in the file.
 */
export function requestOf(description: Description): Partial<Description> {
  const isEmpty = (value: unknown) => value === "" || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(description).filter(([, value]) => !isEmpty(value)));
}

/** `temperature 0.7` and `stop "<|im_end|>"`, one a line, as the server shows them. */
function parametersOf(shown: string): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown[]> = { stop: [] };
  for (const [, name = "", value = ""] of shown.matchAll(/^(\S+)\s+(.+)$/gm))
    values[name] = [...(values[name] ?? []), valueFrom(value)];
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, name === "stop" || all.length > 1 ? all : all[0]]),
  );
}

/** The server writes numbers, booleans and quoted texts as Go does, which is JSON but for rare escapes. */
function valueFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
