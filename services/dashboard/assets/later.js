// Does something when things have calmed down, and after a while in any case; once at a time, and once more if something
// happened meanwhile.

const PATIENCE = 30_000;

export class Later {
  constructor(action, settle, atMost) {
    Object.assign(this, { action, settle, atMost, timer: 0, since: 0, isRunning: false, isAsked: false });
  }

  ask() {
    if (this.isRunning) {
      this.isAsked = true;
      return;
    }
    const now = Date.now();
    this.since ||= now;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), Math.max(0, Math.min(this.settle, this.since + this.atMost - now)));
  }

  // An answer that does not come is given up, so that the next can be asked for.
  async run() {
    this.since = 0;
    this.isRunning = true;
    const abort = new AbortController();
    const bell = setTimeout(() => abort.abort(new Error("the answer did not come")), PATIENCE);
    await Promise.resolve(this.action(abort.signal)).catch(() => {});
    clearTimeout(bell);
    this.isRunning = false;
    if (!this.isAsked) return;
    this.isAsked = false;
    this.ask();
  }
}
