"""What can sign, under which rules; the only code that sees a CA's private key."""
