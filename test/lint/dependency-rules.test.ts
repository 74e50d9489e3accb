import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

type Diagnostic = { readonly file: string; readonly message: string };

type Case = {
  readonly rule: string;
  readonly file: string;
  readonly code: string;
  /** What the linter says; null where it must say nothing. */
  readonly says: RegExp | null;
};

const violations: readonly Case[] = [
  {
    rule: "domain does no I/O",
    file: "src/domain/reads.ts",
    code: `import { readFileSync } from "node:fs";\nexport const text = readFileSync("x");`,
    says: /domain is pure/,
  },
  {
    rule: "domain uses no package that does I/O",
    file: "src/domain/asks.ts",
    code: `import got from "got";\nexport const answer = got("x");`,
    says: /domain is pure/,
  },
  {
    rule: "domain does not know app, not even its types",
    file: "src/domain/knows-app.ts",
    code: `import type { Clock } from "../app/ports.ts";\nexport type C = Clock;`,
    says: /domain is pure/,
  },
  {
    rule: "domain does not look at the clock",
    file: "src/domain/now.ts",
    code: "export const now = new Date();",
    says: /do not look at the clock/,
  },
  {
    rule: "domain does not read Date.now",
    file: "src/domain/date-now.ts",
    code: "export const now = [1].map(Date.now);",
    says: /do not look at the clock/,
  },
  {
    rule: "mail does no I/O",
    file: "src/mail/sends.ts",
    code: `import { connect } from "node:net";\nexport const socket = connect(25);`,
    says: /mail is pure/,
  },
  {
    rule: "the webhook knows no other adapter",
    file: "src/adapters/webhook/knows-smtp.ts",
    code: `import { createMailTransport } from "../smtp/transport.ts";\nexport const send = createMailTransport;`,
    says: /An adapter, web and demo import app and domain/,
  },
  {
    rule: "mail does not know app",
    file: "src/mail/knows-app.ts",
    code: `export type { Clock } from "../app/ports.ts";`,
    says: /mail is pure/,
  },
  {
    rule: "mail does not look at the clock",
    file: "src/mail/now.ts",
    code: "export const now = () => new Date();",
    says: /do not look at the clock/,
  },
  {
    rule: "app does not know an adapter",
    file: "src/app/knows-adapter.ts",
    code: `import { createQueue } from "../adapters/postgres/queue.ts";\nexport const queue = createQueue;`,
    says: /app imports domain, mail/,
  },
  {
    rule: "app does not load an adapter at run time either",
    file: "src/app/loads-adapter.ts",
    code: `export const queue = await import("../adapters/postgres/queue.ts");`,
    says: /app imports domain, mail/,
  },
  {
    rule: "app does not look at the clock",
    file: "src/app/now.ts",
    code: "export const now = () => Date.now();",
    says: /do not look at the clock/,
  },
  {
    rule: "config imports only domain",
    file: "src/config/knows-app.ts",
    code: `import { sync } from "../app/sync.ts";\nexport const run = sync;`,
    says: /config imports only domain and schedule/,
  },
  {
    rule: "an adapter does not know another one",
    file: "src/adapters/cloudflare/knows-smtp.ts",
    code: `import { createTransport } from "../smtp/transport.ts";\nexport const transport = createTransport;`,
    says: /never another adapter/,
  },
  {
    rule: "the Postgres adapter does not know web",
    file: "src/adapters/postgres/knows-web.ts",
    code: `import { createServer } from "../../web/server.ts";\nexport const server = createServer;`,
    says: /never another adapter/,
  },
  {
    rule: "the queue does not know the daemon",
    file: "src/adapters/postgres/queue.ts",
    code: `import { run } from "../../daemon.ts";\nexport const daemon = run;`,
    says: /never another adapter/,
  },
  {
    rule: "the SMTP adapter does not know the Postgres one",
    file: "src/adapters/smtp/knows-postgres.ts",
    code: `import { createStore } from "../postgres/store.ts";\nexport const store = createStore;`,
    says: /never another adapter/,
  },
  {
    rule: "web does not know an adapter",
    file: "src/web/knows-adapter.ts",
    code: `import { createStore } from "../adapters/postgres/store.ts";\nexport const store = createStore;`,
    says: /web and demo import app and domain/,
  },
  {
    rule: "demo does not know an adapter",
    file: "src/demo/knows-adapter.ts",
    code: `import { createStore } from "../adapters/postgres/store.ts";\nexport const store = createStore;`,
    says: /web and demo import app and domain/,
  },
  {
    rule: "demo does not know what wires the program",
    file: "src/demo/knows-wire.ts",
    code: `import { wire } from "../wire.ts";\nexport const program = wire;`,
    says: /web and demo import app and domain/,
  },
  {
    rule: "only the Postgres adapter knows Prisma",
    file: "src/cli/knows-prisma.ts",
    code: `import { PrismaClient } from "../generated/prisma/client.ts";\nexport const client = PrismaClient;`,
    says: /Only src\/adapters\/postgres knows Prisma/,
  },
  {
    rule: "only the Postgres adapter talks to the database",
    file: "src/wire.ts",
    code: `import pg from "pg";\nexport const client = new pg.Client();`,
    says: /Only src\/adapters\/postgres talks to the database/,
  },
  {
    rule: "only the queue knows pg-boss",
    file: "src/adapters/postgres/knows-boss.ts",
    code: `import { PgBoss } from "pg-boss";\nexport const boss = PgBoss;`,
    says: /Only the queue \(src\/adapters\/postgres\/queue.ts\) knows pg-boss/,
  },
  {
    rule: "only the transport knows nodemailer",
    file: "src/demo/main.ts",
    code: `import { createTransport } from "nodemailer";\nexport const transport = createTransport;`,
    says: /Only src\/adapters\/smtp knows nodemailer/,
  },
  {
    rule: "no two files import each other, not even types",
    file: "src/domain/circle-back.ts",
    code: `import type { There } from "./circle.ts";\nexport type Back = There | null;`,
    says: /in a circle/,
  },
  {
    rule: "only config reads the environment",
    file: "src/cli/reads-environment.ts",
    code: "export const home = process.env.HOME;",
    says: /Only src\/config reads the environment/,
  },
  {
    rule: "commands write to stdout in one place",
    file: "src/cli/writes.ts",
    code: "export const say = (context: { stdout: NodeJS.WriteStream }) => context.stdout.write('x');",
    says: /Commands write with write\(\)/,
  },
  {
    rule: "process goes by its own name",
    file: "src/cli/renames-process.ts",
    code: `const { env } = process;\nexport const home = env.HOME;`,
    says: /Use process under its own name/,
  },
  {
    rule: "process is not imported",
    file: "src/cli/imports-process.ts",
    code: `import { env } from "node:process";\nexport const home = env.HOME;`,
    says: /Use the global process/,
  },
  {
    rule: "only main.ts sets the exit code",
    file: "src/cli/sets-exit-code.ts",
    code: "export const fail = () => {\n  process.exitCode = 1;\n};",
    says: /Only main.ts sets the exit code/,
  },
  {
    rule: "only main.ts ends the process",
    file: "src/daemon.ts",
    code: "export const stop = () => process.exit(1);",
    says: /Only main.ts sets the exit code/,
  },
];

