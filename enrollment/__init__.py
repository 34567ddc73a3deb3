<<<<<<< HEAD
"""Devices' doors: certificates asked for by the credentials of a protocol, not by API keys."""
=======
"""Devices' doors: EST and SCEP, by credentials of the protocols' own."""
>>>>>>> e1
