// The container engine's HTTP interface, as little of it as the set-up needs: enough to ask without
// the docker command being installed.
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";

/**
 * @param {string} host as in DOCKER_HOST: unix:///path, npipe:////./pipe/name, tcp://name:port
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {http.RequestOptions & { tls?: boolean } | undefined} undefined: a kind that cannot be spoken here (ssh)
 */
export function connection(host, env = process.env) {
  const [, kind, rest] = /^([a-z]+):\/\/(.*)$/.exec(host) ?? [];
  if (kind === "unix") return { socketPath: rest };
  if (kind === "npipe") return { socketPath: rest?.replaceAll("/", "\\") };
  if (kind === "tcp" || kind === "http" || kind === "https") {
    const url = new URL(`http://${rest}`);
    const tls = kind === "https" || Boolean(env.DOCKER_TLS_VERIFY);
    const place = { host: url.hostname, port: url.port || (tls ? 2376 : 2375), tls };
    const folder = env.DOCKER_CERT_PATH;
    if (!tls || !folder) return place;
    /** @param {string} name */
    const read = (name) => fs.readFileSync(path.join(folder, `${name}.pem`));
    return /** @type {http.RequestOptions & { tls: boolean }} */ ({
      ...place,
      ca: read("ca"),
      cert: read("cert"),
      key: read("key"),
    });
  }
  return undefined;
}

/**
 * @param {string} host
 * @param {string} method
 * @param {string} url
 * @param {object} [options]
 * @param {number} [options.limitSeconds] for the whole exchange
 * @param {number} [options.silenceSeconds] without a byte from the engine
 * @param {import("node:stream").Readable | Buffer} [options.body]
 * @param {Record<string, string>} [options.headers]
 * @returns {Promise<{ status: number, text: string }>}
 */
export function request(host, method, url, { limitSeconds = 10, silenceSeconds, body, headers } = {}) {
  return new Promise((resolve, reject) => {
    const place = connection(host);
    if (!place) {
      reject(Object.assign(new Error(`cannot speak to ${host}`), { code: "EUNSUPPORTED" }));
      return;
    }
    const { tls, ...address } = place;
    const signal = AbortSignal.timeout(limitSeconds * 1000);
    const call = (tls ? https : http).request(
      { ...address, method, path: url, headers, signal },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece) => {
          text += piece;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on("error", reject);
      },
    );
    if (silenceSeconds) {
      call.setTimeout(silenceSeconds * 1000, () =>
        call.destroy(new Error(`no answer for ${silenceSeconds} s`)),
      );
    }
    call.on("error", reject);
    if (body === undefined || Buffer.isBuffer(body)) call.end(body);
    else {
      body.on("error", (error) => call.destroy(error));
      body.pipe(call);
    }
  });
}

/**
 * @param {string} host
 * @param {number} [limitSeconds]
 * @returns {Promise<"answers" | "absent" | "denied" | "silent" | "unsupported">}
 */
export async function ping(host, limitSeconds = 4) {
  try {
    const { status } = await request(host, "GET", "/_ping", { limitSeconds });
    return status === 200 ? "answers" : "silent";
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code === "EACCES" || code === "EPERM") return "denied";
    if (code === "EUNSUPPORTED") return "unsupported";
    if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "ENOTSOCK")
      return "absent";
    return "silent";
  }
}

/**
 * @param {string} host
 * @param {string} image
 * @returns {Promise<{ id: string, digests: string[], labels: Record<string, string>, bytes: number } | undefined>}
 */
export async function inspectImage(host, image) {
  const { status, text } = await request(host, "GET", `/images/${encodeURIComponent(image)}/json`);
  if (status === 404) return undefined;
  if (status !== 200)
    throw new Error(`The engine answered ${status} when asked for the image ${image}: ${text.trim()}`);
  const found = JSON.parse(text);
  return {
    id: found.Id,
    digests: found.RepoDigests ?? [],
    labels: found.Config?.Labels ?? {},
    bytes: found.Size ?? 0,
  };
}

/**
 * The engine reports failures of a long job inside a successful answer, one JSON document a line.
 * @param {{ status: number, text: string }} answer
 * @param {string} what
 */
export function checkProgressAnswer({ status, text }, what) {
  const lines = text.split("\n").filter(Boolean);
  for (const line of lines) {
    try {
      const { error, message } = JSON.parse(line);
      if (error || (status >= 400 && message)) throw new Error(`${what} failed: ${error ?? message}`);
    } catch (problem) {
      if (!(problem instanceof SyntaxError)) throw problem;
    }
  }
  if (status >= 400) throw new Error(`${what} failed: the engine answered ${status}`);
}
