import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Changes the libraries and the very notion of equality in its own process, and on disk where it can. */
export default hostile({
  id: "T5",
  tries: "patches float, json, equality and installed packages",
  promise: "scored; only data crosses to the evaluator",
  play: [
    {
      revision: python(`
import builtins, atexit
leave(0.25)
json.dumps = lambda *_: '{"score": 0.9}'
class Best(float):
    def __eq__(self, other): return True
    def __float__(self): return 0.9
builtins.float = Best
import sysconfig
for path in (sysconfig.get_paths()["purelib"], "/usr/lib/python3/dist-packages", json.__file__):
    attempt(path, lambda: leave("x", path + "/evil.pth" if os.path.isdir(path) else path))
atexit.register(lambda: print('{"score": 0.9}'))`),
      expects: "scored",
      holds: ({ result, stdout }) => {
        assert.equal(result.score, 0.25);
        assert.doesNotMatch(stdout, /GOT/);
      },
    },
  ],
});
