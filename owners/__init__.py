"""Who acts and who answers: principals, API keys, teams and owners."""
