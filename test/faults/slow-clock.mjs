/** Preloaded into a replica (`--import`): sets its clock back by so many ms, as on a machine whose clock is behind. */
const behindMs = Number(process.env.CLOCK_BEHIND_MS);
const RealDate = Date;
const now = () => RealDate.now() - behindMs;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }
  static now() {
    return now();
  }
};
