/** `mail`: what has to do with the mails themselves rather than with those that are owed. */
import type { Command } from "commander";
import type { Context } from "./context.ts";
import { addMailPreview } from "./mail-preview.ts";
import { addMailTest } from "./mail-test.ts";

export function addMail(program: Command, context: Context): void {
  const mail = program.command("mail").description("send a test mail, or look at what mails look like");
  addMailTest(mail, context);
  addMailPreview(mail, context);
}
