/** The story at speed: one round after each step, and every mail printed as it arrives. */
import { setTimeout as delay } from "node:timers/promises";
import type { StandIn } from "./cloudflare.ts";
import type { Mailbox } from "./mailbox.ts";
import { story } from "./story.ts";

export type SpeedStage = {
  readonly api: StandIn;
  readonly mailbox: Mailbox;
  /** Syncs once and delivers what is due; one sentence on how that went. */
  readonly runRound: () => Promise<string>;
  readonly stop: AbortSignal;
};

const STEP_MS = 2_000;

export async function playAtSpeed({ api, mailbox, runRound, stop }: SpeedStage): Promise<void> {
  let printed = 0;
  const steps = story(new Date(), STEP_MS);
  for (const [index, step] of steps.entries()) {
    stop.throwIfAborted();
    console.log(`\n${"=".repeat(78)}\n${index + 1} of ${steps.length}: ${step.title}`);
    step.act(api, new Date());
    await waitUntil(step.visibleAt?.(api), stop);
    console.log(`-> ${await runRound()}`);
    printed = await printMails(mailbox, printed);
  }
}

/** Prints the mails after the first so many; the answer is how many there are now. */
async function printMails(mailbox: Mailbox, printed: number): Promise<number> {
  const mails = await mailbox.messages();
  for (const { from, to, subject, text } of mails.slice(printed)) {
    const lines = [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, "", ...text.trimEnd().split("\n")];
    console.log(`\n${lines.map((line) => `  | ${line}`.trimEnd()).join("\n")}`);
  }
  if (mails.length === printed) console.log("-> no mail");
  return mails.length;
}

async function waitUntil(instant: Date | undefined, signal: AbortSignal): Promise<void> {
  if (instant !== undefined) await delay(Math.max(0, instant.getTime() - Date.now()), undefined, { signal });
}
