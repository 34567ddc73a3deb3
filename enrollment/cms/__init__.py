"""CMS (RFC 5652), as much of it as enrollment needs: bytes in, values out, no clock."""
