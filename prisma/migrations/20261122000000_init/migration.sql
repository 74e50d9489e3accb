-- CreateTable
CREATE TABLE "watch" (
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "baseline_at" TIMESTAMPTZ(3),
    "head_seq" INTEGER NOT NULL DEFAULT 0,
    "head_hash" TEXT NOT NULL,
    "head_recorded_at" TIMESTAMPTZ(3),

    CONSTRAINT "watch_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "sync" (
    "id" UUID NOT NULL,
    "watch" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3) NOT NULL,
    "outcome" TEXT NOT NULL,
    "reason" TEXT,
    "cause" TEXT,
    "http_status" INTEGER,
    "code" INTEGER,
    "cf_ray" TEXT,
    "pages" INTEGER NOT NULL,
    "listed" INTEGER NOT NULL,
    "total_count" INTEGER,
    "events" INTEGER NOT NULL,
    "interval_ms" BIGINT NOT NULL,

    CONSTRAINT "sync_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invite" (
    "watch" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "api_status" TEXT,
    "organization_id" TEXT,
    "organization_name" TEXT,
    "organization_enforces_two_factor" BOOLEAN,
    "invited_member_id" TEXT,
    "invited_member_email" TEXT,
    "invited_by" TEXT,
    "roles" TEXT[],
    "invited_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "last_changed_at" TIMESTAMPTZ(3) NOT NULL,
    "listed" BOOLEAN NOT NULL,
    "alerted_lead_ms" BIGINT,
    "missing_since" TIMESTAMPTZ(3),
    "fingerprint" TEXT NOT NULL,
    "extra" JSONB,
    "oddities" TEXT[],

    CONSTRAINT "invite_pkey" PRIMARY KEY ("watch","id")
);

-- CreateTable
CREATE TABLE "event" (
    "watch" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "invite_id" TEXT,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "sync_id" UUID,
    "data" JSONB NOT NULL,
    "prev_hash" TEXT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("watch","seq")
);

-- CreateTable
CREATE TABLE "notification" (
    "id" UUID NOT NULL,
    "watch" TEXT NOT NULL,
    "sync_id" UUID,
    "recipient" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT,
    "message_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(3),
    "last_attempt_at" TIMESTAMPTZ(3),
    "delivered_at" TIMESTAMPTZ(3),
    "response" TEXT,
    "error" TEXT,
    "event_seqs" INTEGER[],
    "mime" BYTEA,

    CONSTRAINT "notification_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "sync_watch_started_at_idx" ON "sync"("watch", "started_at" DESC);

-- CreateIndex
CREATE INDEX "sync_started_at_idx" ON "sync"("started_at" DESC);

-- CreateIndex
CREATE INDEX "invite_watch_status_expires_at_idx" ON "invite"("watch", "status", "expires_at");

-- CreateIndex
CREATE INDEX "invite_watch_organization_id_idx" ON "invite"("watch", "organization_id");

-- CreateIndex
CREATE UNIQUE INDEX "event_id_key" ON "event"("id");

-- CreateIndex
CREATE INDEX "event_recorded_at_watch_seq_idx" ON "event"("recorded_at", "watch", "seq");

-- CreateIndex
CREATE INDEX "event_occurred_at_idx" ON "event"("occurred_at");

-- CreateIndex
CREATE INDEX "event_type_recorded_at_idx" ON "event"("type", "recorded_at");

-- CreateIndex
CREATE INDEX "event_watch_invite_id_seq_idx" ON "event"("watch", "invite_id", "seq");

-- CreateIndex
CREATE UNIQUE INDEX "notification_message_id_key" ON "notification"("message_id");

-- CreateIndex
CREATE INDEX "notification_created_at_id_idx" ON "notification"("created_at", "id");

-- CreateIndex
CREATE INDEX "notification_watch_created_at_idx" ON "notification"("watch", "created_at");

-- CreateIndex
CREATE INDEX "notification_state_created_at_idx" ON "notification"("state", "created_at");

-- AddForeignKey
ALTER TABLE "sync" ADD CONSTRAINT "sync_watch_fkey" FOREIGN KEY ("watch") REFERENCES "watch"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invite" ADD CONSTRAINT "invite_watch_fkey" FOREIGN KEY ("watch") REFERENCES "watch"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "event" ADD CONSTRAINT "event_watch_fkey" FOREIGN KEY ("watch") REFERENCES "watch"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "event" ADD CONSTRAINT "event_sync_id_fkey" FOREIGN KEY ("sync_id") REFERENCES "sync"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification" ADD CONSTRAINT "notification_watch_fkey" FOREIGN KEY ("watch") REFERENCES "watch"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification" ADD CONSTRAINT "notification_sync_id_fkey" FOREIGN KEY ("sync_id") REFERENCES "sync"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The audit history is append-only.
CREATE FUNCTION "refuse_event_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only: % on "event" is refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER "event_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "event"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_event_change"();
