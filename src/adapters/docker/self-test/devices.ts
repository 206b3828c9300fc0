/** What the engine has beyond processors: GPUs, where a task asks for them, and a second runtime. */
import type { Guarantee } from "../../../core/guarantees.ts";
import { inTime } from "../engine.ts";
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

export async function secondRuntime({ kit }: Probing): Promise<Guarantee[]> {
  const info = (await inTime(kit.engine.docker.info())) as { Runtimes?: Record<string, unknown> };
  const names = Object.keys(info.Runtimes ?? {});
  return [
    {
      guarantee: "runsc",
      held: names.includes("runsc"),
      measured: `the engine's runtimes are ${names.join(", ") || "not told"}`,
    },
  ];
}
