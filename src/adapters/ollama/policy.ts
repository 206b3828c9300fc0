/**
 * The `Policy` port on an Ollama server. Prompts are rendered here and sent raw, so that the string the model
 * evaluates is known byte for byte; every call streams, because only a stream can be ended at any time.
 */
import { createHash } from "node:crypto";
import { abortable } from "../../core/abortable.ts";
import { schemaDigest } from "../../core/constrained.ts";
import { ExitError } from "../../core/errors.ts";
import type { Message } from "../../core/history.ts";
import type { Policy, PolicyInfo, Sha256 } from "../../core/ports.ts";
import { embedTexts } from "./embed.ts";
import type { Endpoint } from "./endpoint.ts";
import { evaluate, isTooLong, type LoadedModel, loadModel, meaningFor } from "./loaded-model.ts";
import { type ModelFacts, readModelFacts, withTag } from "./model-facts.ts";
import { loadOptions } from "./raw-request.ts";
import { sampleGroup } from "./sample-group.ts";
import { connect, type Server } from "./server.ts";

/** Applies a chat template: the prompt string, ending where the reply begins. */
export type RenderChat = (
  template: string,
  messages: readonly Message[],
  tokens: { readonly bosToken: string; readonly eosToken: string },
) => string;

export interface OllamaOptions {
  readonly endpoint: Endpoint;
  /** Name of a model there. */
  readonly model: string;
  readonly renderChat: RenderChat;
  /** Tokens of a prompt and its reply together; default: what the model was trained with, at most 4,096. */
  readonly contextLength?: number;
}

const usualContext = 4096;
/** Characters a token has where nothing was counted yet; few, so that an estimate is not too low. */
const fewCharacters = 3;
const rememberedCounts = 64;
/** Milliseconds the server is given to take note that the run is over. */
const patienceAtEnd = 5000;

const sha256: Sha256 = (data) => createHash("sha256").update(data).digest("hex");

/**
 * Checks that server and model are there; the model is loaded by the first call that needs it.
 * @throws ExitError `ollama-unreachable`, `model-missing`, `model-remote`, `model-unsuitable`;
 *   later calls also `model-memory`, `ollama-failed`, `template-missing`, `template-failed`, `context-overflow`,
 *   `policy-closed`.
 */
export async function createOllamaPolicy(options: OllamaOptions, signal?: AbortSignal): Promise<Policy> {
  const server = connect(options.endpoint);
  const closing = new AbortController();
  const facts = await readModelFacts(server, options.model, sha256, signal ?? closing.signal);
  const contextLength = options.contextLength ?? Math.min(facts.trainedLength ?? usualContext, usualContext);
  let opening: Promise<LoadedModel> | null = null;
  const until = (end: AbortSignal | undefined) =>
    end === undefined ? closing.signal : AbortSignal.any([end, closing.signal]);

  const loaded = (): Promise<LoadedModel> => {
    closing.signal.throwIfAborted();
    opening ??= loadModel(server, facts, contextLength, closing.signal).catch((error: unknown) => {
      // Tried again by the next call: the server may be back by then.
      opening = null;
      throw error;
    });
    return opening;
  };

  const counts = new Map<string, number>();
  let longest = { characters: fewCharacters, tokens: 1 };
  const estimate = (rendered: string): number =>
    Math.ceil((rendered.length * longest.tokens) / longest.characters);

  /** Tokens of a prompt: the server's own count, or an estimate above the context if it refuses the prompt. */
  const count = async (rendered: string, model: LoadedModel, end: AbortSignal): Promise<number> => {
    const known = counts.get(rendered);
    if (known !== undefined) return known;
    try {
      const { prompt_eval_count: counted = 0 } = await evaluate(
        server,
        model.loading,
        sentAs(rendered, facts, model),
        end,
      );
      const tokens = model.countsAll ? counted : Math.max(counted, estimate(rendered));
      if (model.countsAll && rendered.length > longest.characters)
        longest = { characters: rendered.length, tokens };
      counts.set(rendered, tokens);
      for (const oldest of counts.keys()) {
        if (counts.size <= rememberedCounts) break;
        counts.delete(oldest);
      }
      return tokens;
    } catch (error) {
      if (!isTooLong(error)) throw error;
      return Math.max(model.contextLength + 1, estimate(rendered));
    }
  };

  return {
    async describe(end) {
      return describeModel(facts, await abortable(loaded(), end), server);
    },

    async plan(messages, end) {
      const within = until(end);
      const model = await abortable(loaded(), end);
      const rendered = complete(
        await render(server, facts, model, messages, options.renderChat, within),
        facts,
        model,
      );
      return { rendered, tokens: await count(rendered, model, within) };
    },

    async *sample({ rendered }, members, sampling, end) {
      end.throwIfAborted();
      const within = until(end);
      const model = await abortable(loaded(), end);
      const tokens = await count(rendered, model, within);
      const { contextLength: room } = model;
      if (tokens + sampling.maxTokens > room) throw tooLong(tokens, sampling.maxTokens, room);
      const request = {
        ...sampling,
        loading: model.loading,
        prompt: sentAs(rendered, facts, model),
        members,
        constrained: schemaDigest(sampling.schema, sha256),
      };
      try {
        yield* sampleGroup(server, request, within);
      } catch (error) {
        if (isTooLong(error)) throw tooLong(tokens, sampling.maxTokens, room);
        throw await meaningFor(error, server, facts.name, within);
      }
    },

    async embed(embedding, texts, end) {
      const within = until(end);
      const own = withTag(embedding) === facts.name ? await abortable(loaded(), end) : null;
      const options = own === null ? {} : loadOptions(own.loading);
      return embedTexts(server, { model: embedding, texts, options }, sha256, within);
    },

    async unload() {
      const model = await opening?.catch(() => null);
      if (model) await unloadModel(server, model);
    },

    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new ExitError("policy-closed", "The model was closed. Start the command again."));
      const model = await opening?.catch(() => null);
      if (model) await restoreKeepAlive(server, model);
    },
  };
}

