import { hostile, python } from "../case.ts";

/** Fills every file system that is memory, so that it need not hold the memory itself. */
export default hostile({
  id: "R5",
  tries: "takes memory as files in /dev/shm, /tmp and /work",
  promise: "oom; such files count as its memory",
  play: [
    {
      revision: python(`
for place in ("/dev/shm", "/tmp", "/work"):
    try:
        with open(place + "/fill", "wb") as file:
            while True: file.write(bytes(2**20))
    except OSError as error: tell(place, error)
held = []
while True: held.append(bytearray(2**20))`),
      expects: "oom",
    },
  ],
});
