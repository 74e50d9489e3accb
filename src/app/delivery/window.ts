/** Room for so many mails under way at a time. One asks for room, and many give it back. */
export type Window = {
  /** How much room there is, once there is so much. */
  room(least: number): Promise<number>;
  enter(count: number): void;
  leave(): void;
};

export function createWindow(size: number): Window {
  let free = size;
  let change = Promise.withResolvers<void>();
  return {
    async room(least) {
      while (free < least) await change.promise;
      return free;
    },
    enter(count) {
      free -= count;
    },
    leave() {
      free += 1;
      change.resolve();
      change = Promise.withResolvers();
    },
  };
}
