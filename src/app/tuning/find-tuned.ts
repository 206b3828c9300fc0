/** The tuned model a request means. */
import { ExitError } from "../../core/errors.ts";
import type { TunedModel } from "../../core/tuning/tuned-model.ts";

/** The named one, else the newest that is finished. @throws ExitError `model-unknown`. */
export function findTuned(id: string | null, models: readonly TunedModel[]): TunedModel {
  const found = models.findLast((model) => (id === null ? model.made === "verified" : model.id === id));
  if (found !== undefined) return found;
  const names = models.map((model) => model.id).join(", ");
  throw new ExitError(
    "model-unknown",
    models.length === 0
      ? 'There is no tuned model yet: "exit-ml fine-tune" makes one.'
      : id === null
        ? 'No tuned model is finished: "exit-ml fine-tune" goes on with the newest.'
        : `There is no tuned model ${id}. There are: ${names}.`,
  );
}
