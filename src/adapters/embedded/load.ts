/** Loads runtime and model in the child process. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Failure, Loaded, LoadRequest } from "./protocol.ts";
import type { Context, Llama, Model, Runtime, Sequence } from "./runtime.ts";

/** Longest context taken without being asked for: its memory is claimed for every sequence at once. */
const defaultContextLength = 4096;

export interface Engine {
  readonly runtime: Runtime;
  readonly llama: Llama;
  readonly model: Model;
  readonly context: Context;
  /** As many as `loaded.parallel`. */
  readonly sequences: readonly Sequence[];
  /** Most threads an evaluation may use. */
  readonly threads: number;
  readonly loaded: Loaded;
}

/** What can go wrong here, to be told to the parent. */
export class LoadFailure extends Error {
  readonly failure: Failure;

  constructor(reason: string, message: string, cause: unknown) {
    super(message, { cause });
    this.failure = { reason, message };
  }
}

/** @throws LoadFailure. */
export async function load(request: LoadRequest): Promise<Engine> {
  const runtime = await importRuntime(request.runtimeFolder);
  const cores = availableParallelism();
  const llama = await step(
    "runtime-missing",
    "The embedded model runtime has no binaries that run on this machine. Use Ollama instead",
    () =>
      runtime.getLlama({
        gpu: request.gpu ? "auto" : false,
        build: "never",
        progressLogs: false,
        logLevel: "error",
        maxThreads: request.threads ?? cores,
      }),
  );
  const model = await step(
    "model-unreadable",
    `The model file ${request.model} cannot be loaded. Fetch it again or choose another model`,
    () => llama.loadModel({ modelPath: request.model }),
  );
  const threads = request.threads ?? Math.max(1, Math.min(cores, llama.cpuMathCores));
  const contextLength = request.contextLength ?? Math.min(model.trainContextSize, defaultContextLength);
  const context = await step(
    "model-memory",
    `The model does not fit into memory with ${request.parallel} replies of ${contextLength} tokens each. Lower the number of parallel replies or the context length, or choose a smaller model`,
    () =>
      model.createContext({
        ...{ sequences: request.parallel, contextSize: contextLength, threads },
        ...(request.adapter === null ? {} : { lora: request.adapter }),
      }),
  );
  return {
    runtime,
    llama,
    model,
    context,
    sequences: Array.from({ length: request.parallel }, () => context.getSequence()),
    threads,
    loaded: {
      template: model.fileInfo.metadata.tokenizer?.chat_template ?? null,
      bosToken: model.tokens.bosString ?? "",
      eosToken: model.tokens.eosString ?? "",
      needsBos: model.tokens.shouldPrependBosToken,
      quantisation: quantisation(runtime, model),
      license: model.fileInfo.metadata.general?.license ?? null,
      contextLength: Math.min(contextLength, context.contextSize),
      parallel: request.parallel,
      gpuShare: gpuShare(llama, model),
    },
  };
}

async function importRuntime(folder: string): Promise<Runtime> {
  const entry = pathToFileURL(join(folder, "node_modules", "node-llama-cpp", "dist", "index.js")).href;
  return step(
    "runtime-missing",
    `The embedded model runtime in ${folder} cannot be loaded. Delete that folder and run \`node scripts/setup/setup.mjs embedded\` in a clone of ExIt ML, or use Ollama`,
    async () => (await import(entry)) as Runtime,
  );
}

/** `Q4_1` of `MOSTLY_Q4_1`; null where the file does not say. */
function quantisation(runtime: Runtime, model: Model): string | null {
  const type = model.fileInfo.metadata.general?.file_type;
  const name = type === undefined ? undefined : runtime.GgufFileType[type];
  return typeof name === "string" ? name.replace(/^(MOSTLY|ALL)_/, "") : null;
}

function gpuShare(llama: Llama, model: Model): number {
  const layers = model.fileInsights.totalLayers;
  return llama.gpu === false || layers === 0 ? 0 : Math.min(1, model.gpuLayers / layers);
}

async function step<T>(reason: string, sentence: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new LoadFailure(reason, `${sentence} (${detail}).`, error);
  }
}
