/**
 * What the user has agreed to, in a file of the user's own: a workspace comes from anywhere and must not be able to
 * agree in the user's place.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ExitError, messageOf } from "../core/errors.ts";
import { userStateFolder } from "./state.ts";

interface Consents {
  /** Model servers on other machines, as addresses without user and password. */
  readonly endpoints: readonly string[];
}

const consentFile = (): string => join(userStateFolder(), "consent.json");

export async function isEndpointAllowed(address: string): Promise<boolean> {
  return endpointsOf(await read(consentFile())).includes(address);
}

/** @throws ExitError `consent-unwritable`. */
export async function allowEndpoint(address: string): Promise<void> {
  const file = consentFile();
  const consents = await read(file);
  const endpoints = endpointsOf(consents);
  if (endpoints.includes(address)) return;
  const text = `${JSON.stringify({ ...consents, endpoints: [...endpoints, address].sort() }, null, 2)}\n`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const fresh = `${file}.${process.pid}`;
    await writeFile(fresh, text, { mode: 0o600 });
    await rename(fresh, file);
  } catch (error) {
    throw new ExitError(
      "consent-unwritable",
      `The consent cannot be kept in ${file}: ${messageOf(error)}. Make the folder writable.`,
      { cause: error },
    );
  }
}

/** A file that is missing or broken holds no consent. */
async function read(file: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function endpointsOf(consents: Partial<Consents>): readonly string[] {
  const { endpoints } = consents;
  return Array.isArray(endpoints) ? endpoints.filter((address) => typeof address === "string") : [];
}
