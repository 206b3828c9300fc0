/** What every file of `verbs/` exports. */
import type { Command } from "commander";
import type { Host } from "./host.ts";

/** Adds a verb to the program. Its action sets the exit code by what it returns: 0 where it returns nothing. */
export type AddVerb = (program: Command, host: Host, act: Act) => void;
/** Wraps an action so that its exit code is kept. */
export type Act = <A extends unknown[]>(
  action: (...args: A) => Promise<number | undefined>,
) => (...args: A) => Promise<void>;
