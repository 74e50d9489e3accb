/** Whether a text that was read as UTF-8 was one. */

/** What is wrong, in whole sentences; null where nothing is. */
export function encodingFault(text: string): string | null {
  // Bytes that are no UTF-8 are read as U+FFFD: first of all the byte order mark of UTF-16.
  if (text.startsWith("\uFFFD\uFFFD") || text.includes("\0")) return "The file is in UTF-16. Save it as UTF-8.";
  return text.includes("\uFFFD") ? "The file is not in UTF-8. Save it as UTF-8." : null;
}
