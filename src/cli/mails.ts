/** What the commands share by which people decide about mails: which they mean, and why nothing was done. */
import type { Obstacle, Refused } from "../app/mail-decisions.ts";
import type { ListedMail } from "../app/queries.ts";
import type { Context } from "./context.ts";
import { type PeopleDesk, refuse } from "./people.ts";
import { printable, quoted } from "./printable.ts";
import type { Zone } from "./zone.ts";

const LISTED_MATCHES = 10;

/**
 * Ids of the mails that the texts mean, each once. Where one means none or several, that is told on stderr, the exit
 * code is 1, and the answer is empty.
 */
export async function findMails(
  texts: readonly string[],
  { people, zone }: PeopleDesk,
  context: Context,
): Promise<readonly string[]> {
  const ids = new Set<string>();
  const problems: string[] = [];
  for (const text of texts) {
    const found = await people.mailsNamed(text, LISTED_MATCHES + 1);
    const [first, ...others] = found;
    if (first === undefined) problems.push(noMail(text));
    else if (others.length > 0) problems.push(...severalMails(text, found, zone));
    else ids.add(first.id);
  }
  if (problems.length === 0) return [...ids];
  await refuse(problems, context);
  return [];
}

function noMail(text: string): string {
  const short = text.length < 6 ? " The beginning of an id takes at least 6 characters." : "";
  return `There is no mail ${quoted(text)}.${short} See \`invitewatch notifications\` for the ids.`;
}

function severalMails(text: string, found: readonly ListedMail[], zone: Zone): string[] {
  const listed = found.slice(0, LISTED_MATCHES);
  return [
    `Several mails begin with ${quoted(text)}; give more of the id:`,
    ...listed.map(
      (mail) => `  ${mail.id}  ${zone.show(mail.createdAt)} to ${printable(mail.recipient)}: ${mail.state}`,
    ),
    ...(found.length > listed.length ? ["  …"] : []),
  ];
}

/** The mail as a sentence about it begins. */
export function mailName({ id, recipient, kind }: ListedMail): string {
  return `Mail ${id} to ${printable(recipient)} (${printable(kind)})`;
}

/** Says why the mails were refused, and that nothing was done to the others either; the exit code is 1. */
export function refuseMails(
  { mails, refused }: { readonly mails: readonly ListedMail[]; readonly refused: readonly Refused[] },
  zone: Zone,
  context: Context,
): Promise<void> {
  const lines = refused.map(({ mail, obstacle }) => `${mailName(mail)} ${obstacleText(mail, obstacle, zone)}`);
  const others = mails.length > refused.length ? ["Nothing was done to the other mails either."] : [];
  return refuse([...lines, ...others], context);
}

function obstacleText(mail: ListedMail, obstacle: Obstacle, zone: Zone): string {
  switch (obstacle) {
    case "sending":
      return "is being sent; try again in a moment.";
    case "delivered": {
      const when = mail.deliveredAt === null ? "" : ` at ${zone.show(mail.deliveredAt)} (${zone.name})`;
      return `was delivered${when}; nothing can be done about it any more.`;
    }
    case "covered":
      return `is told by the mail ${mail.coveredBy} in its place; say that one.`;
    case "cancelled":
      return `was cancelled (${printable(mail.reason ?? "no reason was recorded")}) and is not sent.`;
  }
}
