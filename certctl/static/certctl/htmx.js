// htmx would write a style element into each page and evaluate attributes; the
// Content-Security-Policy (foundation/csp.py) lets it do neither, and nothing here needs it.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
