"""The demo: people, a CA, a TLS server, and the walk through a certificate's whole life."""
