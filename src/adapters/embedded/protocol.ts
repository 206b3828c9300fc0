/** What the policy and its child process say to each other, as JSON over the child's IPC channel. */
import type { Finish } from "../../core/history.ts";

export interface LoadRequest {
  readonly type: "load";
  /** Absolute path of the folder whose `node_modules` holds `node-llama-cpp`. */
  readonly runtimeFolder: string;
  /** Absolute path of the model file. */
  readonly model: string;
  /** Absolute path of a GGUF adapter over its weights; null: none. */
  readonly adapter: string | null;
  readonly gpu: boolean;
  /** Null: the physical cores. */
  readonly threads: number | null;
  readonly parallel: number;
  /** Per sequence; null: what the model was trained with, at most 4,096. */
  readonly contextLength: number | null;
  /** A folder the child may make for a moment; whoever of the two lives longer removes it. */
  readonly scratch: string;
}

export interface SampleRequest {
  readonly type: "sample";
  readonly id: number;
  readonly prompt: string;
  readonly members: readonly Member[];
  readonly maxTokens: number;
  /** GBNF, or null for free text. */
  readonly grammar: string | null;
}

export interface Member {
  readonly index: number;
  readonly seed: number;
}

export type Request =
  | LoadRequest
  | SampleRequest
  | { readonly type: "count"; readonly id: number; readonly text: string }
  | { readonly type: "abort"; readonly id: number };

/** What the model file says about itself, and what was made of the wishes of the request. */
export interface Loaded {
  readonly template: string | null;
  readonly bosToken: string;
  readonly eosToken: string;
  /** The tokenizer wants its begin token first, whether the template writes it or not. */
  readonly needsBos: boolean;
  readonly quantisation: string | null;
  readonly license: string | null;
  readonly contextLength: number;
  readonly parallel: number;
  readonly gpuShare: number;
}

/** A reply without what only the policy knows. */
export interface ChildReply {
  readonly index: number;
  readonly seed: number;
  readonly text: string;
  readonly tokens: readonly { readonly id: number; readonly text: string }[];
  readonly logprobs: readonly number[];
  readonly finish: Finish;
  readonly ms: number;
}

/** Becomes an ExitError on the other side. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}

export type Response =
  | { readonly type: "loaded"; readonly loaded: Loaded }
  | { readonly type: "failed"; readonly failure: Failure }
  /** Sent from time to time while a group is drawn. */
  | { readonly type: "alive" }
  | { readonly type: "counted"; readonly id: number; readonly tokens: number }
  | { readonly type: "reply"; readonly id: number; readonly reply: ChildReply }
  | { readonly type: "done"; readonly id: number; readonly failure: Failure | null };
