-- AlterTable
ALTER TABLE "invite" ADD COLUMN     "acknowledged_at" TIMESTAMPTZ(3),
ADD COLUMN     "calendar_sequence" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "cautions" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "notification" ADD COLUMN     "covered_by" UUID,
ADD COLUMN     "held_by" TEXT,
ADD COLUMN     "released_at" TIMESTAMPTZ(3),
ADD COLUMN     "rules" TEXT[] DEFAULT ARRAY[]::TEXT[],
ALTER COLUMN "watch" DROP NOT NULL;

-- AlterTable
ALTER TABLE "watch" ADD COLUMN     "blind_since" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "suppression" (
    "id" UUID NOT NULL,
    "watch" TEXT NOT NULL,
    "sync_id" UUID,
    "recipient" TEXT,
    "reason" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "event_seqs" INTEGER[],
    "decided_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "suppression_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "silence" (
    "id" UUID NOT NULL,
    "watch" TEXT,
    "invite_id" TEXT,
    "organization" TEXT,
    "until" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "ended_by" TEXT,

    CONSTRAINT "silence_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "suppression_watch_decided_at_idx" ON "suppression"("watch", "decided_at");

-- CreateIndex
CREATE INDEX "silence_until_idx" ON "silence"("until");

-- CreateIndex
CREATE INDEX "notification_recipient_released_at_idx" ON "notification"("recipient", "released_at");

-- CreateIndex
CREATE INDEX "notification_covered_by_idx" ON "notification"("covered_by");

-- AddForeignKey
ALTER TABLE "notification" ADD CONSTRAINT "notification_covered_by_fkey" FOREIGN KEY ("covered_by") REFERENCES "notification"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "suppression" ADD CONSTRAINT "suppression_watch_fkey" FOREIGN KEY ("watch") REFERENCES "watch"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "suppression" ADD CONSTRAINT "suppression_sync_id_fkey" FOREIGN KEY ("sync_id") REFERENCES "sync"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "silence" ADD CONSTRAINT "silence_watch_fkey" FOREIGN KEY ("watch") REFERENCES "watch"("name") ON DELETE RESTRICT ON UPDATE CASCADE;
