/** `exit-ml evaluate`: how policies improve a solution step by step, side by side. */
import { type Command, Option } from "commander";
import { ExitError, isExitError } from "../../protocol/errors.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import { protocols } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import { evaluationText } from "../curve-text.ts";
import { collect, whole } from "../options.ts";
import { guaranteeNamed, modelFrom } from "../run-options.ts";
import type { AddVerb } from "../verb.ts";

type EvaluateRequest = RequestOf<"evaluate">;

interface Flags {
  readonly model?: readonly string[];
  readonly task?: readonly string[];
  readonly heldOutStarts?: boolean;
  readonly limit?: number;
  readonly k: number;
  readonly n: number;
  readonly protocol: EvaluateRequest["protocols"][number] | "both";
  readonly seed: number;
  readonly maxReplyTokens: number;
  readonly runtime?: string;
  readonly endpoint?: string;
  readonly allowEndpoint?: boolean;
  readonly allowMissing?: readonly string[];
}

export const addEvaluate: AddVerb = (program, host, act) => {
  const command = options(program.command("evaluate")).addHelpText(
    "after",
    `
From the start of each task every model takes K steps in n chains, one reply a step. All held-out tasks are taken, or
where there is none the only task of the workspace. Nothing of it enters the tree or an export.

Every step is kept. Ctrl-C ends it; the same command goes on from there, and one with a larger --k or -n adds to it.

Examples:
  $ exit-ml evaluate
  $ exit-ml evaluate --model base.gguf --model tuned.gguf --k 8
  $ exit-ml evaluate --protocol both -n 4 --limit 5 --json > curves.json`,
  );
  command.action(
    act(async (flags: Flags) => {
      const context = contextOf(command, host);
      const request = requestFrom(flags, host.cwd, host.env);
      const evaluating = context.withLongCall(async (client, signal) => {
        if (flags.allowEndpoint) {
          const endpoint = request.policies[0]?.endpoint ?? null;
          await client.call("allowEndpoint", { endpoint });
        }
        return client.call("evaluate", request, signal);
      });
      const report = await evaluating.catch((error: unknown) => {
        if (isExitError(error, "cancelled"))
          context.say("What was finished is kept: the same command goes on from there.");
        throw error;
      });
      context.result(report, () => evaluationText(report, context.style));
      return 0;
    }),
  );
};

function options(command: Command): Command {
  return command
    .description("measure how models improve a solution step by step, side by side")
    .option(
      "--model <name>",
      "a model, as exit-ml run takes it; repeat it to compare with the first",
      collect,
    )
    .option("--task <name>", "a task instead of all held-out ones (repeatable)", collect)
    .option("--held-out-starts", "begin at the held-out nodes of the task's tree instead of its root")
    .option("--limit <n>", "take at most so many tasks, or held-out starts", whole(1))
    .option("--k <n>", "steps of a chain", whole(1), 4)
    .option("-n <n>", "chains of each model from each start", whole(1), 16)
    .addOption(
      new Option(
        "--protocol <name>",
        "go on from the latest iterate (chain) or from the best so far (greedy)",
      )
        .choices([...protocols, "both"])
        .default("chain"),
    )
    .option("--seed <n>", "seed of every draw", whole(0), 0)
    .option("--max-reply-tokens <n>", "longest reply", whole(16), 1024)
    .option("--runtime <name>", "what serves the models: ollama or embedded")
    .option("--endpoint <url>", "address of the Ollama server (default: OLLAMA_HOST, or 127.0.0.1:11434)")
    .option(
      "--allow-endpoint",
      "agree that prompts are sent to that address on another machine; kept for you",
    )
    .option(
      "--allow-missing <name>",
      "go on although the sandbox lacks this guarantee, as exit-ml doctor names it (repeatable)",
      collect,
    );
}

/** @throws ExitError `usage`. */
function requestFrom(flags: Flags, cwd: string, env: NodeJS.ProcessEnv): EvaluateRequest {
  const names: readonly (string | undefined)[] = flags.model ?? [undefined];
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined)
    throw new ExitError("usage", `--model ${twice} is given twice; name another one to compare it with.`);
  return {
    policies: names.map((name) => ({
      runtime: flags.runtime ?? null,
      model: modelFrom(name, cwd),
      endpoint: flags.endpoint ?? (env.OLLAMA_HOST || null),
    })),
    tasks: [...(flags.task ?? [])],
    heldOutStarts: flags.heldOutStarts === true,
    limit: flags.limit ?? null,
    K: flags.k,
    n: flags.n,
    protocols: flags.protocol === "both" ? [...protocols] : [flags.protocol],
    seed: flags.seed,
    maxReplyTokens: flags.maxReplyTokens,
    allowMissing: (flags.allowMissing ?? []).map(guaranteeNamed),
  };
}
