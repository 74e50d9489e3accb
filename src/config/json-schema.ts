/** The JSON Schema of the configuration file, for editors. */
import { z } from "zod";
import { aboutKeys, fileSchema } from "./file-keys.ts";

/** Draft 7, the one that most editors know for YAML. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(fileSchema, {
    target: "draft-07",
    io: "input",
    // The registry's entries are not of JSON Schema's words; what they say goes in below.
    metadata: z.registry(),
    override: ({ zodSchema, jsonSchema }) => {
      const about = aboutKeys.get(zodSchema);
      if (about !== undefined) jsonSchema.description = `${about.description} Accepted: ${about.accepts}.`;
    },
  });
  return { ...schema, title: "Configuration of invitewatch" };
}
