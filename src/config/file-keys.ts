/**
 * The keys of the configuration file: one zod schema, by which the file is read, and from which editors' JSON Schema
 * and the reference are made.
 *
 * What stands between keys (one credential per watch, names that are used once, …) is in watches.ts and routes.ts.
 */
import { z } from "zod";
import {
  addressField,
  clockField,
  mailboxField,
  patternField,
  recipientField,
  scheduleField,
  secretField,
  textField,
  thresholdField,
  timezoneField,
  watchNameField,
} from "./fields.ts";
import { settings } from "./settings.ts";

export type About = {
  readonly description: string;
  /** Completes "Accepted: …". */
  readonly accepts: string;
  /** The value as YAML, on one line. */
  readonly example: string;
  readonly secret?: true;
};

/** What there is to say of a key. It holds for everything below the key that has nothing of its own. */
export const aboutKeys = z.registry<About>();

const CLOCK = "a time of day from 00:00 to 23:59";
const SECRET_FILE = "the path of a file that holds the secret and nothing else; from the configuration file's folder";
const PATTERNS = "a pattern or a list of patterns, with * for any text and ! before what is left out";

const quietHours = z.strictObject({
  from: key(clockField, { description: "When they begin.", accepts: CLOCK, example: '"22:00"' }),
  to: key(clockField, {
    description: "When they end; on the next day where that is earlier than `from`.",
    accepts: CLOCK,
    example: '"07:00"',
  }),
  timezone: key(timezoneField, {
    description: "The time zone of both, if it is not the watch's.",
    accepts: settings.timezone.accepts,
    example: settings.timezone.example,
  }).optional(),
});

/** What stands on top for every watch, or on a watch for that one. */
const perWatch = {
  timezone: key(timezoneField, {
    description: "The time zone of the schedule, and of times in mails.",
    accepts: settings.timezone.accepts,
    example: settings.timezone.example,
  }).optional(),
  schedule: key(scheduleField, {
    description: "When the invitations are polled.",
    accepts: settings.schedule.accepts,
    example: `"${settings.schedule.example}"`,
  }).optional(),
  thresholds: key(z.array(thresholdField).min(1), {
    description: settings.thresholds.description,
    accepts: "a list of durations and of percentages from 1% to 99%",
    example: "[72h, 12h, 10%]",
  }).optional(),
  quietHours: key(z.union([z.literal("off", { error: "It is neither a mapping nor off." }), quietHours]), {
    description:
      "When mails wait; what would come too late then is sent all the same. `off` on a watch sets those on top aside.",
    accepts: "a mapping with from, to and perhaps timezone; or off",
    example: '{ from: "22:00", to: "07:00" }',
  }).optional(),
};

const watch = z.strictObject({
  name: key(watchNameField, {
    description:
      "What the watch is called, in mails and in the history too: renamed, it is another watch and begins anew.",
    accepts: "1 to 64 printable characters without / and *, not beginning with !",
    example: "ops",
  }),
  apiToken: key(secretField, {
    description: "The credential; better kept in a file of its own, named by `apiTokenFile`.",
    accepts: settings.apiToken.accepts,
    example: settings.apiToken.example,
    secret: true,
  }).optional(),
  apiTokenFile: key(textField, {
    description: "The file with the API token.",
    accepts: SECRET_FILE,
    example: "/run/secrets/cf_ops",
  }).optional(),
  email: key(addressField, {
    description: "Half of the older credential, with `apiKey` or `apiKeyFile`.",
    accepts: settings.email.accepts,
    example: settings.email.example,
  }).optional(),
  apiKey: key(secretField, {
    description: "Half of the older credential, with `email`.",
    accepts: settings.apiKey.accepts,
    example: settings.apiKey.example,
    secret: true,
  }).optional(),
  apiKeyFile: key(textField, {
    description: "The file with the global API key.",
    accepts: SECRET_FILE,
    example: "/run/secrets/cf_ops_key",
  }).optional(),
  to: key(oneOrMore(recipientField), {
    description: "Who is told of this watch; those of `mail.to` where it is left out.",
    accepts: "one address, or a list of several",
    example: "[ops@example.com, lead@example.com]",
  }).optional(),
  ...perWatch,
});

const match = z.strictObject({
  watch: pattern("The watch's name.", "ops"),
  organization: pattern("The name or the id of the organization that invites.", '"Acme*"'),
  inviter: pattern("Who invited, as the API gives it.", '"*@acme.example"'),
  role: pattern("One of the roles that are offered.", '"*Admin*"'),
  type: pattern(
    "The type of event. What is excluded with ! is not mailed to these people as the outcome of an invitation either.",
    '["invite.*", "!invite.changed"]',
  ),
});

const route = z.strictObject({
  match: key(match, {
    description: "What the route is for: all that is given must match, upper and lower case alike.",
    accepts: "a mapping with one or more of watch, organization, inviter, role and type",
    example: '{ watch: ops, organization: "Acme*" }',
  }),
  to: key(oneOrMore(recipientField), {
    description: "Who is told.",
    accepts: "one address, or a list of several",
    example: "legal@example.com",
  }),
  also: key(z.boolean({ error: "It is neither true nor false." }), {
    description: "Whether the watch's own people are told too; without it only those of the routes that match are.",
    accepts: "true or false",
    example: "true",
  }).optional(),
});

export const fileSchema = z.strictObject({
  ...perWatch,
  floodCap: key(floodCapField(), {
    description: settings.floodCap.description,
    accepts: settings.floodCap.accepts,
    example: settings.floodCap.example,
  }).optional(),
  mail: key(
    z.strictObject({
      from: key(mailboxField, {
        description: settings.mailFrom.description,
        accepts: settings.mailFrom.accepts,
        example: settings.mailFrom.example,
      }).optional(),
      to: key(oneOrMore(recipientField), {
        description: "Who is told where a watch names nobody. Everybody gets a mail of their own.",
        accepts: "one address, or a list of several",
        example: "[ops@example.com]",
      }).optional(),
    }),
    {
      description: "Sender, and recipients of watches that name none.",
      accepts: "a mapping with from and to",
      example: "{ from: invites@example.com, to: [ops@example.com] }",
    },
  ).optional(),
  watches: key(z.array(watch).min(1), {
    description: "The Cloudflare users whose invitations are watched, each with a credential of its own.",
    accepts: "a list of watches, each with name and credential",
    example: "[{ name: ops, apiTokenFile: /run/secrets/cf_ops }]",
  }).optional(),
  routes: key(z.array(route), {
    description:
      "Whom else to tell of what. Every route that matches adds its people; where none matches, the watch's own are told.",
    accepts: "a list of routes, each with match and to",
    example: '[{ match: { type: "watch.*" }, to: admin@example.com, also: true }]',
  }).optional(),
});

function key<S extends z.ZodType>(schema: S, about: About): S {
  // A copy: the registry knows a schema by its identity, and a field serves several keys.
  const own = schema.clone() as S;
  aboutKeys.add(own, about);
  return own;
}

function pattern(description: string, example: string) {
  return key(oneOrMore(patternField), { description, accepts: PATTERNS, example }).optional();
}

function oneOrMore<S extends z.ZodType>(item: S) {
  return z.union([item, z.array(item).min(1)]);
}

function floodCapField() {
  const error = "It is not a whole number from 1 to 10000.";
  return z.int({ error }).min(1, { error }).max(10_000, { error });
}
