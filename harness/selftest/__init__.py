"""The judge tested by mutation: what must be caught is caught, what is harmless is not flagged."""
