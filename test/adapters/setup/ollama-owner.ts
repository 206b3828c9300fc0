/** A process that has an Ollama server and waits to be killed. */
import { openOllamaServer } from "../../support/ollama.ts";

const { host, model } = await openOllamaServer();
process.send?.({ host, model });
process.on("message", () => undefined); // with the channel listened to, it stays
