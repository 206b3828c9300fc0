/** What is known about work with tuned models while it is watched. */
import type { EventOf, RunEvent } from "../protocol/events.ts";
import type { TuningJob } from "../protocol/results.ts";

/** One update of a training, as the trainer tells it. */
export interface WatchedUpdate {
  /** From 1. */
  readonly update: number;
  /** At most so many will be made. */
  readonly updates: number;
  readonly loss: number;
  /** Nats a token, from the base. */
  readonly kl: number;
  readonly tokensPerSecond: number;
}

export interface TuningBoard {
  readonly job: TuningJob;
  /** Tuned model in the making; null before it is begun. */
  model: string | null;
  /** What it is at; empty before anything was told. */
  text: string;
  /** The update the trainer made last; null before the first one, and once the training is over. */
  update: WatchedUpdate | null;
}

export function newTuningBoard(job: TuningJob): TuningBoard {
  return { job, model: null, text: "", update: null };
}

export function followTuning(board: TuningBoard, event: RunEvent): void {
  switch (event.type) {
    case "trainer":
      board.model = event.model;
      board.text = event.event.text;
      board.update = updateOf(event);
      break;
    case "groupOpened":
      // The search of a round: a model of the round before is no longer in the making.
      board.model = null;
      board.text = `iteration ${event.opening.iteration + 1}`;
      board.update = null;
      break;
    case "progress":
      board.text = event.text;
      board.update = null;
      break;
    case "message":
      if (event.level === "info") board.text = event.text;
      break;
  }
}

/** Null for anything else the trainer tells. */
function updateOf({ event }: EventOf<"trainer">): WatchedUpdate | null {
  if (event.event !== "update") return null;
  const { update, updates, loss, kl, tokens_per_second: tokensPerSecond } = event;
  if (!isNumber(update) || !isNumber(updates) || !isNumber(loss) || !isNumber(kl)) return null;
  return isNumber(tokensPerSecond) ? { update, updates, loss, kl, tokensPerSecond } : null;
}

const isNumber = (value: unknown): value is number => typeof value === "number";
