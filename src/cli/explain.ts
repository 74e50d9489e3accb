/** `explain`: why somebody was or was not mailed about an invitation. */
import { type Command, Option } from "commander";
import { type Outcome, outcomesOf, outlookOf, type Story } from "../app/explain.ts";
import { eventJson } from "../domain/chain.ts";
import { type Invite, inviteJson } from "../domain/invite.ts";
import { isInForce } from "../domain/silence.ts";
import { type Context, write } from "./context.ts";
import { screenOf } from "./explain-screen.ts";
import { type JsonRow, jsonText } from "./format.ts";
import { helpText } from "./lines.ts";
import { attemptJson, mailJson } from "./mail-json.ts";
import { findInvites, nameOf, type PeopleDesk, refuse, withPeople } from "./people.ts";
import { printable } from "./printable.ts";
import { silenceJson } from "./silences.ts";

type Options = { readonly watch?: string; readonly format: "table" | "json"; readonly json?: true };

const HELP = `
INVITE is an id or its beginning, 6 characters at least. For each event it says who was mailed and when, what waits and
why, and what was not mailed and why; then each mail with its attempts and the mail server's answer, and what comes next.

Examples:
  $ invitewatch explain 4f5f0c14a2a41d5063dd301b2f829f04
  $ invitewatch explain 4f5f0c --json`;

export function addExplain(program: Command, context: Context): void {
  program
    .command("explain")
    .argument("<invite>", "id of the invitation, or its beginning")
    .description("why somebody was or was not mailed about an invitation")
    .option("--watch <name>", "where several watches have the invitation: this one")
    .addOption(new Option("--format <format>", "how to write the answer").choices(["table", "json"]).default("table"))
    .addOption(new Option("--json", "short for --format json").conflicts("format"))
    .addHelpText("after", helpText(HELP, context))
    .action((text: string, options: Options) =>
      withPeople(context, "read", () => async (desk) => {
        const [invite, ...others] = await findInvites(text, options.watch, { people: desk.people, context });
        if (invite === undefined) return;
        if (others.length > 0) return refuse([severalWatches([invite, ...others])], context);
        await answer(await desk.people.story(invite), options, { desk, context });
      }),
    );
}

function severalWatches(invites: readonly Invite[]): string {
  const watches = invites.map(({ watch }) => printable(watch)).join(", ");
  return `Several watches have this invitation: ${watches}. Name one with --watch.`;
}

async function answer(
  story: Story,
  options: Options,
  { desk, context }: { readonly desk: PeopleDesk; readonly context: Context },
): Promise<void> {
  const { config, zone, now } = desk;
  const { invite } = story;
  const watch = config.watches.find(({ name }) => name === invite.watch) ?? null;
  const silences = story.silences.filter((silence) => isInForce(silence, now));
  const outlook = outlookOf(invite, { rules: watch, silences, now });
  if (options.format === "json" || options.json) {
    const next = outlook.kind === "reminder" ? { threshold: outlook.threshold, at: outlook.at.toISOString() } : null;
    return write(context.stdout, jsonText(storyJson(story, next)));
  }
  const audience = { recipients: watch?.to ?? [], routes: config.routes };
  const lines = screenOf(story, { outlook, audience, zone, now, columns: context.columns, name: nameOf(invite) });
  await write(context.stdout, `${lines.join("\n")}\n`);
}

function storyJson(story: Story, nextReminder: JsonRow | null): JsonRow {
  const { invite, events, mails, suppressions, silences } = story;
  const { acknowledgedAt, cautions } = invite;
  return {
    invite: {
      ...inviteJson(invite),
      acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
      cautions,
      nextReminder,
    },
    events: events.map((event) => ({ ...eventJson(event), outcomes: outcomesOf(event, story).map(outcomeJson) })),
    notifications: mails.map((mail) => ({
      ...mailJson(mail),
      deliveryAttempts: mail.deliveryAttempts.map(attemptJson),
    })),
    suppressions: suppressions.map(({ decidedAt, ...rest }) => ({ ...rest, decidedAt: decidedAt.toISOString() })),
    silences: silences.map(silenceJson),
  };
}

function outcomeJson(outcome: Outcome): JsonRow {
  const { recipient, kind, rules, mail } = outcome;
  return {
    recipient,
    outcome: kind,
    rules,
    notificationId: mail?.id ?? null,
    deliveredAt: kind === "mailed" ? outcome.at.toISOString() : null,
    until: kind === "waiting" ? (outcome.until?.toISOString() ?? null) : null,
    reason: kind === "mailed" ? null : outcome.reason,
  };
}
