import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "./command.ts";

const CURSOR = Buffer.from('["syncs","asc","x"]').toString("base64url");

/** What cannot be asked, whatever is in the database. */
const WRONG: readonly (readonly [line: string, says: RegExp])[] = [
  ["history --since nonsense", /--since cannot be "nonsense"/],
  ["history --until 2026-02-30", /--until cannot be/],
  ["history --since 2h --until 3d", /--since is not before --until/],
  ["history --since 2027-01-01", /--since lies in the future/],
  ["history --limit 0", /whole number from 1/],
  ["history --limit 10001", /--limit is 10000 at most/],
  ["history --cursor nonsense", /cursor is not one that invitewatch gave/],
  [`history --cursor ${CURSOR}`, /cursor is not one of events/],
  ["history --order up", /--order/],
  ["history --format xml", /--format/],
  ["history --format csv --json", /cannot be used with/],
  ["history --nonsense", /unknown option/i],
  ["history extra", /too many arguments/i],
  ["syncs --since nonsense", /--since cannot be/],
  [`syncs --cursor ${CURSOR}`, /in the order asc, not desc/],
  ["syncs --outcome good", /--outcome/],
  ["gaps --until nonsense", /--until cannot be/],
  ["invites --expiring-within soon", /It takes a duration/],
  ["invites --limit 99999", /--limit is 10000 at most/],
  ["invites --cursor x", /cursor is not one/],
  ["invites --all --status pending", /cannot be used with/],
  ["notifications --since nonsense", /--since cannot be/],
  ["notifications --kind nonsense", /It takes one of/],
  ["notifications --state nonsense", /Allowed choices/],
  ["notifications --cursor x", /cursor is not one/],
  ["notifications show", /missing required argument/i],
  ["notifications retry", /Say which mails/],
  ["notifications retry 7c9e66 --all-dead", /not both/],
  ["notifications discard 7c9e66", /--reason/],
  ["notifications discard 7c9e66 --reason=", /--reason is empty/],
  ["explain", /missing required argument/i],
  ["explain 4f5f0c --format csv", /--format/],
  ["ack", /missing required argument/i],
  ["ack 4f5f0c --note=", /--note is empty/],
  ["silence --until 3d --reason x", /Say what to silence/],
  ["silence --org Acme --until nonsense --reason x", /--until cannot be/],
  ["silence --org Acme --until 2020-01-01 --reason x", /must lie ahead/],
  ["silence --org A --until 3d --reason x", /at least 2 characters/],
  ["silences --limit 99999", /--limit is 10000 at most/],
  ["silences --cursor x", /cursor is not one/],
  ["unsilence", /missing required argument/i],
  ["unsilence 4f5f0c --by=", /--by is empty/],
  ["status --format xml", /--format/],
  ["verify --head nonsense", /64 hexadecimal digits/],
  ["migrate extra", /too many arguments/i],
  ["check extra", /too many arguments/i],
  ["healthcheck extra", /too many arguments/i],
  ["sync --dry", /unknown option/i],
  ["run extra", /too many arguments/i],
];

/** Opening it would be told as a failure, and the embedded one would be made. */
const NOWHERE = ["postgres://u:p@127.0.0.1:1/x", `pglite:${join("/proc", "nowhere", "data")}`];

for (const [line, says] of WRONG) {
  test(`before any database is opened: invitewatch ${line}`, async () => {
    for (const url of NOWHERE) {
      const { code, stdout, stderr } = await runCommand(line.split(" "), { url });

      assert.match(stderr, says);
      assert.deepEqual([code, stdout], [2, ""]);
    }
    assert.ok(!existsSync("/proc/nowhere"));
  });
}
