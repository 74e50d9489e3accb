/** Loaded before the program: writes the URL of every module that was loaded to the file LOADED_MODULES, one a line. */
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

const { LOADED_MODULES = "" } = process.env;
const urls: string[] = [];

registerHooks({
  load(url, context, nextLoad) {
    urls.push(url);
    return nextLoad(url, context);
  },
});
process.on("exit", () => writeFileSync(LOADED_MODULES, urls.join("\n")));
