/**
 * Who may import whom. `npm run lint` checks it; `npm run docs:picture` draws it.
 *
 * A rule's comment is what somebody reads who breaks it. test/lint/dependency-rules.test.ts breaks each of them once.
 */

/** Nothing outside the named places may be imported from here. Generated code and packages count as places too. */
function only(name, from, allowed, comment) {
  return { name, comment, severity: "error", from: { path: from }, to: { pathNot: allowed } };
}

/** The package, or Node.js module, is known in the named places alone. */
function knownOnlyBy(name, packages, places, comment) {
  return { name, comment, severity: "error", from: { path: "^src/", pathNot: places }, to: { path: packages } };
}

/** A package by its name, installed or not. */
function npm(name) {
  return `(^|node_modules/)${name}(/|$)`;
}

/** What every adapter, the pages and the demo may use of ours. Of config and log, only the types. */
const CORE = ["^src/app/", "^src/domain/", "^src/config/config[.]ts$", "^src/log[.]ts$", "^package[.]json$"];

/** Own files, the core, and packages: what each package may be used by is said further down. */
function adapter(name, from, others = []) {
  const outsideSource = `^(?!src/)`;
  return only(
    name,
    from,
    [from, ...CORE, ...others, outsideSource],
    "An adapter, web and demo import app and domain, never another adapter or what wires them together. " +
      "Go through a port of src/app.",
  );
}

export default {
  forbidden: [
    {
      name: "no-circles",
      comment: "Files import one another in a circle, types included: move what they share to a file of its own.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    only(
      "domain-is-pure",
      "^src/domain/",
      ["^src/domain/", "^(node:)?crypto$", npm("canonicalize")],
      "domain is pure: it imports its own files, node:crypto and canonicalize. Take what it needs as a parameter.",
    ),
    only(
      "mail-is-pure",
      "^src/mail/",
      ["^src/mail/", "^src/domain/", "^(node:)?(crypto|url)$", npm("hono"), npm("ical.js")],
      "mail is pure: it imports its own files, domain, node:crypto, node:url, hono/html and ical.js. " +
        "Take what it needs as a parameter.",
    ),
    only(
      "app-has-ports",
      "^src/app/",
      ["^src/app/", "^src/domain/", "^src/mail/", "^src/schedule/", "^(node:)?crypto$"],
      "app imports domain, mail, schedule and its own ports; what does I/O comes in through a port (src/app/ports.ts).",
    ),
    only(
      "config-starts-nothing",
      "^src/config/",
      ["^src/config/", "^src/domain/", "^src/schedule/", "^(?!src/)"],
      "config imports only domain and schedule: it decides what the program runs with and starts nothing.",
    ),
    adapter("cloudflare-alone", "^src/adapters/cloudflare/"),
    adapter("postgres-alone", "^src/adapters/postgres/", ["^src/generated/prisma/", "^src/config/database-url[.]ts$"]),
    adapter("smtp-alone", "^src/adapters/smtp/"),
    adapter("webhook-alone", "^src/adapters/webhook/"),
    adapter("web-alone", "^src/web/"),
    { ...adapter("demo-alone", "^src/demo/"), from: { path: "^src/demo/", pathNot: "^src/demo/main[.]ts$" } },
    knownOnlyBy(
      "prisma-in-postgres",
      ["^src/generated/prisma/", npm("@prisma/[^/]+"), npm("pglite-prisma-adapter")],
      ["^src/adapters/postgres/", "^src/generated/"],
      "Only src/adapters/postgres knows Prisma: go through the ports of src/app.",
    ),
    knownOnlyBy(
      "database-in-postgres",
      [npm("pg"), npm("@electric-sql/[^/]+")],
      "^src/adapters/postgres/",
      "Only src/adapters/postgres talks to the database: go through the ports of src/app.",
    ),
    knownOnlyBy(
      "pg-boss-in-queue",
      npm("pg-boss"),
      "^src/adapters/postgres/queue",
      "Only the queue (src/adapters/postgres/queue.ts) knows pg-boss.",
    ),
    knownOnlyBy(
      "nodemailer-in-smtp",
      npm("nodemailer"),
      "^src/adapters/smtp/",
      "Only src/adapters/smtp knows nodemailer: go through MailTransport in src/app/ports.ts.",
    ),
    knownOnlyBy(
      "process-is-global",
      "^(node:)?process$",
      "^$",
      "Use the global process, so that the rules on its environment and exit code can see it.",
    ),
  ],
  options: {
    // Read as it is, types included; the parser is swc, since the TypeScript in use has no API that could be asked.
    parser: "swc",
    doNotFollow: { path: ["node_modules", "^src/generated/"] },
    reporterOptions: { archi: {} },
  },
};
