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

/** Reads nothing before `listen()` of the result is called. */
export function openConnection(socket: Socket): MessageConnection {
  socket.on("error", () => socket.destroy());
  const connection = createMessageConnection(new SocketMessageReader(socket), new CalmWriter(socket));
  connection.onError(() => socket.destroy());
  return connection;
}
