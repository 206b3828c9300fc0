/** `exit-ml stop`: ends what is under way, keeping what is finished. */
import { isExitError } from "../../protocol/errors.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

export const addStop: AddVerb = (program, host, act) => {
  const command = program
    .command("stop")
    .description("stop the run at work (and any score, check or image build); finished replies are kept")
    .addHelpText("after", "\nThe run can be continued: repeat the exit-ml run command that began it.");
  command.action(
    act(async () => {
      const context = contextOf(command, host);
      const { stopped } = await context
        .withRunner((client) => client.call("stopRun", {}), { start: false })
        .catch((error: unknown) => {
          if (isExitError(error, "runner-absent")) return { stopped: false };
          throw error;
        });
      context.result({ stopped }, () => [
        stopped ? "Stopped. The same exit-ml run command continues it." : "Nothing was running.",
      ]);
      return 0;
    }),
  );
};
