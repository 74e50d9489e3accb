/** The corpus of strangers' texts, and what no output may let through. */
import { hostileTexts } from "../mail/samples.ts";

export const corpus = hostileTexts();

/**
 * What a terminal or a line of a mail would obey, turn around or not show at all: controls, bidi, zero-width and
 * other invisible characters, and halves of characters. The joiners stay where they are part of the writing.
 */
export const OBEYED =
  /[\p{Cc}\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0001}-\u{E007F}\p{Cs}\p{Co}]/u;

/** A joiner between two characters of which none joins. */
export const STRAY_JOINER = /(?<=[\p{ASCII}])[\u200C\u200D]|[\u200C\u200D](?=[\p{ASCII}])/u;

/** Names in scripts of the world and emoji that a reader must find as they were written. */
export const names = corpus.filter(
  ({ name, text, shown }) => /^(scripts|emoji)\.json/.test(name) && shown !== null && shown === text.normalize("NFC"),
);
