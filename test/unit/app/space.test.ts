/** Free space before each stage, with a disk whose free space is given: a fake, for a real one cannot be made full at will. */
import { expect, test } from "vitest";
import { checkSpace } from "../../../src/app/space.ts";

const mebibyte = 2 ** 20;
const folders = { state: ["/w/.exit", "/home/me/history"], engine: "/var/lib/docker" };
const fakeFreeBytes = (free: Record<string, number | null>) => async (folder: string) => free[folder] ?? null;

test("enough everywhere, or not to be told, is enough", async () => {
  const roomy = { "/w/.exit": 512 * mebibyte, "/var/lib/docker": 600 * mebibyte };
  await expect(checkSpace(folders, fakeFreeBytes(roomy))).resolves.toBeUndefined();
  await expect(checkSpace({ ...folders, engine: null }, fakeFreeBytes({}))).resolves.toBeUndefined();
});

test.each(["/w/.exit", "/home/me/history", "/var/lib/docker"])(
  "too little in %s is refused with folder, numbers and mend",
  async (folder) => {
    const refusal = checkSpace(folders, fakeFreeBytes({ [folder]: 12.7 * mebibyte }));
    await expect(refusal).rejects.toMatchObject({ reason: "disk-low" });
    await expect(refusal).rejects.toThrow(`Only 12 MiB are free in ${folder}`);
    await expect(refusal).rejects.toThrow(/512 MiB.*exit-ml clean/);
  },
);
