import { hostile, python } from "../case.ts";

/** Writes, flushes and removes without end. */
export default hostile({
  id: "R26",
  tries: "input and output storm on every place it can write",
  promise: "timeout",
  alone: true,
  play: [
    {
      revision: python(`
def storm(place):
    while True:
        name = f"{place}/{threading.get_ident()}"
        with open(name, "wb") as file:
            file.write(bytes(2**19)); file.flush(); os.fsync(file.fileno())
        os.remove(name)
for place in ("/work", "/tmp", "/dev/shm") * 3: threading.Thread(target=storm, args=(place,)).start()`),
      task: { run: { timeout: "3s" } },
      expects: "timeout",
    },
  ],
});
