/** The parts of the Ollama adapter that need no server. */
import { describe, expect, it } from "vitest";
import { endpointFrom } from "../../src/adapters/ollama/endpoint.ts";
import { mostTogether } from "../../src/adapters/ollama/parallel.ts";

describe("the address of a server", () => {
  it.each([
    [null, "http://127.0.0.1:11434", true],
    ["", "http://127.0.0.1:11434", true],
    ["0.0.0.0", "http://127.0.0.1:11434", true],
    ["0.0.0.0:8080", "http://127.0.0.1:8080", true],
    [":8080", "http://127.0.0.1:8080", true],
    ["localhost:11434", "http://localhost:11434", true],
    ["http://[::1]:11434/", "http://[::1]:11434", true],
    ["gpu-box", "http://gpu-box:11434", false],
    ["https://me:secret@models.example/ollama/", "https://me:secret@models.example/ollama", false],
    ["http://127.0.0.1.example:11434", "http://127.0.0.1.example:11434", false],
  ])("%s", (text, url, isLocal) => {
    expect(endpointFrom(text)).toMatchObject({ url, isLocal });
  });

  it("is shown and remembered without a password", () => {
    const { place, address } = endpointFrom("https://me:secret@models.example/ollama");
    expect(place).toBe("models.example:443");
    expect(address).toBe("https://models.example/ollama");
  });

  it.each(["ftp://x", "http://", "a b"])("is refused: %s", (text) => {
    expect(() => endpointFrom(text)).toThrow(/no address of an Ollama server/);
  });
});

describe("replies under way together", () => {
  it("are counted by the order of their chunks", () => {
    expect(mostTogether([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])).toBe(3);
    expect(mostTogether([0, 0, 0, 0, 1, 1, 1, 1])).toBe(1);
    expect(mostTogether([0, 0, 1, 0, 1, 0, 1, 0, 1])).toBe(2);
    expect(mostTogether([])).toBe(1);
  });

  it("are one where the next begins while the last chunks of the one before arrive", () => {
    expect(mostTogether([0, 0, 0, 1, 0, 0, 1, 1, 1])).toBe(1);
  });
});