function describeModel(facts: ModelFacts, model: LoadedModel, server: Server): PolicyInfo {
  const rendersThere =
    facts.template === null
      ? [
          server.endpoint.isLocal
            ? "The model file has no chat template to be read from here, so prompts are rendered by Ollama's own."
            : "The model file is on another machine, so prompts are rendered by the chat template of the server.",
        ]
      : [];
  return {
    runtime: "ollama",
    model: facts.name,
    digest: facts.digest,
    templateDigest: facts.templateDigest,
    quantisation: facts.quantisation,
    contextLength: model.contextLength,
    parallel: model.parallel,
    license: facts.license,
    gpuShare: model.gpuShare,
    warnings: [...model.warnings, ...rendersThere],
  };
}

async function render(
  server: Server,
  facts: ModelFacts,
  model: LoadedModel,
  messages: readonly Message[],
  renderChat: RenderChat,
  signal: AbortSignal,
): Promise<string> {
  if (facts.template !== null) return renderChat(facts.template, messages, facts);
  const request = {
    model: facts.name,
    messages: messages.map(({ role, content }) => ({ role, content })),
    think: false,
    options: { ...loadOptions(model.loading), num_predict: 1 },
    truncate: false,
    _debug_render_only: true,
  };
  const answer: object = await server.ask((client) => client.chat(request), signal);
  const { _debug_info: info } = answer as { _debug_info?: { rendered_template?: string } };
  if (info?.rendered_template) return info.rendered_template;
  throw new ExitError(
    "template-missing",
    `The chat template of "${facts.name}" cannot be read: its file is not on this machine, and this Ollama does not show what it renders. Update Ollama, or choose a model on this machine.`,
  );
}

/** The prompt as the model evaluates it: with the begin token, whoever puts it there. */
function complete(rendered: string, { bosToken }: ModelFacts, { addsBos }: LoadedModel): string {
  return addsBos && !rendered.startsWith(bosToken) ? bosToken + rendered : rendered;
}

/** What is sent: without the begin token if the server puts its own there. */
function sentAs(rendered: string, { bosToken }: ModelFacts, { addsBos }: LoadedModel): string {
  return addsBos && rendered.startsWith(bosToken) ? rendered.slice(bosToken.length) : rendered;
}

function tooLong(prompt: number, maxTokens: number, room: number): ExitError {
  return new ExitError(
    "context-overflow",
    `The prompt has ${prompt} tokens and a reply may take ${maxTokens}, together ${prompt + maxTokens}, but the model's context holds ${room}. Shorten the task's context or instruction, lower the reply limit, or give the model a longer context.`,
  );
}

/** The next request loads it again, alike. Nothing else is asked of a server that is gone. */
async function unloadModel(server: Server, { loading }: LoadedModel): Promise<void> {
  const request = { model: loading.model, prompt: "", keep_alive: 0, options: loadOptions(loading) };
  const signal = AbortSignal.timeout(patienceAtEnd);
  await server.ask((client) => client.generate(request), signal).catch(() => undefined);
}

/** The model is kept as long after the run as it was before; it is not loaded for that if it is gone. */
async function restoreKeepAlive(server: Server, { loading, keptBefore }: LoadedModel): Promise<void> {
  if (keptBefore === null) return;
  const signal = AbortSignal.timeout(patienceAtEnd);
  try {
    const { models } = await server.ask((client) => client.ps(), signal);
    if (!models.some(({ name }) => name === loading.model)) return;
    const request = {
      model: loading.model,
      prompt: "",
      keep_alive: keptBefore,
      options: loadOptions(loading),
    };
    await server.ask((client) => client.generate(request), signal);
  } catch {
    // The server is gone, and with it the model.
  }
}
