/**
 * Delivers a batch of mails: claim and decide, render, freeze, send, record.
 *
 * The bytes of a mail are kept before its first attempt, so that every attempt sends the same ones. Each mail ends by
 * itself: one whose answer takes minutes holds up no other.
 */
import type { Attempted } from "../../domain/delivery/attempt.ts";
import { concludeAll, type SentMail } from "../../domain/delivery/conclude.ts";
import { type DeliveryJob, decideDispatch, type Way } from "../../domain/delivery/dispatch.ts";
import type { Notification } from "../../domain/notification.ts";
import { textOfComposed } from "../../mail/composed-text.ts";
import type { FallbackChannel, FallbackMessage } from "../fallback.ts";
import type { Clock, MailTransport } from "../ports.ts";
import { type Arrivals, createArrivals } from "./arrivals.ts";
import type { MailSettings } from "./mail-settings.ts";
import { contentKey, type MadeMail, makeAlike } from "./make-mails.ts";
import type { Attempt, AttemptStart, Claimed, OutboxStore } from "./outbox.ts";
import { createWindow, type Window } from "./window.ts";

/** Mails under way at a time: some for each connection, so that none of these waits for the database. */
const UNDER_WAY = 28;
/** Where more are to be sent, so many at least are started at once. */
const STARTED_TOGETHER = 20;
/** A receipt waits so long for others that are written with it. Were we to die now, these mails would be repeated. */
const RECEIPTS_GATHER_MS = 20;
/** Time limit of one attempt by a second way out. */
const FALLBACK_DEADLINE_MS = 60_000;

const NOTHING = Buffer.alloc(0);

export type DeliverPorts = {
  readonly outbox: OutboxStore;
  readonly transport: MailTransport;
  /** Further ways out, tried in this order; empty where there is none. */
  readonly fallbacks: readonly FallbackChannel[];
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly newId: () => string;
  /** When the program is told to end: what is not begun by then is not begun. */
  readonly stop?: AbortSignal;
};

/** A job, and who waits for its end. */
type Task = PromiseWithResolvers<Attempt> & { readonly job: DeliveryJob };
type ToSend = { readonly task: Task; readonly claimed: Extract<Claimed, { readonly kind: "send" }> };
type Prepared = ToSend & { readonly made: MadeMail };
type Started = ToSend & { readonly start: AttemptStart; readonly mime: Buffer };
type Sent = SentMail & { readonly task: Task };
type Attempts = Sent["attempts"];

type Run = {
  readonly settings: MailSettings;
  readonly ports: DeliverPorts;
  readonly window: Window;
  /** What is being sent. */
  readonly underWay: Map<Task["promise"], Promise<void>>;
  /** What was sent and is to be recorded. */
  readonly sent: Arrivals<Sent>;
};

/**
 * Tries the mails that are owed and whose time has come, and records what came of each.
 *
 * @returns for each job what came of it, as soon as that is recorded; rejected only where the database fails, or where
 *   the program is told to stop before the mail was begun
 */
export function deliverBatch(
  jobs: readonly DeliveryJob[],
  settings: MailSettings,
  ports: DeliverPorts,
): readonly Promise<Attempt>[] {
  const tasks = jobs.map((job): Task => ({ job, ...Promise.withResolvers<Attempt>() }));
  const run: Run = {
    settings,
    ports,
    window: createWindow(UNDER_WAY),
    underWay: new Map(),
    sent: createArrivals(),
  };
  void sendAll(tasks, run);
  void recordAll(run);
  return tasks.map(({ promise }) => promise);
}

/** Never rejects: what fails is told to whom it concerns. */
async function sendAll(tasks: readonly Task[], run: Run): Promise<void> {
  try {
    for (let left = tasks; left.length > 0; ) left = await sendOnce(left, run);
  } catch (error) {
    for (const task of tasks) if (!run.underWay.has(task.promise)) task.reject(error);
  }
  await Promise.all(run.underWay.values());
  run.sent.close();
}

