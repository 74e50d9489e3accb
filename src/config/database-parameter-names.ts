/** Which parameters DATABASE_URL may have, by what comes of them. */

/** Parts of the address that a parameter may hold instead. */
export const OVERRIDES = ["host", "port", "user", "password", "dbname"];
export const LIMITS = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

export const HONOURED = [
  "sslmode",
  "ssl",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslpassword",
  "sslcrl",
  "sslnegotiation",
  "ssl_min_protocol_version",
  "ssl_max_protocol_version",
  "channel_binding",
  "target_session_attrs",
  "schema",
  "search_path",
  "application_name",
  "options",
  "connect_timeout",
];

/** Change nothing here, and nobody misses them. */
export const NEEDLESS = [
  "fallback_application_name",
  "gssencmode",
  "client_encoding",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
  "sslsni",
  "sslcompression",
  "uselibpqcompat",
  "pgbouncer",
];

/** Of Prisma and of hosted providers: somebody may expect an effect that they have not here. */
export const WITHOUT_EFFECT = [
  "connection_limit",
  "pool_timeout",
  "pool_size",
  "max_pool_size",
  "socket_timeout",
  "statement_cache_size",
  "prepared_statements",
  "sslaccept",
  "sslidentity",
  "load_balance_hosts",
  "supa",
  "workaround",
];

/** libpq's own, which the driver has not. */
export const UNSUPPORTED = [
  "hostaddr",
  "passfile",
  "service",
  "servicefile",
  "replication",
  "require_auth",
  "requiressl",
  "requirepeer",
  "krbsrvname",
  "gsslib",
  "gssdelegation",
  "sslcrldir",
  "sslcertmode",
];
