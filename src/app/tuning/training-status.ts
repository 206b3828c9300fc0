/** What there is of tuned models: for the Training view and `exit-ml models`. */
import type { Store } from "../../core/ports.ts";
import type { TrainingStatus, TuningJob } from "../../core/reports.ts";
import { inForce } from "../../core/tuning/promotions.ts";

export function trainingStatus({ tuning }: Pick<Store, "tuning">, job: TuningJob | null): TrainingStatus {
  const models = tuning.models();
  const promotions = tuning.promotions();
  const bases = new Map(models.map(({ base }) => [base.line, base.model]));
  return {
    models,
    gates: tuning.gates(),
    promotions,
    bootstraps: tuning.bootstraps(),
    inForce: [...bases].map(([line, base]) => ({ line, base, ...inForce(promotions, line) })),
    job,
  };
}
