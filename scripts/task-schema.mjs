/**
 * Writes media/exit.task.schema.json, the JSON Schema the editor checks task files with, from the one
 * definition in src/core/task.ts. Run it after changing that file: `node scripts/task-schema.mjs` (Node 24).
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { taskJsonSchema } from "../src/core/task.ts";

const file = fileURLToPath(new URL("../media/exit.task.schema.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(taskJsonSchema(), null, 2)}\n`);
