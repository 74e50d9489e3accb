/** Writes the pictures of the documents: a mail as a browser shows it. Needs Chromium; the pictures are committed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
const folder = mkdtempSync(join(tmpdir(), "invitewatch-images-"));
try {
  execFileSync(join(root, "bin", "invitewatch"), ["mail", "preview", "--out", join(folder, "mails")]);
  shoot(join(folder, "mails", "invite.expiring.html"), join(root, "docs", "images", "mail.png"), "680,640");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param size width and height in CSS pixels */
function shoot(page: string, picture: string, size: string): void {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  const options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", ...quiet];
  const profile = `--user-data-dir=${join(folder, "profile")}`;
  const shot = [`--screenshot=${picture}`, `--window-size=${size}`, "--force-device-scale-factor=1.5"];
  execFileSync(chromium, [...options, profile, ...shot, `file://${page}`], { stdio: "ignore" });
  process.stdout.write(`${picture}\n`);
}
