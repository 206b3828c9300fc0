/** Where an Ollama server is, as people write it: `OLLAMA_HOST`, a setting, an option. */
import { isIPv4 } from "node:net";
import { ExitError } from "../../core/errors.ts";

export interface Endpoint {
  /** Base address of the server, without a slash at its end; with user and password if they were given. */
  readonly url: string;
  /** The same without them. */
  readonly address: string;
  /** For people: host and port. */
  readonly place: string;
  /** On this machine: nothing sent there leaves it. */
  readonly isLocal: boolean;
}

const defaultPort = "11434";

/**
 * @param text a URL, or a host with or without a port; null or empty: `127.0.0.1:11434`. An address that a server
 *   listens at, such as `0.0.0.0`, is read as this machine.
 * @throws ExitError `endpoint-invalid`.
 */
export function endpointFrom(text: string | null): Endpoint {
  const given = text?.trim() || "127.0.0.1";
  const withScheme = given.includes("://")
    ? given
    : `http://${given.startsWith(":") ? "127.0.0.1" : ""}${given}`;
  const url = URL.parse(withScheme);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw new ExitError(
      "endpoint-invalid",
      `"${given}" is no address of an Ollama server. Write it like 127.0.0.1:11434 or https://models.example:11434.`,
    );
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  if (url.port === "" && !given.includes("://")) url.port = defaultPort;
  const place = `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  const { protocol, username, password, host, pathname } = url;
  const login = username === "" ? "" : `${username}${password === "" ? "" : `:${password}`}@`;
  const path = pathname.replace(/\/+$/, "");
  return {
    url: `${protocol}//${login}${host}${path}`,
    address: `${protocol}//${host}${path}`,
    place,
    isLocal:
      ["localhost", "[::1]"].includes(url.hostname) ||
      (isIPv4(url.hostname) && url.hostname.startsWith("127.")),
  };
}
