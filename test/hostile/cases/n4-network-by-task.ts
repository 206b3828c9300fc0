import { hostile, python } from "../case.ts";

/** A task file found in a workspace turns the network on. */
export default hostile({
  id: "N4",
  tries: "the task file asks for a network",
  promise: "network-refused before anything runs",
  play: ["bridge", "host", "container:other", "default"].map((network) => ({
    name: network,
    revision: python("leave(0.9)"),
    task: { sandbox: { network } },
    expects: { refusal: "network-refused" },
  })),
});