const allowed: readonly Case[] = [
  {
    rule: "of a circle one file is named",
    file: "src/domain/circle.ts",
    code: `import type { Back } from "./circle-back.ts";\nexport type There = Back;`,
    says: null,
  },
  {
    rule: "domain may hash and take instants apart",
    file: "src/domain/allowed.ts",
    code: `import { createHash } from "node:crypto";\nimport { next } from "./next.ts";\nexport const at = [new Date(0), createHash, next];`,
    says: null,
  },
  {
    rule: "app may use domain, mail and its ports",
    file: "src/app/allowed.ts",
    code: `import { a } from "../domain/a.ts";\nimport { b } from "../mail/b.ts";\nimport { c } from "./ports.ts";\nexport const all = [a, b, c];`,
    says: null,
  },
  {
    rule: "the Postgres adapter may use Prisma, app and domain",
    file: "src/adapters/postgres/allowed.ts",
    code: `import { a } from "../../app/a.ts";\nimport { b } from "../../domain/b.ts";\nimport { c } from "../../generated/prisma/client.ts";\nexport const all = [a, b, c];`,
    says: null,
  },
  {
    rule: "config may read the environment",
    file: "src/config/allowed.ts",
    code: "export const home = process.env.HOME;",
    says: null,
  },
  {
    rule: "main.ts may set the exit code",
    file: "src/main.ts",
    code: `import { run } from "./daemon.ts";\nprocess.exitCode = run();`,
    says: null,
  },
];

const root = fileURLToPath(new URL("../..", import.meta.url));
let project: string;
let diagnostics: readonly Diagnostic[];

before(() => {
  project = mkdtempSync(join(tmpdir(), "invitewatch-lint-"));
  for (const path of ["biome.json", ".dependency-cruiser.mjs", "package.json", "lint", ".gitignore"])
    cpSync(join(root, path), join(project, path), { recursive: true });
  const cases = [...violations, ...allowed];
  for (const { file, code } of cases) write(file, `${code}\n`);
  for (const { file, code } of cases) {
    for (const [, target] of code.matchAll(/"(\.[^"]+)"/g)) {
      const imported = join(dirname(file), target ?? "");
      if (!existsSync(join(project, imported))) write(imported, "export {};\n");
    }
  }
  diagnostics = [...lint(project), ...checkImports(project)];
});

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}

after(() => rmSync(project, { recursive: true, force: true }));

for (const { rule, file, says } of violations) {
  test(`the linter refuses a violation: ${rule}`, () => {
    const said = saidOf(file);

    assert.match(said.join("\n"), says ?? /^$/);
  });
}

for (const { rule, file } of allowed) {
  test(`the linter says nothing: ${rule}`, () => {
    const said = saidOf(file);

    assert.deepEqual(said, []);
  });
}

function saidOf(file: string): string[] {
  return diagnostics.filter((diagnostic) => diagnostic.file.endsWith(file)).map(({ message }) => message);
}

/** One line for each thing said, as in "::error title=…,file=…,line=…::message". */
function lint(folder: string): Diagnostic[] {
  const biome = join(root, "node_modules", ".bin", "biome");
  const result = spawnSync(biome, ["lint", "--reporter=github", "--max-diagnostics=none", "src"], {
    cwd: folder,
    encoding: "utf8",
  });
  const lines = `${result.stdout}${result.stderr}`.matchAll(/^::\w+ title=[^\n]*?,file=([^,]*),[^\n]*?::(.*)$/gm);
  return [...lines].map(([, file, message]) => ({ file: file ?? "", message: message ?? "" }));
}

type Cruise = {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  };
};

/** Each broken rule about imports, with the comment that explains it. */
function checkImports(folder: string): Diagnostic[] {
  const cruiser = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs");
  const args = [cruiser, "--config", ".dependency-cruiser.mjs", "--output-type", "json", "src"];
  const result = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  const { summary } = JSON.parse(result.stdout) as Cruise;
  const comments = new Map(summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
  return summary.violations.map(({ from, rule }) => ({ file: from, message: comments.get(rule.name) ?? rule.name }));
}