/**
 * Claims the mails of the tasks and begins to send those that are to be sent.
 *
 * @returns the tasks whose mails are to be claimed anew, now that the mail server is down
 */
async function sendOnce(tasks: readonly Task[], run: Run): Promise<readonly Task[]> {
  const { ports, window, underWay } = run;
  const toSend = await claim(tasks, run);
  const prepared = prepare(toSend, run);
  const unstarted: Task[] = [];
  for (let left = toSend.length; left > 0; ) {
    const room = await window.room(Math.min(STARTED_TOGETHER, left));
    ports.stop?.throwIfAborted();
    const mails = await take(prepared, room);
    if (mails.length === 0) break;
    left -= mails.length;
    const at = ports.clock.now();
    const asked = mails.map((mail) => ({ ...mail, start: startOf(mail, at) }));
    const kept = await ports.outbox.startAttempts(asked.map(({ start }) => start));
    for (const [nth, { task, claimed, start }] of asked.entries()) {
      const bytes = kept[nth];
      if (bytes?.status !== "fulfilled") task.reject(bytes?.reason);
      else if (bytes.value !== null) {
        window.enter(1);
        const started = { task, claimed, start, mime: bytes.value };
        underWay.set(task.promise, send(started, run));
      } else if (needsWellServer(claimed.way)) unstarted.push(task);
      else task.resolve({ kind: "idle" });
    }
  }
  if (unstarted.length === 0) return [];
  // They were not started because the mail server is down, or was and is well again: they wait for it now, or go. Else
  // somebody else has started: that attempt is not taken over.
  const { downSince } = await ports.outbox.mailServer();
  return unstarted.map(({ job, ...task }) => {
    return { ...task, job: { ...job, takeOver: job.takeOver === true && downSince !== null } };
  });
}

/** Decides what becomes of the mails; those that are not to be sent have come to their end. */
async function claim(tasks: readonly Task[], { settings, ports }: Run): Promise<readonly ToSend[]> {
  const { outbox, clock, fallbacks, newId, stop } = ports;
  const { quietHoursOf, floodCap, messageId } = settings;
  stop?.throwIfAborted();
  const now = clock.now();
  const newSummary = (recipient: string) => {
    const id = newId();
    return { id, messageId: messageId(id, recipient) };
  };
  const rules = { now, quietHoursOf, floodCap, hasFallback: fallbacks.length > 0, newSummary };
  const jobs = tasks.map(({ job }) => job);
  const claims = await outbox.claim(jobs, now, (input) => decideDispatch(input, rules));
  return tasks.flatMap((task, nth) => {
    const claimed = claims[nth];
    if (claimed?.status !== "fulfilled") task.reject(claimed?.reason);
    else if (claimed.value.kind === "send") return [{ task, claimed: claimed.value }];
    else task.resolve(claimed.value);
    return [];
  });
}

/** What goes out of each mail: the kept bytes, or else what is made now, at once for all who are told the same. */
async function* prepare(toSend: readonly ToSend[], { settings, ports }: Run): AsyncGenerator<Prepared> {
  const keyOf = ({ claimed: { mail, content } }: ToSend) =>
    content === null ? mail.notification.id : contentKey({ notification: mail.notification, content });
  for (const alike of Map.groupBy(toSend, keyOf).values()) {
    try {
      const toMake = alike.flatMap(({ claimed: { mail, content } }) =>
        content === null ? [] : [{ notification: mail.notification, content }],
      );
      const made = await makeAlike(toMake, settings, { transport: ports.transport, now: ports.clock.now() });
      for (const [nth, one] of alike.entries()) {
        const { mail, mime } = one.claimed;
        const kept =
          mime === null ? made[nth] : { subject: mail.notification.subject ?? "", own: mime, common: NOTHING };
        if (kept !== undefined) yield { ...one, made: kept };
      }
    } catch (error) {
      for (const { task } of alike) task.reject(error);
    }
  }
}

