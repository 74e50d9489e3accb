/** A server made from an OpenAPI 3.0 document alone: it answers each path and method with the document's example. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

// biome-ignore lint/suspicious/noExplicitAny: the document is JSON of a shape that is looked into, not relied on
type Node = any;

export type OpenApiMock = {
  /** With the document's base path, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
};

/**
 * A running mock on 127.0.0.1.
 *
 * @param options.example name of the example to send where an operation has it; the first one otherwise.
 *   An operation without examples sends one made of its schema's
 * @throws {Error} where no operation has an example of that name
 */
export async function startOpenApiMock(
  document: Node,
  options: { readonly example?: string } = {},
): Promise<OpenApiMock> {
  const basePath = new URL(document.servers[0].url).pathname.replace(/\/$/, "");
  const { example } = options;
  if (example !== undefined && !contents(document).some((content) => content.examples?.[example])) {
    throw new Error(`No operation of the document has an example named ${example}`);
  }

  const server = createServer((request, response) => {
    request.resume();
    const content = contentFor(document, basePath, request);
    const body = content === undefined ? { error: "not in the document" } : exampleOf(document, content, example);
    response.writeHead(content === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function contentFor(document: Node, basePath: string, request: IncomingMessage): Node {
  const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
  const templates = Object.keys(document.paths);
  const matches = (template: string): boolean => {
    const pattern = template.split("/").map((part) => (part.startsWith("{") ? "[^/]+" : RegExp.escape(part)));
    return new RegExp(`^${RegExp.escape(basePath)}${pattern.join("/")}$`).test(pathname);
  };
  // A path in so many words goes before one with parameters.
  const path = templates.find((template) => basePath + template === pathname) ?? templates.find(matches);
  const operation = path === undefined ? undefined : document.paths[path][(request.method ?? "").toLowerCase()];
  return operation?.responses["200"].content["application/json"];
}

function contents(document: Node): readonly Node[] {
  const operations = Object.values<Node>(document.paths).flatMap((path) => Object.values<Node>(path));
  return operations.map((operation) => operation.responses?.["200"]?.content["application/json"] ?? {});
}

function exampleOf(document: Node, content: Node, name: string | undefined): Node {
  const examples = content.examples ?? {};
  const chosen = (name === undefined ? undefined : examples[name]) ?? Object.values<Node>(examples)[0];
  return chosen === undefined ? fromSchema(document, content.schema) : chosen.value;
}

/** A value made of the examples in the schema and below. */
function fromSchema(document: Node, schema: Node): Node {
  if (schema.$ref !== undefined) return fromSchema(document, at(document, schema.$ref));
  if (schema.example !== undefined) return schema.example;
  if (schema.allOf?.length === 1) return fromSchema(document, schema.allOf[0]);
  if (schema.allOf !== undefined)
    return Object.assign({}, ...schema.allOf.map((part: Node) => fromSchema(document, part)));
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "array") return [fromSchema(document, schema.items)];
  if (schema.properties !== undefined) {
    const entries = Object.entries<Node>(schema.properties);
    return Object.fromEntries(entries.map(([key, value]) => [key, fromSchema(document, value)]));
  }
  return { boolean: true, integer: 1, number: 1, string: "string" }[schema.type as string] ?? null;
}

function at(document: Node, reference: string): Node {
  return reference
    .replace(/^#\//, "")
    .split("/")
    .reduce((node, part) => node[part.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}
