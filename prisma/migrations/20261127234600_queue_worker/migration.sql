-- CreateTable
CREATE TABLE "queue_worker" (
    "id" UUID NOT NULL,
    "jobs" JSONB NOT NULL,

    CONSTRAINT "queue_worker_pkey" PRIMARY KEY ("id")
);
