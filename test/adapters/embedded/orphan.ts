/** A program that opens a policy, prints the process id of its child, and waits to be killed. */
import { openEmbedded } from "./parts.ts";

const policy = await openEmbedded({ onStart: (pid) => process.send?.(pid) });
await policy.describe();
process.send?.("ready");
setInterval(() => {}, 60_000);
