import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Files by which a kernel is steered or read. */
export default hostile({
  id: "E4",
  tries: "writes /proc/sys and /sys, reads kernel memory",
  promise: "scored; all of it is refused",
  play: [
    {
      revision: python(`
def write(path):
    with open(path, "w") as file: file.write("1")
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/cgroup.procs", "/proc/self/attr/current", "/proc/self/uid_map"):
    attempt("write " + path, lambda: write(path))
for path in ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmem", "/proc/keys", "/proc/sched_debug", "/sys/firmware/acpi/tables/DSDT"):
    attempt("read " + path, lambda: open(path, "rb").read(16) or 1 / 0)
attempt("dmesg", lambda: call("klogctl", 3, ctypes.create_string_buffer(64), 64))
def spare():
    with open("/proc/self/oom_score_adj", "w") as file: file.write("-1")
attempt("spared by the memory killer", spare)
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    },
  ],
});
