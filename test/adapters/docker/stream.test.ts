/** Taking the engine's output apart, without an engine. */
import fc from "fast-check";
import { describe, expect } from "vitest";
import {
  type Channel,
  createCapture,
  demultiplexer,
  plainText,
} from "../../../src/adapters/docker/stream.ts";
import { testWith } from "../../support/without.ts";

const test = testWith("docker");

function frame(type: number, payload: Uint8Array, length = payload.length): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(length, 4);
  return Buffer.concat([header, payload]);
}

function* chunked(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let position = 0;
  for (let turn = 0; position < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(position, position + size);
    position += size;
  }
}

function split(bytes: Buffer, sizes: readonly number[]): Record<Channel, Buffer> {
  const pieces: Record<Channel, Buffer[]> = { stdout: [], stderr: [] };
  const frames = demultiplexer((channel, piece) => pieces[channel].push(Buffer.from(piece)));
  for (const chunk of chunked(bytes, sizes)) frames.take(chunk);
  return { stdout: Buffer.concat(pieces.stdout), stderr: Buffer.concat(pieces.stderr) };
}

describe("demultiplexer", () => {
  test("gives each channel its bytes in order, wherever the chunks are cut", () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })));
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(frames, sizes, (list, cuts) => {
        const got = split(Buffer.concat(list.map(([type, payload]) => frame(type, payload))), cuts);
        const sent = (type: number) =>
          Buffer.concat(list.filter(([each]) => each === type).map(([, payload]) => payload));
        expect(got.stdout.equals(sent(1))).toBe(true);
        expect(got.stderr.equals(sent(2))).toBe(true);
      }),
    );
  });

  test("survives a hundred thousand one-byte frames in one chunk", () => {
    const one = frame(1, Buffer.from("x"));
    const { stdout } = split(Buffer.concat(Array(100_000).fill(one)), [one.length * 100_000]);
    expect(stdout.length).toBe(100_000);
  });

  test("hands a frame on before it is complete", () => {
    const { stdout } = split(frame(1, Buffer.from("begun"), 1_000_000), [4]);
    expect(stdout.toString()).toBe("begun");
  });

  test("tells a source that ends inside a frame from one that ends after it", () => {
    const whole = frame(1, Buffer.from("all of it"));
    const ends = (length: number): boolean => {
      const frames = demultiplexer(() => undefined);
      for (const chunk of chunked(whole.subarray(0, length), [3])) frames.take(chunk);
      return frames.isWhole();
    };
    expect(ends(whole.length)).toBe(true);
    expect(ends(0)).toBe(true);
    expect(ends(whole.length - 1)).toBe(false);
    expect(ends(4)).toBe(false);
  });

  test.each([
    ["an unknown channel", frame(9, Buffer.from("x"))],
    ["a frame of four gigabytes", frame(1, Buffer.from("x"), 0xffff_ffff)],
    ["something else than frames", Buffer.from("HTTP/1.1 200 OK\r\n\r\n")],
  ])("refuses %s", (_, bytes) => {
    expect(() => split(bytes, [16])).toThrow(expect.objectContaining({ reason: "docker-stream" }));
  });
});

describe("capture", () => {
  test("keeps everything that fits, whatever the pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 12 }), { maxLength: 8 }), (pieces) => {
        const capture = createCapture(200, 200);
        for (const piece of pieces) capture.push(Buffer.from(piece));
        expect(capture.text()).toBe(pieces.join(""));
      }),
    );
  });

  test("keeps the exact head and tail of what does not fit", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 10, maxLength: 30 });
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (list, head, tail) => {
          const all = Array.from({ length: list.reduce((sum, size) => sum + size, 0) }, (_, index) =>
            String.fromCharCode(97 + (index % 26)),
          ).join("");
          const capture = createCapture(head, tail);
          let position = 0;
          for (const size of list) {
            capture.push(Buffer.from(all.slice(position, position + size)));
            position += size;
          }
          const gap = all.length - head - tail;
          const expected =
            gap <= 0 ? all : `${all.slice(0, head)}\n[... ${gap} bytes left out ...]\n${all.slice(-tail)}`;
          expect(capture.text()).toBe(expected);
          expect(capture.total()).toBe(all.length);
        },
      ),
    );
  });

  test("does not show halves of a character that the gap cut", () => {
    const capture = createCapture(4, 4);
    capture.push(Buffer.from(`aé${"é".repeat(10)}éz`));
    expect(capture.text()).toMatch(/^aé\n\[\.\.\. \d+ bytes left out \.\.\.\]\néz$/);
  });

  test("replaces what is not UTF-8, and joins a character that came in two pieces", () => {
    const capture = createCapture(100, 0);
    capture.push(Buffer.from([0xff, 0xe2, 0x82]));
    capture.push(Buffer.from([0xac, 0xc3]));
    expect(capture.text()).toBe("\ufffd€\ufffd");
  });

  test("with no tail tells how much is missing", () => {
    const capture = createCapture(3, 0);
    capture.push(Buffer.from("abcdef"));
    expect(capture.text()).toContain("abc");
    expect(capture.total()).toBe(6);
  });
});

describe("plainText", () => {
  test("leaves no control character but tab and line feed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be gone.
        expect(plainText(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
      }),
    );
  });

  test("drops colours, titles and links, and keeps the words", () => {
    expect(
      plainText("\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007\r\nepoch 1\repoch 2"),
    ).toBe("red link\nepoch 1\nepoch 2");
  });
});
