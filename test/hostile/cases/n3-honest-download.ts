import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** An honest revision that wants a package it does not have. */
export default hostile({
  id: "N3",
  tries: "an honest revision downloads what it needs",
  promise: "crash; the next prompt says why",
  play: [
    {
      revision: python(`
import urllib.request
urllib.request.urlopen("https://example.com/weights.bin", timeout=5)`),
      expects: "crash",
      holds: ({ result }) => assert.match(result.feedback ?? "", /URLError|name resolution/),
    },
  ],
});
