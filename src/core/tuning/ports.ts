/** The doors of fine-tuning: the trainer, the side of a runtime that keeps models, and the records of both. */
import type { Token } from "../history.ts";
import type { Gate } from "./gate.ts";
import type { Promotion } from "./promotions.ts";
import type { Bootstrap } from "./rounds.ts";
import type {
  Fingerprint,
  MergeResult,
  ServedAs,
  TrainingResult,
  TrainingSettings,
  TunedForm,
  TunedModel,
} from "./tuned-model.ts";

/** The side of a runtime that keeps models: where the weights of one lie, and putting a tuned one beside it. */
export interface ModelKeeper {
  /**
   * The file whose weights are served, readable from here.
   * @throws ExitError `model-missing`, `model-remote`, `model-unsuitable`: with what keeps it from being trained.
   */
  weights(signal: AbortSignal): Promise<{ readonly file: string; readonly digest: string }>;
  /**
   * Nothing where a tuned model of this form can be installed: to be asked before it is trained.
   * @throws ExitError `adapter-refused` where the runtime takes no adapters
   */
  accept(form: TunedForm, signal: AbortSignal): Promise<void>;
  /**
   * Makes a file a model of the runtime, with the base's template and parameters. Called again it ends the same.
   * @throws ExitError `adapter-refused` where the runtime takes no adapters, `install-failed`
   */
  install(
    tuned: { readonly id: string; readonly file: string; readonly form: TunedForm },
    say: (text: string) => void,
    signal: AbortSignal,
  ): Promise<ServedAs>;
  /** Forgets an installed model; nothing where it is gone already. */
  remove(model: string, signal: AbortSignal): Promise<void>;
  /**
   * Gives back the memory that models of this base hold, and makes sure of it. Others are left alone, and said.
   * @returns puts back what was there
   * @throws ExitError `model-memory` where it is not given back
   */
  unload(
    models: readonly string[],
    say: (text: string) => void,
    signal: AbortSignal,
  ): Promise<() => Promise<void>>;
}

/** What the trainer tells while it works: a sentence, and facts by name (trainer/README.md). */
export interface TrainerEvent {
  readonly event: string;
  readonly text: string;
  readonly [fact: string]: unknown;
}

export type TellTrainer = (event: TrainerEvent) => void;

/** One stage of training. Paths are absolute. */
export interface StageRequest {
  /** GGUF file of the base. */
  readonly model: string;
  /** `groups.jsonl` of an export. */
  readonly groups: string;
  /** Folder of the stage. */
  readonly out: string;
  /** Folder of the adapter it goes on from. */
  readonly adapter: string | null;
  /** Version of the policy it begins at, as the groups name it: only its own replies tell of a mismatch. */
  readonly policy: string;
  readonly settings: TrainingSettings;
  /** What the runtime counted, to compare tokenizers by. */
  readonly probes: readonly TokenProbe[];
}

export interface TokenProbe {
  readonly text: string;
  /** Tokens the runtime counts in it. */
  readonly tokens: number;
}

export interface StageEstimate {
  readonly device: string;
  readonly updates: number;
  readonly groups: number;
  /** Bytes. */
  readonly memory: number;
  readonly fits: boolean;
  /** Bytes a training writes. */
  readonly disk: number;
  readonly diskFree: number;
  /** Null where no step was measured. */
  readonly seconds: number | null;
}

/** What a served model answered, to be scored by the trainer. */
export interface ServedReply {
  readonly prompt: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly logprobs: readonly number[];
}

/**
 * The bundled trainer, a Python package in an environment of its own.
 * Every call rejects with ExitError: `trainer-environment` where its environment cannot be made, `trainer-<reason>`
 * with the sentence of a refusal, `trainer-failed` where it broke.
 */
export interface Trainer {
  /** Makes the environment unless it is there: some gigabytes, some minutes. */
  prepare(say: (text: string) => void, signal: AbortSignal): Promise<void>;
  /** What this machine offers to a training. */
  doctor(device: TrainingSettings["device"], signal: AbortSignal): Promise<TrainerEvent>;
  /** @param measured takes one real step, which loads the model */
  estimate(
    stage: StageRequest,
    measured: boolean,
    tell: TellTrainer,
    signal: AbortSignal,
  ): Promise<StageEstimate>;
  /** Goes on where an earlier call for the same stage ended. Leaves `adapter/` in the stage's folder. */
  train(stage: StageRequest, tell: TellTrainer, signal: AbortSignal): Promise<TrainingResult>;
  /** @param request `file` is written: the tuned model under `name`, or its adapter alone */
  merge(
    request: {
      readonly model: string;
      readonly adapter: string;
      readonly file: string;
      readonly name: string;
      readonly form: TunedForm;
    },
    tell: TellTrainer,
    signal: AbortSignal,
  ): Promise<MergeResult>;
  /** Do file and server hold the weights that were trained? @throws ExitError `trainer-fingerprint`, `trainer-no-effect`. */
  verify(
    request: {
      readonly model: string;
      readonly adapter: string;
      readonly file: string;
      readonly form: TunedForm;
      readonly served: readonly ServedReply[];
      readonly device: TrainingSettings["device"];
    },
    tell: TellTrainer,
    signal: AbortSignal,
  ): Promise<Fingerprint>;
}

/** Tuned models, what was decided about them, and the rounds they were made in. */
export interface TuningRecords {
  /** In the order they were begun. */
  models(): readonly TunedModel[];
  /** Stores a new one, or how far it has come. */
  putModel(model: TunedModel): void;
  gates(): readonly Gate[];
  putGate(gate: Gate): void;
  /** In the order they were made. */
  promotions(): readonly Promotion[];
  addPromotion(promotion: Promotion): void;
  bootstraps(): readonly Bootstrap[];
  putBootstrap(bootstrap: Bootstrap): void;
}
