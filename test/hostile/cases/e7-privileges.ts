import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Every way from nobody to somebody. */
export default hostile({
  id: "E7",
  tries: "setuid programs, sudo, file capabilities, setuid(0)",
  promise: "scored; it stays nobody without any capability",
  play: [
    {
      revision: python(`
attempt("setuid", lambda: os.setuid(0))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("setgid", lambda: os.setgid(0))
subprocess.run(["cp", "/usr/bin/id", "/tmp/id"]); os.chmod("/tmp/id", 0o6755)
attempt("file capability", lambda: os.setxattr("/tmp/id", "security.capability", bytes.fromhex("0100000200200000") + bytes(12)))
attempt("chown", lambda: os.chown("/tmp/id", 0, 0))
for command in (["/tmp/id", "-u"], ["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["mount"], ["passwd", "-d", "root"]):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
        if done.stdout.strip() == "0": tell("GOT root by", command)
    except (OSError, subprocess.TimeoutExpired): pass
for line in open("/proc/self/status"):
    if line.startswith(("Uid", "Cap", "NoNewPrivs", "Seccomp:")): tell(*line.split())
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => {
        assert.doesNotMatch(stdout, /GOT/);
        for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
          assert.match(stdout, new RegExp(`^${name}: 0{16}$`, "m"));
        assert.match(stdout, /^Uid: 65534 65534 65534 65534$/m);
        assert.match(stdout, /^NoNewPrivs: 1$/m);
        assert.match(stdout, /^Seccomp: 2$/m);
      },
    },
  ],
});
