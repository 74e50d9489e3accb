/** The story at speed, on a clock that is turned on between the acts: each step, what invitewatch did, and its mails. */
import type { Scene } from "./cast.ts";
import type { StoryClock } from "./clock.ts";
import type { Mailbox } from "./mailbox.ts";
import type { ReceivedMail } from "./received-mail.ts";
import { dayAndTime, proseWidth, ruled, timeOfDay, wrapped } from "./screen.ts";
import type { Step } from "./step.ts";
import { story } from "./story.ts";
import { type LogLine, toldOf } from "./told.ts";

export type SpeedStage = {
  readonly scene: Scene;
  readonly mailbox: Mailbox;
  readonly clock: StoryClock;
  /** Syncs every watch once and delivers what is due by the story's clock; the answer is what was logged meanwhile. */
  readonly look: () => Promise<readonly LogLine[]>;
  /** Makes the digests and delivers them. */
  readonly makeDigests: () => Promise<readonly LogLine[]>;
  /** Runs a command of the program, which prints its answer. */
  readonly run: (args: readonly string[]) => Promise<void>;
  readonly columns: number;
  readonly stop: AbortSignal;
};

/** The stretch between two looks where the story says nothing else: that of the default schedule. */
const STEP_MS = 15 * 60_000;
/** Whose mails the story names by their kind alone. */
const FIRST_RECIPIENT = "ops@example.com";
const MAIL_PATIENCE_MS = 20_000;

/** Plays the whole story; the answer is what came other than told, in a sentence each. */
export async function playAtSpeed(stage: SpeedStage): Promise<readonly string[]> {
  const { clock, columns, stop } = stage;
  const width = proseWidth(columns);
  const steps = story(clock.now(), STEP_MS);
  const shown = new Set<string>();
  const surprises: string[] = [];
  for (const [index, step] of steps.entries()) {
    const firstAtMs = step.at === undefined ? STEP_MS : clock.msUntil(step.at);
    const sinceMs = index === 0 ? 0 : firstAtMs;
    const at = new Date(clock.now().getTime() + sinceMs);
    console.log(`\n${ruled(`${index + 1} of ${steps.length}`, dayAndTime(at), width)}`);
    console.log(`${wrapped(step.title, width)}\n`);
    const mails = await playStep(step, sinceMs, stage);
    for (const mail of mails) printMail(mail, { shown, width, whole: step.worthReading ?? false });
    if (mails.length === 0) console.log("  No mail.");
    surprises.push(...differences(step, mails));
    stop.throwIfAborted();
  }
  return surprises;
}

/** The mails that the step brought, in the order in which they were accepted. */
async function playStep(step: Step, sinceMs: number, stage: SpeedStage): Promise<readonly ReceivedMail[]> {
  const { scene, clock, look, makeDigests, run } = stage;
  const mails: ReceivedMail[] = [];
  let told = 0;
  const take = async (lines: readonly LogLine[]) => {
    told += printTold(lines, stage);
    mails.push(...(await receivedBy(lines, stage)));
  };
  /** Turns the clock on, with the usual looks on the way. */
  const goOn = async (ms: number) => {
    let left = ms;
    for (; left > STEP_MS; left -= STEP_MS) {
      clock.pass(STEP_MS);
      await take(await look());
    }
    clock.pass(left);
  };

  await goOn(sinceMs);
  if (step.command !== undefined) await run(step.command);
  for (const [index, act] of step.acts.entries()) {
    if (index > 0) await goOn(step.apartMs ?? STEP_MS);
    act(scene, clock.now());
    await take(await look());
  }
  if (step.digest) await take(await makeDigests());
  if (told === 0 && mails.length === 0) console.log(`  ${timeOfDay(clock.now())}  looked: nothing new`);
  return mails;
}

/** Prints what the log says is worth it; the answer is how many clauses that was. */
function printTold(lines: readonly LogLine[], { clock, columns }: SpeedStage): number {
  const clauses = lines.map(toldOf).filter((clause) => clause !== null);
  for (const clause of clauses) {
    console.log(wrapped(clause, proseWidth(columns), `  ${timeOfDay(clock.now())}  `));
  }
  return clauses.length;
}

/** The mails that the server accepted, by the log: they may reach the mailbox a moment later. */
async function receivedBy(lines: readonly LogLine[], { mailbox, stop }: SpeedStage): Promise<readonly ReceivedMail[]> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(MAIL_PATIENCE_MS)]);
  const delivered = lines.filter(({ event }) => event === "notification.delivered");
  return Promise.all(
    delivered.map(({ messageId }) =>
      mailbox.waitForMail(({ headers }) => headers["message-id"]?.[0] === `<${messageId}>`, signal),
    ),
  );
}

type Printing = { readonly shown: Set<string>; readonly width: number; readonly whole: boolean };

/** With its text where it is the first of its kind to the first of the recipients, or where the story wants it. */
function printMail(mail: ReceivedMail, { shown, width, whole }: Printing): void {
  const { subject, to, text, attachments } = mail;
  const kind = kindOf(mail);
  console.log(`\n  Mail     ${kind}, to ${to}`);
  console.log(wrapped(subject, width, "  Subject  "));
  for (const { filename } of attachments) console.log(`  With     ${filename}`);
  const isFirst = to.includes(FIRST_RECIPIENT) && !shown.has(kind);
  if (!isFirst && !whole) return;
  shown.add(kind);
  console.log(["", ...text.trimEnd().split("\n")].map((line) => `│ ${line}`.trimEnd()).join("\n"));
}

function kindOf({ headers }: ReceivedMail): string {
  return headers["x-invitewatch-kind"]?.[0] ?? "without a kind";
}

/** Where the mails are others than the story says. */
function differences({ title, mails }: Step, received: readonly ReceivedMail[]): readonly string[] {
  const names = received.map((mail) => {
    const to = mail.to.filter((address) => address !== FIRST_RECIPIENT);
    return [kindOf(mail), ...to].join(" ");
  });
  const [expected, came] = [mails, names].map((list) => list.toSorted().join(", ") || "no mail");
  return expected === came ? [] : [`“${title}” was to bring ${expected}, and brought ${came}.`];
}
