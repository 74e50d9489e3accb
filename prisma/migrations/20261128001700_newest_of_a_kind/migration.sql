-- CreateIndex
CREATE INDEX "notification_kind_created_at_idx" ON "notification"("kind", "created_at" DESC);
