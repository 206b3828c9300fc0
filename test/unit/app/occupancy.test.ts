/** Cleaning up and other work in one workspace keep out of each other's way. */
import { expect, test } from "vitest";
import { createOccupancy } from "../../../src/app/occupancy.ts";

function gate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

test("cleaning is refused while anything else is under way, and works afterwards", async () => {
  const { beside, alone } = createOccupancy();
  const { open, passed } = gate();
  const other = beside(() => passed);
  await expect(alone(async () => "clean")).rejects.toMatchObject({ reason: "workspace-busy" });
  open();
  await other;
  expect(await alone(async () => "clean")).toBe("clean");
});

test("other work waits for a cleaning, also for one that fails", async () => {
  const { beside, alone } = createOccupancy();
  const { open, passed } = gate();
  const order: string[] = [];
  const cleaning = alone(async () => {
    await passed;
    order.push("cleaned");
    throw new Error("half-way");
  });
  const other = beside(async () => order.push("worked"));
  await expect(alone(async () => "again")).rejects.toMatchObject({ reason: "workspace-busy" });
  open();
  await expect(cleaning).rejects.toThrow("half-way");
  await other;
  expect(order).toEqual(["cleaned", "worked"]);
});
