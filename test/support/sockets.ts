/** Keeps the open connections of a server or a proxy, so that they can be broken all at once. */
import type { Socket } from "node:net";

export type Sockets = {
  /** The socket, which from now on is kept until it is closed; an error of its own closes it. */
  keep(socket: Socket): Socket;
  /** Breaks all that are open. */
  destroy(): void;
};

export function createSockets(): Sockets {
  const open = new Set<Socket>();
  return {
    keep(socket) {
      open.add(socket);
      return socket
        .setNoDelay(true)
        .on("error", () => socket.destroy())
        .on("close", () => open.delete(socket));
    },
    destroy() {
      for (const socket of open) socket.destroy();
    },
  };
}
