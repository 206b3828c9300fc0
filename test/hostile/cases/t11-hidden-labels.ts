import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Guesses paths, follows every descriptor and mount, and reads whatever can be read. */
export default hostile({
  id: "T11",
  tries: "looks for hidden files by paths, /proc and mounts",
  promise: "scored; they are absent, not forbidden",
  play: [
    {
      revision: python(`
word = b"labels" + b",canary"
for path in ("data/labels.csv", "/work/data/labels.csv", "../data/labels.csv", "/data/labels.csv", "/work/score.py", "/hidden", "/staging"):
    if os.path.lexists(path): tell("FOUND", path)
for path in glob.glob("/proc/*/fd/*") + glob.glob("/proc/*/root/work/data/*") + glob.glob("/proc/*/cwd/*"):
    try:
        if word in os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 2**16): tell("FOUND", path)
    except OSError: pass
for folder, names, files in os.walk("/"):
    if folder.startswith(("/proc", "/sys")): names[:] = []; continue
    for name in files:
        if "label" in name and not folder.startswith(("/usr", "/lib", "/var/lib")): tell("FOUND", folder, name)
        path = os.path.join(folder, name)
        try:
            if not folder.startswith("/usr") and os.path.isfile(path) and os.path.getsize(path) < 2**20 and word in open(path, "rb").read(): tell("FOUND", path)
        except OSError: pass
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /FOUND/),
    },
  ],
});
