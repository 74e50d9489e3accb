/**
 * Text from elsewhere made visible for a terminal, a file or a log: what would be obeyed, turn its surroundings around
 * or not be seen at all is spelt out. What a mail needs on top is decided there.
 */

/**
 * Control, bidi, zero-width and other invisible characters, save where they are part of the writing: the joiner inside
 * an emoji, the emoji style after one and in a keycap, and joiners between letters of joining scripts.
 */
export const INVISIBLE = new RegExp(
  [
    String.raw`(?!(?<=\p{ExtPict}(?:\uFE0F|\p{EMod})?)\u200D\p{ExtPict})`,
    String.raw`(?!(?<=\p{ExtPict}|[0-9#*](?=\uFE0F\u20E3))\uFE0F)`,
    String.raw`(?!(?<=JOINING)[\u200C\u200D]JOINING)`,
    String.raw`[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]`,
  ]
    .join("")
    .replaceAll(
      "JOINING",
      String.raw`[[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]&&[\p{L}\p{M}]]`,
    ),
  "gv",
);

/** What INVISIBLE may match, line and paragraph separators, halves of characters, and those of private use. */
const SUSPECT = String.raw`[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cs}\p{Co}]`;
const SUSPECTS = new RegExp(SUSPECT, "gu");
const SUSPECTS_IN_LINES = new RegExp(String.raw`(?!\r?\n)${SUSPECT}`, "u");
// JSON has line ends between its values alone: within a text they are escaped already.
const SUSPECTS_IN_JSON = new RegExp(String.raw`(?!\n)${SUSPECT}`, "gu");
const NEVER_PART_OF_WRITING = /[\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/** Marks that look like ours (one of Hebrew only outside of a word), and single ones side by side, which look like one. */
const QUOTATION_MARKS =
  /[“”„‟"\uFF02\u02BA\u02DD\u02EE\u02F5\u02F6\u2033\u2034\u2036\u2037\u2057\u275D\u275E\u2760\u2E42\u3003\u301D-\u301F\u{1F676}-\u{1F678}]|(?<!\p{sc=Hebr})\u05F4|\u05F4(?!\p{sc=Hebr})|['‘’‚‛`´\u02B9\u02BB-\u02BD\u02C8\u02CA\u02CB\u05F3\u2032\u2035\u275B\u275C\uFF07]{2,}/gu;

/** The text with unprintable characters, line ends too, spelt out: `\u{202e}`. */
export function visible(text: string): string {
  if (text.search(SUSPECTS) < 0) return text;
  const hidden = new Set([...text.matchAll(INVISIBLE)].map(({ index }) => index));
  return text.replace(SUSPECTS, (character, index: number) =>
    hidden.has(index) || NEVER_PART_OF_WRITING.test(character)
      ? `\\u{${character.codePointAt(0)?.toString(16)}}`
      : character,
  );
}

/** Lines of text with all but their ends made visible. */
export function visibleLines(text: string): string {
  if (!SUSPECTS_IN_LINES.test(text)) return text;
  return text
    .split(/(\r?\n)/)
    .map((part, index) => (index % 2 === 0 ? visible(part) : part))
    .join("");
}

/** JSON that reads back to the same value, with such characters escaped as JSON has it. */
export function visibleJson(value: unknown, indent = 0): string {
  return escapeJson(JSON.stringify(value, null, indent));
}

/** The same JSON with such characters escaped. */
export function escapeJson(json: string): string {
  return json.replace(SUSPECTS_IN_JSON, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** The text fit to stand between “quotation marks”: it holds none that seems to close them. */
export function withoutQuotationMarks(text: string): string {
  return text.replace(QUOTATION_MARKS, "'");
}
