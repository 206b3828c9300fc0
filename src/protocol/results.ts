/** What the methods answer. */
import type { Group, Run } from "../core/history.ts";
import type {
  CheckReport,
  CleanReport,
  ConfirmReport,
  EvaluationReport,
  ExportReport,
  ListedNode,
  ModelList,
  NodeSolution,
  PolicyInForce,
  Readiness,
  ReplayReport,
  ScoreReport,
  Shown,
  Status,
  TrainingEstimate,
  TrainingStatus,
  TuningJob,
} from "../core/reports.ts";

export type { Confirmation } from "../core/confirmation.ts";
export { protocols } from "../core/evaluate/cell.ts";
export type { CurveRow, PolicyCurve } from "../core/evaluate/curves.ts";
export type { Estimate } from "../core/evaluate/statistics.ts";
export { type ExportFormat, exportFormats, formatNotes } from "../core/export/format.ts";
export { guaranteeNames, missingIn } from "../core/guarantees.ts";
export { type Group, goals, type Node, type Run, type Strategy, strategies } from "../core/history.ts";
export type { Evidence } from "../core/ports.ts";
export type {
  EvaluationReport,
  Finding,
  ListedNode,
  ModelChoice,
  PolicyInForce,
  Readiness,
  ReplayReport,
  ScoreReport,
  Shown,
  Status,
  TaskStatus,
  TrainingEstimate,
  TrainingStatus,
  TuningJob,
} from "../core/reports.ts";
export { checkSetting, type Settings, settingNotes } from "../core/settings.ts";
export { type Bounds, defaultGate, type Gate } from "../core/tuning/gate.ts";
export {
  type Bootstrap,
  type BootstrapSettings,
  defaultRounds,
  type Round,
} from "../core/tuning/rounds.ts";
export {
  defaultTraining,
  type TrainingSettings,
  type TunedModel,
} from "../core/tuning/tuned-model.ts";
export { isFailed, type Verdict } from "../core/verdict.ts";

export interface Results {
  init: { readonly file: string };
  check: CheckReport;
  score: ScoreReport;
  confirm: ConfirmReport;
  startRun: { readonly run: Run; readonly continued: boolean };
  stopRun: { readonly stopped: boolean };
  evaluate: EvaluationReport;
  status: Status;
  doctor: Readiness;
  tree: { readonly nodes: readonly ListedNode[] };
  show: Shown;
  showGroup: Group;
  solution: NodeSolution;
  diff: { readonly from: string; readonly to: string; readonly diff: string };
  apply: { readonly node: string; readonly paths: readonly string[]; readonly merged: boolean };
  revert: { readonly node: string; readonly paths: readonly string[] };
  replay: ReplayReport;
  export: ExportReport;
  training: TrainingStatus;
  estimateTraining: TrainingEstimate;
  startTuning: { readonly job: TuningJob };
  promote: PolicyInForce;
  rollback: PolicyInForce;
  clean: CleanReport;
  models: ModelList;
  allowEndpoint: Readonly<Record<string, never>>;
  installRuntime: { readonly folder: string; readonly version: string };
  buildImage: { readonly image: string; readonly digest: string };
}
