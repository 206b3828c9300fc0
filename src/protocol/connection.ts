/** JSON-RPC over a local socket, the same at both ends. */
import type { Socket } from "node:net";
import {
  createMessageConnection,
  type Message,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from "vscode-jsonrpc/node.js";

/**
 * A peer can vanish between any two bytes. Then the connection closes, which ends every waiting call; a write
 * that failed has nothing to add, and left alone the library would turn it into an unhandled rejection.
 */
class CalmWriter extends SocketMessageWriter {
  override async write(message: Message): Promise<void> {
    try {
      await super.write(message);
    } catch {
      // The close that follows says it.
    }
  }
}

/**
 * Without the library's timer for a message of which only a part has come: nobody listens to what it tells, and
 * after a peer that died between header and body it would start anew for ever and keep our process alive.
 */
function patientReader(socket: Socket): SocketMessageReader {
  const reader = new SocketMessageReader(socket);
  reader.partialMessageTimeout = 0;
  return reader;
}

/** Reads nothing before `listen()` of the result is called. */
export function openConnection(socket: Socket): MessageConnection {
  socket.on("error", () => socket.destroy());
  const connection = createMessageConnection(patientReader(socket), new CalmWriter(socket));
  connection.onError(() => socket.destroy());
  return connection;
}
