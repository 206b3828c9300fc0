/**
 * A fake of the server, for faults only: it answers like one, and what becomes of the requests for `faultyPrompt` is
 * up to the test; or it says what a script has it say.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const faultyPrompt = "Once upon a time";

export interface FakeRequest {
  readonly prompt: string;
  readonly options: { readonly seed: number; readonly num_predict: number };
}

export interface FakeOllama {
  readonly host: string;
  readonly model: string;
  /** Resolves when so many requests for the faulty prompt have lost their client. */
  untilAbandoned(count: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Faults {
  /** Answers a request for a reply to `faultyPrompt`. */
  readonly answer?: (response: ServerResponse, request: FakeRequest) => void;
  /** Logarithms are left out, as by old versions. */
  readonly noLogprobs?: boolean;
  readonly contextLength?: number;
  readonly modelfile?: string;
  readonly version?: string;
  readonly show?: object;
  /** How a request for embeddings fails. */
  readonly embed?: { readonly status: number; readonly error: string };
  /** Answers the upload of a file. */
  readonly upload?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Told of a request to unload the model, which it never does. */
  readonly unloadAsked?: () => void;
  /** Characters a prompt may have. */
  readonly room?: number;
  /** What it says to a prompt, in place of as many tokens as it may. */
  readonly script?: (request: FakeRequest) => string;
}

/** Tokens of the requests by which a client measures the server. */
const longestProbe = 12;

export const line = (response: ServerResponse, value: object): void => {
  response.write(`${JSON.stringify(value)}\n`);
};

/** A chunk with one token. */
export const token = (text: string) => ({
  response: text,
  done: false,
  logprobs: [{ token: text, logprob: -1 }],
});

export const done = (count: number, reason = "length") => ({
  response: "",
  done: true,
  done_reason: reason,
  prompt_eval_count: 5,
  eval_count: count,
});

export async function startFakeOllama(faults: Faults): Promise<FakeOllama> {
  let abandoned = 0;
  let onAbandoned = () => {};
  const server = createServer(async (request, response) => {
    if (request.url?.startsWith("/api/blobs/")) {
      if (request.method === "POST") return faults.upload?.(request, response);
      response.writeHead(404);
      return response.end();
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const json = (value: object, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.url === "/api/version") return json({ version: faults.version });
    if (request.url === "/api/tags")
      return json({ models: [{ name: "small:latest", digest: "ab".repeat(32) }] });
    if (request.url === "/api/show") {
      const { model }: { model: string } = JSON.parse(body);
      if (model.includes("-exit:")) return json({ error: "not found" }, 404);
      const modelfile = faults.modelfile ?? `FROM /nowhere/sha256-${"cd".repeat(32)}`;
      const info = { "general.architecture": "llama", "llama.context_length": 8192 };
      return json({ modelfile, template: "{{ .Prompt }}", details: {}, model_info: info, ...faults.show });
    }
    if (request.url === "/api/ps") {
      const context_length = faults.contextLength ?? 1024;
      const expires_at = new Date(Date.now() + 300_000);
      return json({
        models: [{ name: "small:latest", size: 100, size_vram: 50, context_length, expires_at }],
      });
    }
    if (request.url === "/api/chat") {
      const { messages }: { messages: readonly { content: string }[] } = JSON.parse(body);
      const rendered_template = faults.script
        ? messages.map(({ content }) => content).join("\n")
        : "<user>Hello</user>";
      return json({ done: false, _debug_info: { rendered_template } });
    }
    if (request.url === "/api/embed") {
      const { status, error } = faults.embed ?? { status: 501, error: "unexpected" };
      return json({ error }, status);
    }
    const asked: FakeRequest & { keep_alive?: number } = JSON.parse(body);
    if (asked.keep_alive === 0) {
      // It says so, and lists it on.
      json({ done: true, done_reason: "unload" });
      return faults.unloadAsked?.();
    }
    if (asked.prompt.length > (faults.room ?? 4000))
      return json({ error: "the input length exceeds the context length" }, 400);
    const isReply = asked.prompt === faultyPrompt && asked.options.num_predict > 1;
    if (isReply)
      response.on("close", () => {
        if (response.writableEnded) return;
        abandoned += 1;
        onAbandoned();
      });
    if (isReply && faults.answer) return faults.answer(response, asked);
    const count = asked.options?.num_predict ?? 1;
    if (faults.script && count > longestProbe) {
      const words = faults.script(asked).split(/(?<=\s)/);
      for (const word of words) line(response, token(word));
      // The end token counts.
      line(response, done(words.length + 1, "stop"));
      return response.end();
    }
    for (let at = 0; at < count; at += 1) {
      const { logprobs, ...bare } = token(" a");
      line(response, faults.noLogprobs ? bare : { ...bare, logprobs });
    }
    line(response, done(count));
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    model: "small",
    untilAbandoned: (count) =>
      new Promise((resolve) => {
        onAbandoned = () => {
          if (abandoned >= count) resolve();
        };
        onAbandoned();
      }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
