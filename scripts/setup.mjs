/**
 * Brings a fresh clone to a working state: packages from the lockfile, then the database client.
 *
 * Plain JavaScript for any Node.js from 18 on: it runs before the one that the packages bring.
 * Each step is skipped when what it makes is already there and made from the same input.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const packagesBin = join("node_modules", ".bin");
const ownNode = join(root, packagesBin, "node");
const stampFile = join(root, "node_modules", ".invitewatch-setup.json");
const clientFolder = join(root, "src", "generated", "prisma");
const lockFolder = join(root, ".setup", "lock");

/** A failure that is told to the user as it stands, without a stack. */
class SetupError extends Error {}

/** What is there and what should be, as hashes of the input of each step. */
async function inspect() {
  const lockfile = await readFile(join(root, "package-lock.json"), "utf8");
  const schema = await readFile(join(root, "prisma", "schema.prisma"), "utf8");
  const platform = `${process.platform}-${process.arch}`;
  const wanted = { platform, packages: hash(lockfile), client: hash(schema, lockfile) };
  const stamp = await readJson(stampFile);
  const foreign = stamp !== null && stamp.platform !== platform;
  const packages = !foreign && (stamp?.packages === wanted.packages || (await installedFrom(JSON.parse(lockfile))));
  const client = packages && stamp?.client === wanted.client && (await exists(join(clientFolder, "client.ts")));
  return { wanted, packages: packages && (await exists(ownNode)), client };
}

/** Whether a plain `npm ci` or `npm install` has already installed just what the lockfile says. */
async function installedFrom(lockfile) {
  const installed = (await readJson(join(root, "node_modules", ".package-lock.json")))?.packages;
  if (installed === undefined) return false;
  const same = Object.entries(installed).every(
    ([path, entry]) => lockfile.packages[path]?.version === entry.version || entry.link === true,
  );
  const whole = Object.entries(lockfile.packages).every(
    ([path, entry]) => path === "" || path in installed || entry.optional === true,
  );
  return same && whole;
}

async function installPackages() {
  say("installing packages with npm (once; a minute or so)");
  await rm(stampFile, { force: true });
  const result = await run("npm", [
    "ci",
    "--include=dev",
    "--include=optional",
    "--engine-strict=false",
    "--loglevel=error",
    "--no-audit",
    "--no-fund",
  ]);
  if (result.code !== 0) {
    process.stderr.write(result.output);
    throw new SetupError(`npm could not install the packages (its own message is above). ${adviceFor(result)}`);
  }
  if (!(await exists(ownNode))) {
    throw new SetupError(
      `npm installed the packages but no Node.js, as it does on a platform for which there is none among them ` +
        `(${process.platform}-${process.arch}). Run on Linux, macOS or Windows on x64 or arm64.`,
    );
  }
}

async function generateClient() {
  const result = await run(ownNode, [join(root, "node_modules", "prisma", "build", "index.js"), "generate"]);
  if (result.code !== 0) {
    process.stderr.write(result.output);
    throw new SetupError("The database client could not be generated (Prisma's own message is above).");
  }
}

function adviceFor({ output }) {
  if (/spawn npm ENOENT/.test(output)) return "Install npm, then run again: npm run setup";
  if (/ENOSPC/.test(output)) return "Free some disk space (1 GB is enough), then run again: npm run setup";
  if (/EACCES|EPERM|EROFS/.test(output)) return `Make ${root} and npm's cache writable for this user, then run again.`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i.test(output)) {
    return "Check that this machine reaches the npm registry (npm ping), then run again: npm run setup";
  }
  if (/\bin sync\b/.test(output)) return "package.json and package-lock.json differ: take both from the same commit.";
  return "When that is mended, run again: npm run setup";
}

/**
 * Exit code and combined output of a program.
 *
 * The packages' own programs are kept off the PATH: npm must not run on the Node.js that it is replacing.
 * With the two Prisma variables nothing is fetched from anywhere: no native engine, no update check.
 */
function run(command, args) {
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.endsWith(packagesBin));
  const env = {
    ...process.env,
    PATH: path.join(delimiter),
    PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
    CHECKPOINT_DISABLE: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
  };
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    if (child.pid !== undefined) writeFileSync(join(lockFolder, "child"), String(child.pid));
    const stop = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
    const done = (code) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stop);
      resolve({ code, output });
    };
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => {
      output += `${error.message}\n`;
      done(1);
    });
    child.on("close", (code, signal) => {
      if (signal !== null || code === 130) output += `stopped by ${signal ?? "SIGINT"}\n`;
      done(code ?? 1);
    });
  });
}

/** Does the work while no other set-up of this folder does; waits for one that does. */
async function alone(work) {
  await mkdir(join(root, ".setup"), { recursive: true });
  for (let told = false; !(await takeLock()); ) {
    if (!told) say("another set-up of this folder is running; waiting for it");
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  try {
    return await work();
  } finally {
    await rm(lockFolder, { recursive: true, force: true });
  }
}

/** Whether the lock is ours now. One whose owner and npm no longer run is put aside. */
async function takeLock() {
  const mine = `${lockFolder}.${process.pid}`;
  await rm(mine, { recursive: true, force: true });
  await mkdir(mine);
  await writeFile(join(mine, "pid"), String(process.pid));
  try {
    await rename(mine, lockFolder);
    return true;
  } catch {
    await rm(mine, { recursive: true, force: true });
  }
  const pids = await Promise.all(["pid", "child"].map((name) => readPid(join(lockFolder, name))));
  if (pids[0] > 0 && !pids.some(isRunning)) {
    await rename(lockFolder, mine).catch(() => {});
    await rm(mine, { recursive: true, force: true });
  }
  return false;
}

async function readPid(path) {
  return Number(await readFile(path, "utf8").catch(() => "0"));
}

function isRunning(pid) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function hash(...parts) {
  return createHash("sha256").update(parts.join("\0")).digest("hex");
}

function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

function readJson(path) {
  return readFile(path, "utf8")
    .then(JSON.parse)
    .catch(() => null);
}

function say(line) {
  process.stdout.write(`Set-up: ${line}.\n`);
}

async function timed(text, work) {
  const startedAt = Date.now();
  await work();
  say(`${text} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function setUp() {
  const { wanted, packages, client } = await inspect();
  if (!packages) await timed("packages installed", installPackages);
  if (!client) await timed("database client generated", generateClient);
  await writeFile(stampFile, `${JSON.stringify(wanted)}\n`);
}

try {
  const before = await inspect();
  if (before.packages && before.client) {
    if ((process.env.npm_lifecycle_event ?? "setup") === "setup") say("nothing to do");
  } else {
    await alone(setUp);
    say("done");
  }
} catch (error) {
  if (error instanceof SetupError || typeof error.code === "string") {
    process.stderr.write(`Set-up failed: ${error.message}\n`);
  } else {
    process.stderr.write(`Set-up failed: ${error.stack}\n`);
  }
  process.exitCode = 1;
}
