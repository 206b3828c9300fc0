/** Draws the replies of a group: the prompt evaluated once, the replies side by side, each sent as it ends. */
import type { Engine } from "./load.ts";
import { bringTo, sharePrefix } from "./prefix.ts";
import type { ChildReply, Failure, Member, SampleRequest } from "./protocol.ts";
import type { Sequence, TokenId } from "./runtime.ts";
import { sampleReply } from "./sample-reply.ts";
import { scoreTokens } from "./score.ts";

export interface GroupWork {
  readonly request: SampleRequest;
  readonly scratch: string;
  readonly aborted: () => boolean;
  /** Called after each evaluation. */
  readonly tick: () => void;
  readonly send: (reply: ChildReply) => void;
}

/** @returns why the group cannot be drawn, or null when all of it is sent or it was aborted. */
export async function sampleGroup(engine: Engine, work: GroupWork): Promise<Failure | null> {
  const { request, scratch, aborted, tick, send } = work;
  const start = performance.now();
  const prompt = engine.model.tokenize(request.prompt, true);
  const overflow = tooLong(engine, prompt.length, request.maxTokens);
  if (overflow !== null) return overflow;
  const grammar =
    request.grammar === null ? null : await engine.llama.createGrammar({ grammar: request.grammar });

  let broken = false;
  const proceed = () => {
    tick();
    return !broken && !aborted();
  };
  const prefix = prompt.slice(0, -1);
  const score = createScorer(engine, prompt, proceed);
  const waiting = [...request.members];

  /** One sequence draws members until none is left. */
  const draw = async (sequence: Sequence): Promise<void> => {
    for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
      if (!proceed() || !(await bringTo(engine, sequence, prefix, proceed))) return;
      const reply = await drawMember(sequence, member);
      if (reply === null) return;
      send(reply);
    }
  };

  const drawMember = async (sequence: Sequence, { index, seed }: Member): Promise<ChildReply | null> => {
    const options = { seed, maxTokens: request.maxTokens, grammar, proceed };
    const drawn = await sampleReply(engine, sequence, prompt, options);
    if (drawn === null) return null;
    const ms = performance.now() - start;
    const logprobs = drawn.logprobs ?? (await score(sequence, drawn.tokens));
    if (logprobs === null) return null;
    const tokens = drawn.tokens.map((id, at) => ({ id, text: drawn.texts[at] ?? "" }));
    return { index, seed, text: drawn.texts.join(""), tokens, logprobs, finish: drawn.finish, ms };
  };

  const sequences = engine.sequences.slice(0, request.members.length);
  if (!(await sharePrefix(engine, sequences, prefix, scratch, proceed))) return null;
  // An error ends the group, but only when no sequence is at work any more: the next group needs them all.
  const ends = sequences.map(async (sequence) => {
    try {
      await draw(sequence);
    } catch (error) {
      broken = true;
      throw error;
    }
  });
  for (const end of await Promise.allSettled(ends)) if (end.status === "rejected") throw end.reason;
  return null;
}

function tooLong(engine: Engine, prompt: number, maxTokens: number): Failure | null {
  const room = engine.loaded.contextLength;
  if (prompt + maxTokens <= room) return null;
  return {
    reason: "context-overflow",
    message: `The prompt has ${prompt} tokens and a reply may take ${maxTokens}, together ${prompt + maxTokens}, but the model's context holds ${room}. Shorten the task's context or instruction, lower the reply limit, or give the model a longer context.`,
  };
}

type Scorer = (sequence: Sequence, tokens: readonly TokenId[]) => Promise<readonly number[] | null>;

/** Scores equal replies of a group once: under a grammar many of them are equal. */
function createScorer(engine: Engine, prompt: readonly TokenId[], proceed: () => boolean): Scorer {
  const known = new Map<string, ReturnType<Scorer>>();
  const last = prompt.at(-1) ?? 0;
  const scoreOnce: Scorer = async (sequence, tokens) => {
    if (!(await bringTo(engine, sequence, prompt.slice(0, -1), proceed))) return null;
    return scoreTokens(sequence, last, tokens, proceed);
  };
  return (sequence, tokens) => {
    const key = tokens.join();
    const scored = known.get(key) ?? scoreOnce(sequence, tokens);
    known.set(key, scored);
    return scored;
  };
}
