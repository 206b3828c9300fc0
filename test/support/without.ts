/** Tests of what this machine cannot have: left out where the set-up says so, never where everything must run. */
import { describe, test } from "vitest";

type Part = "docker" | "model" | "ollama" | "editor" | "oracle" | "trainer";

const lacking = new Set((process.env.EXIT_ML_SKIP ?? "").split(","));
const isLacking = (parts: readonly Part[]): boolean => parts.some((part) => lacking.has(part));

/** `test`, skipped where one of the parts is lacking. */
export const testWith = (...parts: readonly Part[]) => test.skipIf(isLacking(parts));

/** `describe`, skipped where one of the parts is lacking. */
export const describeWith = (...parts: readonly Part[]) => describe.skipIf(isLacking(parts));
