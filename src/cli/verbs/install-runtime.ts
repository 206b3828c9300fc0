/** `exit-ml install-runtime`: brings the embedded runtime, for models without a server. */
import { resolve } from "node:path";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

export const addInstallRuntime: AddVerb = (program, host, act) => {
  const command = program
    .command("install-runtime")
    .description("install the embedded model runtime (node-llama-cpp, with npm; about 85 MB)")
    .option("--folder <dir>", "where to install it (default: the cache folder)")
    .addHelpText("after", "\nExample:\n  $ exit-ml install-runtime");
  command.action(
    act(async ({ folder }: { folder?: string }) => {
      const context = contextOf(command, host);
      const request = { folder: folder === undefined ? null : resolve(host.cwd, folder) };
      const done = await context.withLongCall((client, signal) =>
        client.call("installRuntime", request, signal),
      );
      context.result(done, () => [`Installed node-llama-cpp ${done.version} in ${done.folder}.`]);
      return 0;
    }),
  );
};
