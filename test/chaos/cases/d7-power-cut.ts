import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chaos } from "../case.ts";
import { openDisk, runOnDisk } from "../engine/disk-world.ts";
import { mountImage, remount, unmount } from "../engine/file-system.ts";

/** After so many outcomes were said to be stored, the power goes. */
const cuts = [1, 7, 13, 20, 30];

/**
 * No power is cut here. The disk is an ext4 in a file, and a cut is a copy of that file: it has what the file system
 * was made to write down, and nothing of what only lay in memory. What it does not show is a device that loses what
 * it had acknowledged, or tears a sector.
 */
export default chaos({
  id: "D7",
  tries: "the power fails after something was said to be stored",
  promise: "every reply, outcome and snapshot said to be stored is there when the disk is mounted again",
  async play(tell) {
    const folder = mkdtempSync(join(tmpdir(), "exit-ml-chaos-"));
    const [disk, image] = [join(folder, "disk"), join(folder, "disk.img")];
    const said: { group: string; index: number; score: number | null; snapshot: string | null }[] = [];
    const told = new Map<string, number>();
    try {
      await mountImage(image, disk, 800 * 2 ** 20);
      await runOnDisk(disk, 5, {
        replyScored(group, index, { score, snapshot }) {
          said.push({ group, index, score, snapshot });
          if (!cuts.includes(said.length)) return;
          const cut = join(folder, `cut-${said.length}.img`);
          execFileSync("cp", ["--sparse=always", image, cut]);
          told.set(cut, said.length);
        },
      });
      await unmount(disk);
      assert.equal(told.size, cuts.length);
      for (const [cut, count] of told) {
        await remount(cut, disk);
        await proveStored(disk, said.slice(0, count));
        await unmount(disk);
      }
      tell(`${told.size} cuts, the last after ${Math.max(...told.values())} outcomes: all there`);
    } finally {
      await unmount(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

async function proveStored(
  disk: string,
  said: readonly { group: string; index: number; score: number | null; snapshot: string | null }[],
): Promise<void> {
  const { store, snapshots } = await openDisk(disk);
  try {
    for (const { group, index, score, snapshot } of said) {
      const member = store.group(group)?.replies.find((reply) => reply.index === index);
      assert.deepEqual(
        { score: member?.score, snapshot: member?.snapshot },
        { score, snapshot },
        `${group}, ${index}`,
      );
      if (snapshot !== null) await snapshots.read(snapshot);
    }
  } finally {
    store.close();
  }
}
