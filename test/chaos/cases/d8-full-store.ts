import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Observer } from "../../../src/core/ports.ts";
import { instantPolicy } from "../../support/memory-world.ts";
import { chaos } from "../case.ts";
import { fill, recordOf, runOnDisk } from "../engine/disk-world.ts";
import { mountMemory, unmount } from "../engine/file-system.ts";

const mebibyte = 2 ** 20;
const iterations = 6;
/** Replies of some size, so that a full disk is met by the history and not only by its log. */
const talkative = instantPolicy({
  text: (seed) => JSON.stringify({ x: seed % 101 }) + " ".repeat(mebibyte / 2),
});

/** A small disk that somebody else fills: first so that little is left, then in the middle of a group to the last byte. */
export default chaos({
  id: "D8",
  tries: "the disk of the history fills up, slowly and then to the last byte",
  promise:
    "the run pauses with disk-low or disk-full, no half record; after space was freed it goes on, nothing lost",
  async play(tell) {
    const folder = mkdtempSync(join(tmpdir(), "exit-ml-chaos-"));
    const [disk, undisturbed] = [join(folder, "disk"), join(folder, "undisturbed")];
    const filler = join(disk, "filler");
    try {
      await mountMemory(disk, 800 * mebibyte);
      await mountMemory(undisturbed, 800 * mebibyte);
      assert.equal(await runOnDisk(undisturbed, iterations, {}, talkative), "iterations");
      const paused = async (reason: string, when: keyof Observer, leave: number): Promise<void> => {
        const observer: Observer = { [when]: () => fill(disk, leave) };
        await assert.rejects(runOnDisk(disk, iterations, observer, talkative), { reason });
        rmSync(filler);
        await recordOf(disk);
      };
      await paused("disk-low", "groupClosed", 100 * mebibyte);
      await paused("disk-full", "groupOpened", 0);
      await paused("disk-full", "replyScored", 0);
      assert.equal(await runOnDisk(disk, iterations, {}, talkative), "iterations");
      const record = await recordOf(disk);
      assert.deepEqual(record, await recordOf(undisturbed));
      tell(
        `paused three times; ${(record as { members: unknown[] }).members.length} replies are as if nothing had been`,
      );
    } finally {
      await unmount(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  },
});
