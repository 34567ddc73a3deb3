"""What relying parties fetch: CRLs, OCSP answers and CA certificates."""
