/** The story live: the daemon runs as it would for real, and something happens every few seconds. */
import { setTimeout as delay } from "node:timers/promises";
import { type Scene, TREY } from "./cast.ts";
import type { Mailbox } from "./mailbox.ts";
import { wrapped } from "./screen.ts";
import { story } from "./story.ts";

export type LiveStage = {
  readonly scene: Scene;
  readonly mailbox: Mailbox;
  readonly logFile: string;
  /** What commands have to be told to find the demo's database; null where they find it by themselves. */
  readonly databaseUrl: string | null;
  /** Runs until `stop` is aborted. */
  readonly runDaemon: () => Promise<void>;
  /** How wide prose is. */
  readonly width: number;
  readonly stop: AbortSignal;
};

const STEP_MS = 12_000;
const LOOK_EVERY_MS = 300;
const INDENT = " ".repeat("00:00:00  ".length);

export async function playLive(stage: LiveStage): Promise<void> {
  const { mailbox, logFile, databaseUrl, runDaemon } = stage;
  console.log(`
invitewatch is watching a stand-in for the Cloudflare API, every 5 seconds.

  Mails   ${mailbox.webUrl}
  Log     ${logFile}
  Stop    Ctrl-C (removes the demo's data)

In a second terminal, in this folder:
${databaseUrl === null ? "" : `\n  export DATABASE_URL='${databaseUrl}'\n`}
  bin/invitewatch status                 how the watches stand
  bin/invitewatch invites                the invitations as now known
  bin/invitewatch history                what was recorded
  bin/invitewatch explain ID             who was mailed about one, and why
  bin/invitewatch ack ID                 no more reminders of one
  bin/invitewatch notifications          the mails, and what became of them
  bin/invitewatch notifications show ID  one mail, and every attempt at it
`);
  const daemon = runDaemon();
  await Promise.all([daemon, tellStory(stage), announceMails(stage)]);
}

async function tellStory({ scene, width, stop }: LiveStage): Promise<void> {
  const begun = performance.now();
  const steps = story(new Date(), STEP_MS).filter(({ at }) => at === undefined);
  let count = 0;
  for (const { title, acts } of steps) {
    for (const [index, act] of acts.entries()) {
      await pause(begun + count * STEP_MS - performance.now(), stop);
      if (stop.aborted) return;
      if (index === 0) tell(title, width);
      act(scene, new Date());
      count += 1;
    }
  }
  await pause(begun + count * STEP_MS - performance.now(), stop);
  if (stop.aborted) return;
  tell("The story is told; invitewatch goes on watching. Stop it with Ctrl-C.", width);
  console.log(`
  bin/invitewatch explain ${TREY.slice(0, 8)}       why the last mails wait
  npm run demo -- --once                 what takes hours and a night, at speed
`);
}

async function announceMails({ mailbox, width, stop }: LiveStage): Promise<void> {
  let announced = 0;
  while (!stop.aborted) {
    const mails = mailbox.messages();
    for (const { to, subject } of mails.slice(announced)) {
      console.log(wrapped(`${to}: ${subject}`, width, `${INDENT}mail to `));
    }
    announced = mails.length;
    await pause(LOOK_EVERY_MS, stop);
  }
}

function tell(title: string, width: number): void {
  console.log(wrapped(title, width, `${new Date().toLocaleTimeString("en-GB")}  `));
}

/** Ends early where told to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => {});
}
