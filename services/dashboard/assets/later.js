// Runs an action once requests for it have paused, or after a maximum wait. Only one run is active at a time; a request during a
// run causes another one.

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

  // A run that takes too long is aborted, so that the next one can start.
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
