/** The environment of a runner, which outlives the program that starts it and must not inherit its oddities. */

/** Drops what an editor or a debugger puts into the environment of its children. */
export function runnerEnvironment(env: NodeJS.ProcessEnv, electron: boolean): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_CHANNEL_|NODE_V8_COVERAGE$)/i.test(name),
  );
  return { ...Object.fromEntries(kept), ...(electron ? { ELECTRON_RUN_AS_NODE: "1" } : {}) };
}
