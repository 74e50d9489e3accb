-- To compress the bytes of a mail takes longer than all else that is written about it.
ALTER TABLE "notification" ALTER COLUMN "mime" SET STORAGE EXTERNAL;
