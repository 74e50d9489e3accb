/** What the log says invitewatch did, in clauses for the screen. */

/** A line of the log, read back. */
export type LogLine = { readonly event: string; readonly [field: string]: unknown };

const WAITS_FOR: Readonly<Record<string, string>> = {
  flapping: "the status has to settle",
  "quiet-hours": "quiet hours",
  silence: "a silence",
  flood: "so many mails an hour are enough",
};

/** One clause, or null where the line is not worth one. */
export function toldOf(line: LogLine): string | null {
  const { watch, recipient, reason, error, detail } = line;
  switch (line.event) {
    case "sync.completed": {
      const events = Object.entries(line.events as Readonly<Record<string, number>>);
      if (events.length === 0) return null;
      const list = events.map(([type, number]) => (number === 1 ? type : `${type} × ${number}`)).join(", ");
      return `${watch}: looked; records ${list}`;
    }
    case "sync.failed":
    case "sync.incomplete":
      return `${watch}: looked in vain: ${reason}`;
    case "events.not_mailed":
      return `${watch}: not mailed: ${detail}`;
    case "notification.owed":
      return line.heldBy === undefined ? null : waits(recipient, line.until, line.heldBy);
    case "notification.held":
      return waits(recipient, line.until, line.cause);
    case "notification.folded":
      return `${line.count} mails to ${recipient} that waited become one`;
    case "notification.cancelled":
      return `a mail to ${recipient} is not sent any more: ${reason}`;
    case "notification.dead":
      return `the mail to ${recipient} is given up: ${error}`;
    case "notification.retry_scheduled":
      return `the mail to ${recipient} is tried again later: ${error}`;
    default:
      return null;
  }
}

function waits(recipient: unknown, until: unknown, cause: unknown): string {
  const time = String(until).slice(11, 16);
  return `a mail to ${recipient} waits, at least until ${time}: ${WAITS_FOR[String(cause)] ?? cause}`;
}
