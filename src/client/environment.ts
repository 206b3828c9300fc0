/** The environment of a runner, which outlives the program that starts it and must not inherit its oddities. */

/**
 * Drops what an editor or a debugger puts into the environment of its children.
 * @param trainerPython the setting `trainer.python`; null: as the environment has it
 */
export function runnerEnvironment(
  env: NodeJS.ProcessEnv,
  electron: boolean,
  trainerPython: string | null,
): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_CHANNEL_|NODE_V8_COVERAGE$)/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    ...(electron ? { ELECTRON_RUN_AS_NODE: "1" } : {}),
    ...(trainerPython === null ? {} : { EXIT_ML_TRAINER_PYTHON: trainerPython }),
  };
}
