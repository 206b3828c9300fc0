/** Self-tests of the sandbox: the newest of each engine and image. */
import type { Store } from "../../core/ports.ts";
import type { Database } from "./database.ts";
import { json, text } from "./rows.ts";

export function selfTestsOf(database: Database): Pick<Store, "selfTest" | "putSelfTest"> {
  return {
    selfTest(key) {
      const row = database.get("SELECT * FROM selfTests WHERE key = :key", { key });
      if (!row) return null;
      return {
        at: text(row, "at"),
        image: text(row, "image"),
        digest: text(row, "digest"),
        guarantees: json(row, "guarantees"),
      };
    },
    putSelfTest(key, { at, image, digest, guarantees }) {
      database.run(
        "INSERT OR REPLACE INTO selfTests (key, at, image, digest, guarantees) VALUES (:key, :at, :image, :digest, :guarantees)",
        { key, at, image, digest, guarantees: JSON.stringify(guarantees) },
      );
    },
  };
}
