/** The story live: the daemon runs as it would for real, and a step comes every few seconds. */
import { setTimeout as delay } from "node:timers/promises";
import type { StandIn } from "./cloudflare.ts";
import type { Mailbox } from "./mailbox.ts";
import { story } from "./story.ts";

export type LiveStage = {
  readonly api: StandIn;
  readonly mailbox: Mailbox;
  readonly logFile: string;
  /** Runs until `stop` is aborted. */
  readonly runDaemon: () => Promise<void>;
  readonly stop: AbortSignal;
};

const LOOK_EVERY_MS = 300;

export async function playLive({ api, mailbox, logFile, runDaemon, stop }: LiveStage): Promise<void> {
  console.log(`
invitewatch is watching a stand-in for the Cloudflare API, every 5 seconds.

  Mails     ${mailbox.webUrl}
  History   bin/invitewatch history      (in a second terminal, in this folder)
  Now       bin/invitewatch invites, bin/invitewatch status
  Log       ${logFile}
  Stop      Ctrl-C                       (removes the demo's data)
`);
  const daemon = runDaemon();
  await Promise.all([daemon, tellStory(api, stop), announceMails(mailbox, stop)]);
}

async function tellStory(api: StandIn, stop: AbortSignal): Promise<void> {
  const begun = Date.now();
  for (const step of story(new Date(begun))) {
    await pause(begun + step.at - Date.now(), stop);
    if (stop.aborted) return;
    tell(step.title);
    step.act(api, new Date());
  }
  tell("The story is told. invitewatch goes on watching; stop it with Ctrl-C.");
}

async function announceMails(mailbox: Mailbox, stop: AbortSignal): Promise<void> {
  let announced = 0;
  while (!stop.aborted) {
    const mails = await mailbox.messages();
    for (const { to, subject } of mails.slice(announced)) console.log(`          mail to ${to}: ${subject}`);
    announced = mails.length;
    await pause(LOOK_EVERY_MS, stop);
  }
}

function tell(title: string): void {
  console.log(`${new Date().toLocaleTimeString("en-GB")}  ${title}`);
}

/** Ends early where told to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => {});
}