async function take<T>(source: AsyncGenerator<T>, most: number): Promise<readonly T[]> {
  const taken: T[] = [];
  while (taken.length < most) {
    const { value, done } = await source.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

function startOf({ claimed: { mail, way }, made }: Prepared, at: Date): AttemptStart {
  const { id, attempts } = mail.notification;
  return { id, attempts, at, onlyIfWell: needsWellServer(way), ...made };
}

/** Whether it goes the way of every mail, and not to find out whether the mail server is well again. */
function needsWellServer(way: Way): boolean {
  return way.kind === "relay" && !way.probe;
}

/** Sends a mail whose attempt has started. Never rejects. */
async function send(started: Started, { settings, ports, window, sent }: Run): Promise<void> {
  const { task, claimed } = started;
  const { mail, way } = claimed;
  try {
    const attempts =
      way.kind === "relay" ? await sendBySmtp(started, settings, ports) : await sendOtherwise(started, ports);
    sent.put({ task, mail, way, attempts });
    // What went wrong may concern the mails that wait for room; a receipt need not keep them waiting.
    if (attempts.at(-1)?.outcome.kind !== "accepted") await task.promise.catch(() => {});
  } catch (error) {
    task.reject(error);
  } finally {
    window.leave();
  }
}

async function sendBySmtp(
  { claimed, start, mime }: Started,
  settings: MailSettings,
  ports: DeliverPorts,
): Promise<Attempts> {
  const to = claimed.mail.notification.recipient;
  const outcome = await ports.transport.send(mime, { from: settings.from, to });
  return [{ number: start.attempts + 1, startedAt: start.at, way: "smtp", outcome }];
}

/** By one way after the other until one takes it; each further attempt is started here. */
async function sendOtherwise(
  { claimed, start, mime }: Started,
  { outbox, fallbacks, clock }: DeliverPorts,
): Promise<Attempts> {
  const message = messageOf(claimed.mail.notification, { subject: start.subject, mime });
  const attempts: Attempted[] = [];
  for (const channel of fallbacks) {
    const startedAt = attempts.length === 0 ? start.at : clock.now();
    const before = start.attempts + attempts.length;
    if (attempts.length > 0) {
      const [again] = await outbox.startAttempts([{ ...start, attempts: before, at: startedAt }]);
      if (again?.status !== "fulfilled") throw again?.reason;
      if (again.value === null) break;
    }
    const outcome = await channel.send(message, AbortSignal.timeout(FALLBACK_DEADLINE_MS));
    attempts.push({ number: before + 1, startedAt, way: `fallback-${channel.name}`, outcome });
    if (outcome.kind === "accepted") break;
  }
  return attempts as unknown as Attempts;
}

/** Says what the kept bytes say: rendered anew, the text would go by the time of day and by what is known by now. */
function messageOf(
  notification: Notification,
  { subject, mime }: Pick<FallbackMessage, "subject" | "mime">,
): FallbackMessage {
  const { id: notificationId, messageId, kind, watch, recipient, createdAt } = notification;
  const text = textOfComposed(mime);
  return { notificationId, messageId, kind, watch, recipient, createdAt, subject, text, mime };
}

/** Writes the receipts of what was sent, as it arrives. Never rejects. */
async function recordAll({ ports, sent, underWay }: Run): Promise<void> {
  const { outbox, clock, chance, fallbacks } = ports;
  for await (const several of sent) {
    const rules = { at: clock.now(), hasFallback: fallbacks.length > 0, chance };
    const recorded = await outbox
      .record(several, (ended, mailServer) => concludeAll(ended, mailServer, rules))
      .catch((reason): PromiseSettledResult<never>[] => several.map(() => ({ status: "rejected", reason })));
    for (const [nth, { task, mail, attempts }] of several.entries()) {
      underWay.delete(task.promise);
      const result = recorded[nth];
      if (result?.status !== "fulfilled") task.reject(result?.reason);
      else task.resolve({ kind: "attempted", notification: mail.notification, attempts, ...result.value });
    }
    if (underWay.size > 0) await new Promise((resolve) => setTimeout(resolve, RECEIPTS_GATHER_MS));
  }
}
