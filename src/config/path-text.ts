/** Places in the configuration file as people write them. */
import type { Path } from "./file-tree.ts";

/** `watches[1].thresholds[0]`. A key that is not plain is quoted and cut, so that it cannot hide anything. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    const name = /^[\w$-]{1,60}$/.test(step) ? step : JSON.stringify(step.slice(0, 60));
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** The path in which that text, one of the known keys, stands: `mail.to`. */
export function pathOf(key: string): Path {
  return key.split(".");
}
