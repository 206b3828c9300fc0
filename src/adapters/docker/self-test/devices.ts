/** What the engine has beyond processors: GPUs, where a task asks for them, and a second runtime. */
import type { Guarantee } from "../../../core/guarantees.ts";
import { type Probing, runToEnd, withContainer } from "./probe-container.ts";

const script = `for device in /dev/nvidia[0-9]* /dev/dxg /dev/kfd; do [ -e "$device" ] && echo "$device"; done`;

/** @param asked GPUs the task asks for, at least one */
export async function gpu(probing: Probing, asked: number): Promise<Guarantee[]> {
  const command = ["sh", "-c", `${script}; exit 0`];
  return withContainer(probing, { command, gpus: asked }, async (container) => {
    const { printed } = await runToEnd(probing, container);
    const devices = printed.split("\n").filter(Boolean);
    const numbered = devices.filter((device) => device.startsWith("/dev/nvidia")).length;
    const held = numbered >= asked || devices.length > numbered;
    const measured = `the task asks for ${asked}, a container sees ${devices.join(", ") || "none"}`;
    return [{ guarantee: "gpu", held, measured }];
  });
}

export function secondRuntime({ kit }: Probing): Guarantee[] {
  const { runtimes: names, traits } = kit.engine;
  // Podman names those it knows of, there or not.
  const told = !traits.includes("Podman");
  return [
    {
      guarantee: "runsc",
      held: told || !names.includes("runsc") ? names.includes("runsc") : null,
      measured: `the engine's runtimes are ${names.join(", ") || "not told"}`,
    },
  ];
}
