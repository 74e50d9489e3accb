/** What to say of a key that the configuration file does not know: where it belongs, or what was probably meant. */
import { fileSchema } from "./file-keys.ts";
import { knownKeys, type Path } from "./file-tree.ts";
import { nearest } from "./nearest.ts";
import { pathText } from "./path-text.ts";
import { type Setting, settingNames, settings } from "./settings.ts";

const all: readonly Setting[] = settingNames.map((name) => settings[name]);
const keys = knownKeys(fileSchema);

/** In whole sentences. */
export function unknownKeyMessage(path: Path): string {
  const name = String(path.at(-1));
  const mapping = placeOf(path.slice(0, -1));
  const here = keys.filter((key) => key.path === (mapping === "" ? key.name : `${mapping}.${key.name}`));
  const close = nearest(
    name,
    here.map((key) => key.name),
  );
  const isSlip = close !== null && close.distance <= Math.max(1, Math.floor(name.length / 4));
  const others = isSlip ? null : (variableFor(name) ?? keyElsewhere(name));
  if (others !== null) return `There is no such key here. ${others}`;
  const kin = here.map((key) => key.name).join(", ");
  return `There is no such key; did you mean ${close?.name}? Accepted: ${kin}.`;
}

/** A setting that only a variable has, or that is called otherwise in the file: by any of its names, or its group. */
function variableFor(name: string): string | null {
  const plain = plainly(name);
  const exact = settingNames.find((setting) =>
    [setting, settings[setting].variable, `${settings[setting].variable}_FILE`].map(plainly).includes(plain),
  );
  if (exact !== undefined) return placeOfSetting(settings[exact]);
  const group = all.filter(
    ({ variable, fileKey }) => fileKey === undefined && variable.startsWith(`${name.toUpperCase()}_`),
  );
  if (group.length === 0) return null;
  return `What it stands for is set by environment variables: ${group.map(({ variable }) => variable).join(", ")}.`;
}

function placeOfSetting({ variable, fileKey, secret, group }: Setting): string {
  if (fileKey !== undefined) return `In this file it is called ${fileKey}.`;
  if (group === "Cloudflare" && variable !== settings.baseUrl.variable) {
    return "In this file a credential belongs to a watch: watches[].apiTokenFile or watches[].apiToken.";
  }
  return `It is set by the environment variable ${variable}${secret ? ` (or ${variable}_FILE)` : ""}, not in this file.`;
}

function keyElsewhere(name: string): string | null {
  const places = keys.filter((key) => key.name === name).map((key) => key.path);
  return places.length === 0 ? null : `It belongs elsewhere: ${places.join(", ")}.`;
}

/** The mapping as known keys have it: `watches[]`. */
function placeOf(path: Path): string {
  return pathText(path).replace(/\[\d+\]/g, "[]");
}

function plainly(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
