/** Checks answers against the API's own description of them. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/** The extract of Cloudflare's OpenAPI document that these tests go by. */
export const openApiDocument = JSON.parse(
  readFileSync(new URL("../fixtures/openapi/openapi-invites.json", import.meta.url), "utf8"),
);

/** Where the document describes the good answer to a GET of the path, and every refusal. */
export function goodAnswer(path: string): string {
  return `/paths/${path.replaceAll("/", "~1")}/get/responses/200/content/application~1json/schema`;
}
export const refusal = "/components/schemas/iam_api-response-common-failure";

// OpenAPI 3.0's `nullable` is among ajv's own keywords; its other additions are of no account here.
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(openApiDocument, "openapi");

/** What is wrong with the value by the schema at the JSON pointer into the document; empty where nothing is. */
export function violations(value: unknown, pointer: string): readonly string[] {
  const validate = ajv.compile({ $ref: `openapi#${encodeURI(pointer)}` });
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
