/** The methods of the runner: name → [request, response]. */
import type { z } from "zod";
import { requestSchemas } from "./requests.ts";
import type { Results } from "./results.ts";

type Methods = {
  [M in keyof Results]: [request: z.output<(typeof requestSchemas)[M]>, response: Results[M]];
};
export type MethodName = keyof Methods;
export type RequestOf<M extends MethodName> = Methods[M][0];
export type ResponseOf<M extends MethodName> = Methods[M][1];

export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(requestSchemas, name);
}

/** Answered to clients of any protocol version. */
export const readOnlyMethods: ReadonlySet<MethodName> = new Set<MethodName>([
  "status",
  "doctor",
  "tree",
  "show",
  "showGroup",
  "solution",
  "diff",
  "models",
  "replay",
  "training",
]);
