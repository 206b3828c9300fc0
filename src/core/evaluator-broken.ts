/** The score command failed on outputs that are not to blame: the run pauses, and the revision was not judged. */
import { ExitError } from "./errors.ts";
import type { ScoreResult } from "./ports.ts";

export class EvaluatorBroken extends ExitError {
  /** Of the revision it was met with: verdict `eval_error`, no quality. */
  readonly result: ScoreResult;

  constructor(message: string, result: ScoreResult) {
    super("evaluator-broken", message);
    this.result = result;
  }
}
