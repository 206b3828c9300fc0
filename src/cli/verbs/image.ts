/** `exit-ml image build`: the sandbox image of a task that says how to build it. */
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

export const addImage: AddVerb = (program, host, act) => {
  const command = program
    .command("image")
    .description("work on the sandbox image")
    .command("build")
    .description(
      "build the image that the task's sandbox.build describes; the only step that uses the network",
    )
    .addHelpText("after", "\nExample:\n  $ exit-ml image build --task digits");
  withTask(command).action(
    act(async (options: TaskOption) => {
      const context = contextOf(command, host);
      const built = await context.withLongCall((client, signal) =>
        client.call("buildImage", { task: options.task ?? null }, signal),
      );
      context.result(built, () => [`Built ${built.image} (${built.digest})`]);
      return 0;
    }),
  );
};
