import assert from "node:assert/strict";
import { test } from "node:test";
import { doIUseEmail } from "@jsx-email/doiuse-email";
import { type Preview, renderPreviews } from "../../src/mail/preview.ts";

/** As Can I Email names them. */
const CLIENTS = [
  ...["outlook.windows", "outlook.windows-mail", "outlook.macos", "outlook.ios", "outlook.android"],
  ...["gmail.desktop-webmail", "gmail.mobile-webmail", "gmail.ios", "gmail.android"],
  ...["apple-mail.macos", "apple-mail.ios"],
];

/** What some of them lack, and why the mails hold there all the same. */
const ACCEPTED: Readonly<Record<string, string>> = {
  "Type selector": "the style sheet only adds to inline styles: fonts for Outlook, small and dark screens",
  "Class selector": "the style sheet only adds to inline styles",
  "Descendant combinator": "the style sheet only adds to inline styles",
  "Attribute selector":
    "[data-ogsc] speaks to Outlook's apps and webmail in the dark, which know it; others pass it over",
  "@media": "without it the light colours and the two columns of a wide screen stay, readable from 320 px on",
  "!important keyword": "only in the style sheet, in lower case and behind a space",
  "<body> element": "its colour stands on the outermost table too",
  "role attribute": "for screen readers; where it is dropped, they announce tables",
  "<bdi> element": "the marks inside it isolate too; without either, the neighbours of a name in Arabic change places",
  "dir attribute": "only on <html>, as Gmail would turn a mail around that holds a name in Arabic",
  "font-size": "in px alone",
  "font-weight": "400 and 600 alone, which become normal and bold",
  "line-height": "in px; a line may be a little higher",
  "border-radius": "square corners",
  border: "1 to 4 px, on cells",
  margin: "positive, on headings, paragraphs and tables",
  padding: "on cells alone",
  "max-width":
    "on a table, and Outlook for Windows has a table of fixed width around it; where it fails, lines are long",
  "width attribute": "on cells and tables, not on images, of which there are none",
  "align attribute": "centre, or left, which is what they do without it",
  "overflow-wrap": "for endless words; word-break and word-wrap step in",
  "word-break": "break-word, and looking like break-all harms endless words alone",
};

const previews = renderPreviews({
  from: "Invitewatch <invites@example.com>",
  recipient: "you@example.com",
  timezone: "Europe/Berlin",
  now: new Date("2026-11-22T13:00:00Z"),
});

/** Names of the features that one of the clients lacks, in whole or in part. */
function lackingIn({ mail }: Preview): ReadonlySet<string> {
  const result = doIUseEmail(mail.html, { emailClients: CLIENTS });
  const complaints = [...(result.success ? [] : result.errors), ...result.warnings];
  return new Set(complaints.map((complaint) => /^`(.+?)` is /.exec(complaint)?.[1] ?? complaint));
}

for (const preview of previews) {
  test(`Outlook, Gmail and Apple Mail show all that the mail relies on (${preview.name})`, () => {
    const unexpected = [...lackingIn(preview)].filter((feature) => !(feature in ACCEPTED));

    assert.deepEqual(unexpected, []);
  });
}

test("what is accepted of the clients is really lacking somewhere", () => {
  const lacking = new Set(previews.flatMap((preview) => [...lackingIn(preview)]));

  assert.deepEqual(
    Object.keys(ACCEPTED).filter((feature) => !lacking.has(feature)),
    [],
  );
});

test("the lint sees what no client of a mail should be given", () => {
  const [first] = previews as [Preview];
  const html = first.mail.html.replace("</h1>", "</h1><video></video><p style='display:grid;position:fixed'>x</p>");

  const lacking = lackingIn({ ...first, mail: { ...first.mail, html } });

  assert.ok([...lacking].filter((feature) => !(feature in ACCEPTED)).length >= 2, [...lacking].join());
});

test("Gmail shows every mail in full: none is beyond 102 kB", () => {
  for (const { name, mail } of previews) assert.ok(Buffer.byteLength(mail.html) < 102_000, name);
});
