"""Devices' doors: EST and SCEP, by credentials of the protocols' own."""
