/** Asks one of our own helpers, in which nothing of a revision's runs, a question of yes and no. */
import type { Container } from "dockerode";
import { briefly, opening } from "./engine.ts";

/** @returns true if `command` ends with 0 in the running container; false if it does not, or cannot be asked. */
export async function ask(container: Container, command: readonly string[]): Promise<boolean> {
  try {
    const exec = await container.exec({ Cmd: [...command], AttachStdout: true, ...briefly() });
    const { abortSignal } = briefly();
    const output = await opening((signal) => exec.start({ abortSignal: signal }), abortSignal);
    // It ends with the command.
    for await (const _ of output);
    return (await exec.inspect(briefly())).ExitCode === 0;
  } catch {
    return false;
  }
}
