"""Devices' doors: certificates asked for by the credentials of a protocol, not by API keys."""
