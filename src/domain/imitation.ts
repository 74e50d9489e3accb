/**
 * Whether a name is made to look like Cloudflare's own. Anybody may name an organization so, and an alert of ours about
 * it would lend the name its trust.
 */

/** Characters that a reader takes for the letter, beside those that Unicode's compatibility forms lead to it. */
const LOOK_ALIKES = {
  c: "сϲᴄꮯ¢ʗⲥꓚ",
  l: "i1|!ıӏłɩǀ∣│լןاʟꮮꓡ",
  o: "0оοσօөɵøסە٥○◯〇ᴏⲟꓳ",
  u: "vυνμսʋᴜꓴ",
  d: "ԁժɖɗđð∂ᴅꓓ",
  f: "ƒſϝғꜰꓝ",
  a: "4@аαɑ⍺ᴀꭺⲁꓮ",
  r: "гᴦʀꭇꮁꓣ",
  e: "3еєεɛҽ℮€ɘəᴇꭱⲉꓰ",
} as const;
const LETTER_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(LOOK_ALIKES).flatMap(([letter, alikes]) => [...alikes].map((alike) => [alike, letter] as const)),
);
/** Where alphabets in boxes and circles begin that have no compatibility form. */
const BOXED_ALPHABETS = [0x1f150, 0x1f170, 0x1f1e6];

const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const LETTERS = ["c", "l", "o", "u", "(?:d|cl)", "f", "l", "a", "r", "e"];
const IMITATION = new RegExp(
  [
    // Drawn out, or with something between the letters.
    LETTERS.map((letter) => `${letter}{1,9}`).join("[^a-z]{0,3}"),
    // As one word with a letter too many, too few or wrong, or with two of them swapped.
    ...LETTERS.map((_, index) => LETTERS.with(index, "[a-z]{0,2}").join("")),
    ...LETTERS.slice(1).map((letter, index) =>
      LETTERS.with(index, letter)
        .with(index + 1, LETTERS[index] ?? "")
        .join(""),
    ),
  ].join("|"),
);

/** An address of Cloudflare itself, with or without a name. */
const CLOUDFLARE_ADDRESS = /^(?:[^@<>]*<)?[\w.+-]+@(?:[a-z0-9-]+\.)*cloudflare\.com>?$/i;
/** What people call the mailbox of the account that they have there: `cloudflare@`, `dns+cloudflare@`. */
const ACCOUNT_MAILBOX = /^(?:[\w.-]+\+)?cloudflare(?:\+[\w.-]+)?(?=@)/i;

/** Whether the name reads like "Cloudflare", in whatever letters. */
export function imitatesCloudflare(name: string): boolean {
  return IMITATION.test(plainLetters(name));
}

/** The same of who invites, an address with or without a name; not where it is an address of Cloudflare's. */
export function inviterImitatesCloudflare(invitedBy: string): boolean {
  const inviter = invitedBy.trim();
  return !CLOUDFLARE_ADDRESS.test(inviter) && imitatesCloudflare(inviter.replace(ACCOUNT_MAILBOX, ""));
}

function plainLetters(text: string): string {
  const visible = withLetters(text.replace(UNSEEN, ""));
  return withLetters(
    visible
      .normalize("NFKD")
      .replace(/\p{M}+/gu, "")
      .toLowerCase(),
  );
}

function withLetters(text: string): string {
  return Array.from(
    text,
    (character) => LETTER_OF.get(character) ?? LETTER_OF.get(character.toLowerCase()) ?? unboxed(character),
  ).join("");
}

function unboxed(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const start = BOXED_ALPHABETS.find((first) => code >= first && code < first + 26);
  return start === undefined ? character : String.fromCharCode(0x61 + code - start);
}
