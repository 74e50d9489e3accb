/** The benchmark's child processes: each ends with its work, or with the signal. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ApiReady, ApiRequest, MailServerAnswer } from "./job.ts";

export type Api = {
  /** Brings the list into the state and answers once it can be measured. */
  set(request: ApiRequest): Promise<ApiReady>;
  close(): Promise<void>;
};

/** The stand-in for Cloudflare, in a process of its own. */
export function startApi(signal: AbortSignal): Api {
  const child = start("api", signal);
  return {
    set: (request) => ask<ApiReady>(child, request),
    async close() {
      child.kill();
      await ended(child);
    },
  };
}

export type MailServer = {
  readonly url: string;
  /** How many mails it has taken since it was asked last. */
  taken(): Promise<number>;
  close(): Promise<void>;
};

/** The mail server that everybody sends to, in a process of its own. */
export async function startMailServer(signal: AbortSignal): Promise<MailServer> {
  const child = start("mail-server", signal);
  const count = () => ask<MailServerAnswer>(child, { kind: "count" });
  const { url } = await count();
  return {
    url,
    taken: async () => (await count()).taken,
    async close() {
      child.kill();
      await ended(child);
    },
  };
}

/** Runs one program once, in a fresh process; what it measured. */
export async function runProgram<Measurement>(name: string, job: object, signal: AbortSignal): Promise<Measurement> {
  const child = start(name, signal);
  const measurement = await ask<Measurement>(child, job);
  await ended(child);
  return measurement;
}

function start(name: string, signal: AbortSignal): ChildProcess {
  const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), { signal });
  // An aborted child is told of by its exit.
  child.on("error", () => {});
  return child;
}

/** The child's next message after this one. @throws when it ends without any */
function ask<Answer>(child: ChildProcess, message: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = () => {
      reject(
        new Error(`${child.spawnargs.at(-1)} ended with ${child.signalCode ?? child.exitCode} before it answered`),
      );
    };
    if (hasEnded(child)) return onExit();
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.off("exit", onExit);
      resolve(answer as Answer);
    });
    child.send(message);
  });
}

/** Unlike `once` of node:events, it does not reject for an aborted child. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (hasEnded(child)) resolve();
    else child.once("exit", () => resolve());
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
