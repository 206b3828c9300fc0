/**
 * The `Policy` port on node-llama-cpp, which runs in a child process of its own: when native code crashes, the
 * replies under way are lost, the runner is not, and the next call starts a new child.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { abortable } from "../../core/abortable.ts";
import { schemaDigest } from "../../core/constrained.ts";
import { ExitError } from "../../core/errors.ts";
import type { Message, Prompt, SampledReply } from "../../core/history.ts";
import type { Policy, PolicyInfo, SampleOptions, Sha256 } from "../../core/ports.ts";
import { ChildLost, type LoadOptions, ModelProcess } from "./child-process.ts";
import { createInbox } from "./inbox.ts";
import { checkModelFile, modelDigest, modelName } from "./model-file.ts";
import type { ChildReply, Loaded, Member } from "./protocol.ts";
import { schemaGrammar } from "./schema-grammar.ts";

/** Applies a chat template: the prompt string, ending where the reply begins. */
export type RenderChat = (
  template: string,
  messages: readonly Message[],
  tokens: { readonly bosToken: string; readonly eosToken: string },
) => string;

export interface EmbeddedOptions {
  /** Absolute path of a GGUF file. */
  readonly model: string;
  /** Absolute path of a GGUF adapter over its weights; default: none. */
  readonly adapter?: string | null;
  /** Absolute path of the folder whose `node_modules` holds `node-llama-cpp`. */
  readonly runtimeFolder: string;
  readonly renderChat: RenderChat;
  /** Most threads to evaluate with; default: the physical cores. */
  readonly threads?: number;
  /** Replies sampled at once; default 8. */
  readonly parallel?: number;
  /** Tokens of a prompt and its reply together; default: what the model was trained with, at most 4,096. */
  readonly contextLength?: number;
  /** Use a GPU if the runtime has binaries for one; default true. */
  readonly gpu?: boolean;
  /** File the child process runs; default: `embedded-child.js` beside the running bundle. */
  readonly childEntry?: string;
  /** Told the process id of each child as it is started. */
  readonly onStart?: (pid: number) => void;
}

/**
 * Checks that runtime and model are there; the model is loaded by the first call that needs it.
 * @throws ExitError `runtime-missing`, `model-missing`, `model-unreadable`; later calls also `model-memory`,
 *   `template-missing`, `runtime-crashed`, `runtime-failed`, `schema-unsupported`, `policy-closed`.
 */
