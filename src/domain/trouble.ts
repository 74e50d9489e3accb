/** Whose trouble a refusal can be, and when it can be said. */

/**
 * `recipient` and `message` are said of this mail alone. `sender`, `login`, `policy` (towards our host or domain),
 * `quota` and `server` would meet every mail; `relaying` every mail to such a recipient. `unclear` is the server's
 * trouble or this mail's. `temporary` is over by itself.
 */
export type Trouble =
  | "recipient"
  | "message"
  | "sender"
  | "login"
  | "relaying"
  | "policy"
  | "quota"
  | "server"
  | "unclear"
  | "temporary";

/** What was under way: MAIL FROM, RCPT TO, DATA, or the mail itself. */
export type RefusalStage = "sender" | "recipient" | "data" | "answer";
