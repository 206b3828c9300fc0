/** The program `exit-ml`: its verbs, and what its exit code says. */
import { Command, CommanderError } from "commander";
import { printable } from "../client/words/printable.ts";
import { isExitError, toWireError, type WireError } from "../protocol/errors.ts";
import type { Host } from "./host.ts";
import type { Act, AddVerb } from "./verb.ts";
import { addApply, addRevert } from "./verbs/apply.ts";
import { addCheck } from "./verbs/check.ts";
import { addClean } from "./verbs/clean.ts";
import { addConfirm } from "./verbs/confirm.ts";
import { addDiff } from "./verbs/diff.ts";
import { addDoctor } from "./verbs/doctor.ts";
import { addEvaluate } from "./verbs/evaluate.ts";
import { addExport } from "./verbs/export.ts";
import { addFineTune } from "./verbs/fine-tune.ts";
import { addGate } from "./verbs/gate.ts";
import { addImage } from "./verbs/image.ts";
import { addInit } from "./verbs/init.ts";
import { addInstallRuntime } from "./verbs/install-runtime.ts";
import { addModels } from "./verbs/models.ts";
import { addPromote, addRollback } from "./verbs/promote.ts";
import { addReplay } from "./verbs/replay.ts";
import { addRounds } from "./verbs/rounds.ts";
import { addRun } from "./verbs/run.ts";
import { addScore } from "./verbs/score.ts";
import { addShow } from "./verbs/show.ts";
import { addStatus } from "./verbs/status.ts";
import { addStop } from "./verbs/stop.ts";
import { addTree } from "./verbs/tree.ts";
import { version } from "./version.ts";

const verbs: readonly AddVerb[] = [
  addInit,
  addDoctor,
  addModels,
  addCheck,
  addScore,
  addRun,
  addConfirm,
  addStatus,
  addStop,
  addTree,
  addShow,
  addDiff,
  addApply,
  addRevert,
  addEvaluate,
  addExport,
  addFineTune,
  addGate,
  addPromote,
  addRollback,
  addRounds,
  addReplay,
  addClean,
  addImage,
  addInstallRuntime,
];

/**
 * Runs one command line.
 * @param args without the program's own name
 * @returns the exit code: 0 on success, 1 after an error, 2 for a wrong command line, 130 when interrupted
 */
export async function runCli(args: readonly string[], host: Host): Promise<number> {
  let code = 0;
  const program = new Command("exit-ml")
    .description(
      "Improves the machine-learning code of a workspace with a local model. Every revision runs and is scored in a sealed sandbox; the whole tree of partial histories is kept.",
    )
    .option("-C, --directory <dir>", "the workspace folder (default: the current one)")
    .option("--json", "print JSON on standard output; messages go to standard error")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [verb]", "show help for a verb")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: host.out,
      writeErr: host.err,
      getOutHelpWidth: host.columns,
      getErrHelpWidth: host.columns,
    })
    .showHelpAfterError("(exit-ml --help shows what there is)")
    .exitOverride()
    .addHelpText("after", overview);
  const act: Act =
    (action) =>
    async (...given) => {
      code = (await action(...given)) ?? 0;
    };
  for (const add of verbs) add(program, host, act);
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    const asJson = (wire: WireError): void => {
      if (args.includes("--json")) host.out(`${JSON.stringify({ error: wire })}\n`);
    };
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0; // help or version was asked for
      asJson({ reason: "usage", message: error.message });
      return 2;
    }
    const wire = toWireError(error);
    asJson(wire);
    host.err(`${printable(wire.message)}\n`);
    if (wire.reason === "internal" && host.env.EXIT_ML_DEBUG && error instanceof Error)
      host.err(`${error.stack}\n`);
    if (isExitError(error, "cancelled")) return 130;
    return isExitError(error, "usage") ? 2 : 1;
  }
}

const overview = `
A first session:
  $ exit-ml init                    describe the task: what may change, how it is run and scored
  $ exit-ml check                   is the score sealed, does the solution as it stands score?
  $ exit-ml run --iterations 10     search; Ctrl-C stops, the same command goes on
  $ exit-ml tree                    what was tried
  $ exit-ml diff best               what the best revision changes
  $ exit-ml apply best              take it into the workspace; exit-ml revert takes it back`;
