"""Devices' programs that others wrote, against a running installation behind our nginx."""
