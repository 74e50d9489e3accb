/** The database cannot be used; the message says why and what to do, free of credentials. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** Whether waiting cannot help: a person has to change something first. */
  readonly permanent: boolean;
  constructor(message: string, options: { readonly cause?: unknown; readonly permanent?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.permanent = options.permanent ?? false;
  }
}
