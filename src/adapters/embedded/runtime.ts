/**
 * The part of node-llama-cpp 3.22 that is used here. The package is no dependency of ours: it is imported by
 * its path at run time, so its own types are not there to be imported.
 */

export type TokenId = number;

export interface Runtime {
  getLlama(options: {
    readonly gpu: "auto" | false;
    readonly build: "never";
    readonly progressLogs: boolean;
    readonly logLevel: "error";
    readonly maxThreads: number;
  }): Promise<Llama>;
  readonly LlamaGrammarEvaluationState: new (options: {
    readonly model: Model;
    readonly grammar: Grammar;
  }) => GrammarState;
  /** Numbers to names and back, such as `MOSTLY_Q4_1`. */
  readonly GgufFileType: Readonly<Record<number, string | number>>;
}

/** What a grammar still allows after the tokens so far; one per reply. */
export type GrammarState = object;
export type Grammar = object;

export interface Llama {
  /** False on a machine without a usable GPU. */
  readonly gpu: string | false;
  /** Threads of every later evaluation. */
  maxThreads: number;
  /** Physical cores fit for arithmetic. */
  readonly cpuMathCores: number;
  loadModel(options: { readonly modelPath: string }): Promise<Model>;
  createGrammar(options: { readonly grammar: string }): Promise<Grammar>;
}

export interface Model {
  readonly tokens: {
    readonly bosString: string | null;
    readonly eosString: string | null;
    readonly shouldPrependBosToken: boolean;
  };
  /** Tokens of context the model was trained with. */
  readonly trainContextSize: number;
  readonly gpuLayers: number;
  readonly fileInsights: { readonly totalLayers: number };
  readonly fileInfo: {
    readonly metadata: {
      readonly general?: { readonly file_type?: number; readonly license?: string };
      readonly tokenizer?: { readonly chat_template?: string };
    };
  };
  tokenize(text: string, specialTokens: boolean): TokenId[];
  detokenize(tokens: readonly TokenId[], specialTokens: boolean, lastTokens?: readonly TokenId[]): string;
  isEogToken(token: TokenId): boolean;
  /** `contextSize` is per sequence. */
  createContext(options: {
    readonly sequences: number;
    readonly contextSize: number;
    readonly threads: number;
    /** Path of a GGUF adapter over the weights. */
    readonly lora?: string;
  }): Promise<Context>;
}

export interface Context {
  readonly contextSize: number;
  /** Most tokens of one evaluation. */
  readonly batchSize: number;
  getSequence(): Sequence;
}

/** One row of the context: the state of the tokens evaluated so far. Rows are evaluated together in batches. */
export interface Sequence {
  readonly nextTokenIndex: number;
  readonly contextTokens: readonly TokenId[];
  /** Drops what differs from `tokens`, and what comes after it. */
  adaptStateToTokens(tokens: TokenId[], allowShift: boolean): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: TokenId[]): Promise<void>;
  evaluateWithMetadata(
    tokens: TokenId[],
    metadata: { readonly confidence: boolean },
    options: SamplingOptions,
  ): AsyncGenerator<{ readonly token: TokenId; readonly confidence?: number }, void, void>;
  controlledEvaluate(
    input: readonly (readonly [TokenId, { readonly generateNext: ScoreOptions }])[],
  ): Promise<readonly ScoreOutput[]>;
  saveStateToFile(file: string): Promise<unknown>;
  loadStateFromFile(file: string, risk: { readonly acceptRisk: true }): Promise<void>;
}

export interface SamplingOptions {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
  readonly grammarEvaluationState?: GrammarState;
  readonly yieldEogToken: boolean;
}

export interface ScoreOptions {
  readonly logits: {
    readonly filter: { readonly tokens: readonly TokenId[]; readonly includeSelected: boolean };
  };
  /** Sum over the vocabulary of `exp(logit - max)`. */
  readonly totalLogitWeight: boolean;
  readonly options: { readonly temperature: number };
}

export interface ScoreOutput {
  readonly next: { readonly logits?: ReadonlyMap<TokenId, number>; readonly totalLogitWeight?: number };
}
