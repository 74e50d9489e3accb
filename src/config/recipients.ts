/** One spelling for each mailbox, so that nobody is mailed twice by two rules that write an address differently. */
import { addressKey } from "./address.ts";

/** The addresses, each once and each as it was first given to any call. */
export type Spell = (addresses: readonly string[]) => readonly string[];

export function createSpelling(): Spell {
  const firstByKey = new Map<string, string>();
  return (addresses) => {
    const spelt = addresses.map((address) => {
      const key = addressKey(address);
      const first = firstByKey.get(key) ?? address;
      firstByKey.set(key, first);
      return first;
    });
    return [...new Set(spelt)];
  };
}

/** The list without its holes, or undefined where it has some: an item that is wrong leaves one. */
export function whole<T>(list: readonly (T | undefined)[] | undefined): readonly T[] | undefined {
  const sound = list?.filter((item) => item !== undefined);
  return sound?.length === list?.length ? sound : undefined;
}
