// The state of a chart's page and its error messages.

export class Notice {
  constructor(element) {
    Object.assign(this, { element, veil: document.getElementById("veil"), trouble: document.getElementById("trouble") });
  }

  say(words) {
    this.trouble.textContent = words;
    this.trouble.hidden = words === "";
  }

  stage(name) {
    this.element.dataset.state = name;
  }

  clear() {
    this.veil.hidden = true;
    this.say("");
  }

  // Covers the chart, with a new text if one is given.
  empty(words) {
    this.veil.textContent = words ?? this.veil.textContent;
    this.veil.hidden = false;
    this.stage("empty");
  }

  // A chart that is drawn stays visible after an error.
  fail(error, isDrawn) {
    if (error.name === "AbortError") return;
    if (!isDrawn) {
      this.veil.textContent = `The candles cannot be shown: ${error.message}`;
      this.veil.hidden = false;
      return this.stage("error");
    }
    this.say(`The newest candles cannot be shown: ${error.message}`);
    this.stage("ready");
  }
}
