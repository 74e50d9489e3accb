-- AlterTable
ALTER TABLE "relay" ADD COLUMN     "failed_at" TIMESTAMPTZ(3),
ADD COLUMN     "probing_until" TIMESTAMPTZ(3);
