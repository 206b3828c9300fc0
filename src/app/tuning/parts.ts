/** What fine-tuning, its gate and its rounds need of the rest of the product. */
import type { Trainer } from "../../core/tuning/ports.ts";
import type { RunParts } from "../run-parts.ts";

export interface TuningParts extends Omit<RunParts, "openPolicy"> {
  /** A model by its name, whatever was promoted over it, as `RunParts.openPolicy` opens it. */
  readonly openPolicy: RunParts["openPolicy"];
  readonly trainer: Trainer;
  /** `.exit/models`: a folder for each tuned model. */
  readonly modelsFolder: string;
  readonly workspaceFolder: string;
}
