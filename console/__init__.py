"""The operator's room over all apps: dashboard, side bar, counts, health and metrics."""
