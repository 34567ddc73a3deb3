"""Speed of the hot paths over real HTTP: `make bench`. No test looks at a clock; this does."""