export async function createEmbeddedPolicy(options: EmbeddedOptions): Promise<Policy> {
  checkRuntime(options.runtimeFolder);
  await checkModelFile(options.model);
  if (options.adapter != null) await checkModelFile(options.adapter);
  const entry = options.childEntry ?? defaultChildEntry();
  const load: LoadOptions = {
    runtimeFolder: options.runtimeFolder,
    model: options.model,
    adapter: options.adapter ?? null,
    gpu: options.gpu ?? true,
    threads: options.threads ?? null,
    parallel: options.parallel ?? 8,
    contextLength: options.contextLength ?? null,
  };
  let current: ModelProcess | null = null;
  let closed = false;

  /** The running child with its model loaded; a new one if there is none. */
  const running = async (): Promise<{ readonly child: ModelProcess; readonly loaded: Loaded }> => {
    if (closed) throw new ExitError("policy-closed", "The model was closed. Start the command again.");
    if (current === null) {
      const fresh = new ModelProcess(entry, load);
      current = fresh;
      options.onStart?.(fresh.pid);
      void fresh.ended.then(() => {
        if (current === fresh) current = null;
      });
    }
    const child = current;
    return { child, loaded: await child.loaded.catch(crashed) };
  };

  const endChild = async (): Promise<void> => {
    const child = current;
    child?.kill();
    await child?.ended;
  };

  const render = async (messages: readonly Message[]) => {
    const { child, loaded } = await running();
    if (loaded.template === null)
      throw new ExitError(
        "template-missing",
        `The model file ${options.model} has no chat template. Choose an instruct model.`,
      );
    const rendered = options.renderChat(loaded.template, messages, loaded);
    const complete = loaded.needsBos && !rendered.startsWith(loaded.bosToken);
    return { child, rendered: complete ? loaded.bosToken + rendered : rendered };
  };

  return {
    async describe(signal) {
      const describing = Promise.all([running(), modelDigest(options.model)]);
      const [{ loaded }, digest] = await abortable(describing, signal);
      return describeModel(options.model, digest, loaded);
    },

    async plan(messages, signal) {
      const planning = render(messages).then(async ({ child, rendered }) => ({
        rendered,
        tokens: await child.count(rendered).catch(crashed),
      }));
      return abortable(planning, signal);
    },

    async *sample(prompt: Prompt, members: readonly Member[], sampling: SampleOptions, signal: AbortSignal) {
      signal.throwIfAborted();
      const start = performance.now();
      const grammar = sampling.schema && schemaGrammar(sampling.schema);
      const constrained = schemaDigest(sampling.schema, sha256);
      const { child } = await abortable(running(), signal);

      const inbox = createInbox<ChildReply>();
      const request = { prompt: prompt.rendered, members, maxTokens: sampling.maxTokens, grammar };
      const drawing = child.sample(request, (reply) => inbox.put(reply));
      const stop = () => {
        drawing.abort();
        inbox.close({ reason: signal.reason });
      };
      signal.addEventListener("abort", stop, { once: true });
      let lost = false;
      let finished = false;
      void drawing.answer
        .catch((error: unknown) => {
          if (error instanceof ChildLost) lost = true;
          else inbox.close({ reason: error });
        })
        .then(() => {
          finished = true;
          inbox.close();
        });

      const pending = new Map(members.map((member) => [member.index, member]));
      try {
        for await (const reply of inbox) {
          pending.delete(reply.index);
          yield { ...reply, constrained };
        }
        if (!lost) return;
        await child.ended;
        for (const member of pending.values())
          yield lostReply(member, constrained, performance.now() - start);
      } finally {
        signal.removeEventListener("abort", stop);
        if (!finished) drawing.abort();
      }
    },

    unload: endChild,

    async close() {
      closed = true;
      await endChild();
    },
  };
}

function describeModel(file: string, digest: string, loaded: Loaded): PolicyInfo {
  return {
    runtime: "embedded",
    model: modelName(file),
    file,
    digest,
    templateDigest: sha256(loaded.template ?? ""),
    quantisation: loaded.quantisation,
    contextLength: loaded.contextLength,
    parallel: loaded.parallel,
    license: loaded.license,
    gpuShare: loaded.gpuShare,
    warnings: warningsOf(loaded.gpuShare),
  };
}

function warningsOf(gpuShare: number): string[] {
  if (gpuShare === 0) return ["The model runs on the CPU: the embedded runtime found no GPU it can use."];
  if (gpuShare < 1)
    return [`Only ${Math.round(gpuShare * 100)} % of the model is on the GPU; the rest runs on the CPU.`];
  return [];
}

function lostReply(member: Member, constrained: string | null, ms: number): SampledReply {
  return { ...member, text: "", tokens: null, logprobs: null, finish: "lost", constrained, ms };
}

function checkRuntime(folder: string): void {
  if (isAbsolute(folder) && existsSync(join(folder, "node_modules", "node-llama-cpp", "package.json")))
    return;
  throw new ExitError(
    "runtime-missing",
    `The embedded model runtime is not installed in ${folder}. Use the command "ExIt ML: Install Embedded Runtime" in VS Code, or \`node scripts/setup/setup.mjs embedded\` in a clone of ExIt ML, or Ollama.`,
  );
}

/** Beside the bundle this file is part of; in a source tree, which has no bundle, the TypeScript file itself. */
function defaultChildEntry(): string {
  const bundled = join(import.meta.dirname, "embedded-child.js");
  return existsSync(bundled) ? bundled : join(import.meta.dirname, "child.ts");
}

/** A process that dies while it loads, counts or starts will die again: that needs a person. */
function crashed(error: unknown): never {
  if (!(error instanceof ChildLost)) throw error;
  throw new ExitError(
    "runtime-crashed",
    `The embedded model runtime ended unexpectedly (${error.message}). Start the run again; if it happens again, choose a smaller model or use Ollama.`,
    { cause: error },
  );
}

const sha256: Sha256 = (data) => createHash("sha256").update(data).digest("hex");
