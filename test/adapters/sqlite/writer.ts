/** Program of kill.test.ts: writes groups without end and says each step once it is finished, as a JSON line. */
import { writeSync } from "node:fs";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import { isExitError } from "../../../src/core/errors.ts";
import { child, closing, opening, outcome, prompt, reply, root, run, sampling, unread } from "./samples.ts";

const say = (step: unknown): void => {
  writeSync(1, `${JSON.stringify(step)}\n`);
};

function write(file: string): void {
  const store = openStore(file);
  store.openRun(run());
  store.addRoot(root());
  say(["ready"]);
  for (let iteration = store.closedGroups().length; ; iteration++) {
    const group = opening(iteration).id;
    store.openGroup(opening(iteration), prompt, sampling);
    say(["group", group]);
    for (const [index, result] of [outcome(0), unread].entries()) {
      store.addReply(group, reply(index));
      say(["reply", group, index]);
      store.addOutcome(group, index, result);
      say(["outcome", group, index]);
    }
    const nodes = [child(`n${2 + 2 * iteration}`, group), child(`n${3 + 2 * iteration}`, group)];
    store.closeGroup(closing(iteration, iteration + 1, nodes));
    say(["closed", group]);
  }
}

try {
  write(process.argv[2] ?? "");
} catch (error) {
  say(["refused", isExitError(error) ? error.reason : String(error)]);
}
