/** Lines that stay, with one status line below them that is written over; without a terminal, only the lines. */

export interface Live {
  lines(lines: readonly string[]): void;
  /** Replaces the status line; empty: none. */
  status(text: string): void;
  /** Takes the status line away. */
  end(): void;
}

const clearLine = "\r\u001b[K";

export function openLive(write: (text: string) => void, isTTY: boolean, columns: () => number): Live {
  let shown = "";
  const show = (text: string): string => {
    shown = text;
    return text === "" ? "" : text.slice(0, Math.max(0, columns() - 1)); // a line that wraps cannot be written over
  };
  return {
    lines(lines) {
      if (lines.length === 0) return;
      const text = lines.map((line) => `${line}\n`).join("");
      if (shown === "") write(text);
      else write(`${clearLine}${text}${show(shown)}`);
    },
    status(text) {
      if (isTTY && text !== shown) write(`${clearLine}${show(text)}`);
    },
    end() {
      if (shown !== "") write(clearLine);
      shown = "";
    },
  };
}
