"""certctl: the certificate lifecycle control plane's project package."""
