/** The values of all settings, from the variables or, where it has them, from the configuration file. */
import type { Given, Source } from "./environment.ts";
import type { ConfigFile } from "./file.ts";
import { pathOf } from "./path-text.ts";
import { NOT_SHOWN, type Problem, quoted } from "./problem.ts";
import { whole } from "./recipients.ts";
import { type Setting, type SettingName, settingNames, settings, type Values } from "./settings.ts";

export type ReadValues = { readonly values: Partial<Values>; readonly problems: readonly Problem[] };

/** Without a problem, every setting has its value; what is wrong in the file is told there. */
export function readValues({ given, mentioned }: Source, file: ConfigFile): ReadValues {
  const problems: Problem[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  const inFile = fileValues(file);
  for (const name of settingNames) {
    const setting: Setting = settings[name];
    const path = setting.fileKey === undefined ? null : pathOf(setting.fileKey);
    if (path !== null && file.has(path)) {
      values[name] = inFile[name];
      const variable = given.get(name)?.key ?? setting.variable;
      if (mentioned.has(name) && variable !== setting.fallback) {
        const message = `It is set twice, by ${variable} and by ${setting.fileKey} at ${file.whereIs(path)}. Keep one.`;
        problems.push({ key: variable, found: null, message });
      }
      continue;
    }
    const { text, key } = given.get(name) ?? { text: setting.default, key: setting.variable };
    if (text === null) {
      values[name] = null;
      continue;
    }
    const result = setting.schema.safeParse(text);
    if (result.success) values[name] = result.data;
    else problems.push(problemOf(setting, { text, key }, result.error.issues.map(({ message }) => message).join(" ")));
  }
  return { values: values as Partial<Values>, problems };
}

export function problemOf({ secret, accepts, example }: Setting, { text, key }: Given, fault: string): Problem {
  const message = `${fault} Accepted: ${accepts}. Example: ${example}`;
  return { key, found: secret ? NOT_SHOWN : quoted(text), message };
}

function fileValues({ values }: ConfigFile): Partial<Record<SettingName, unknown>> {
  const { timezone, schedule, thresholds, floodCap, mail } = values;
  return {
    timezone,
    schedule,
    floodCap,
    thresholds: whole(thresholds),
    mailFrom: mail?.from,
    mailTo: whole(mail?.to),
  };
}
