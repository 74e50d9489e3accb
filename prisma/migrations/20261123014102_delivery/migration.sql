-- AlterTable
ALTER TABLE "notification" ADD COLUMN     "maybe_accepted" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "useful_until" TIMESTAMPTZ(3),
ADD COLUMN     "waits_for_relay" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "attempt" (
    "notification_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "way" TEXT NOT NULL,
    "stage" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "cause" TEXT,
    "code" INTEGER,
    "enhanced_code" TEXT,
    "queue_id" TEXT,
    "said" TEXT NOT NULL,

    CONSTRAINT "attempt_pkey" PRIMARY KEY ("notification_id","number")
);

-- CreateTable
CREATE TABLE "relay" (
    "name" TEXT NOT NULL,
    "down_since" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "next_probe_at" TIMESTAMPTZ(3),
    "error" TEXT,
    "outage_since" TIMESTAMPTZ(3),
    "outage_until" TIMESTAMPTZ(3),

    CONSTRAINT "relay_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "attempt_started_at_idx" ON "attempt"("started_at");

-- AddForeignKey
ALTER TABLE "attempt" ADD CONSTRAINT "attempt_notification_id_fkey" FOREIGN KEY ("notification_id") REFERENCES "notification"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
